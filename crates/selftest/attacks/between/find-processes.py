import os
from attack import breach_if

others = []
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (1, os.getpid(), os.getppid()):
        try:
            others.append((name, open(f"/proc/{name}/comm").read().strip()))
        except OSError:
            pass
breach_if("other processes in sight", others, others)
print("looked")
