import os
from attack import attempt, can_write

for folder in ("/", "/usr", "/usr/bin", "/usr/lib", "/etc", "/bin", "/sbin", "/lib", "/var", "/root", "/dev", "/proc", "/sys", "/run", "/newroot"):
    attempt(f"create in {folder}", os.open, f"{folder}/owned", os.O_CREAT | os.O_WRONLY)
for path in ("/usr/bin/python3", "/bin/sh", "/etc/passwd", "/etc/ld.so.cache", "/init", "/proc/self/exe", "/proc/1/exe"):
    attempt(f"write {path}", can_write, path)
attempt("replace /etc/passwd", os.rename, "main.py", "/etc/passwd")
attempt("remove /etc/passwd", os.unlink, "/etc/passwd")
attempt("chmod /etc/passwd", os.chmod, "/etc/passwd", 0o666)
attempt("chown /work/main.py to root", os.chown, "main.py", 0, 0)
attempt("trusted attribute", os.setxattr, "main.py", "trusted.x", b"1")
attempt("file capability", os.setxattr, "main.py", "security.capability", b"\1\0\0\2\377\377\377\377" + b"\0" * 12)
