import os
import signal
from attack import breach_if

try:
    pattern = open("/proc/sys/kernel/core_pattern").read().strip()
except FileNotFoundError:
    pattern = "none: this kernel dumps no cores"
breach_if("a core dump starts a program", pattern.startswith("|"), pattern)
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSEGV)
_, status = os.wait()
breach_if("a core was dumped", os.WCOREDUMP(status), status)
left = [n for n in os.listdir("/work") if "core" in n]
breach_if("a core file", left, left)
