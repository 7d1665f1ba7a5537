import os
from attack import breach_if

known = {"PATH", "HOME", "TMPDIR", "LANG", "USER", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE", "HOST_TCP_PORT", "HOST_UDP_PORT", "HOST_WORDS", "PWD", "SHLVL", "_"}
strange = sorted(set(os.environ) - known)
breach_if("variables that nobody set", strange, strange)
