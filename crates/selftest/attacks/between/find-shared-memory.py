import ctypes
import os
from attack import breach_if

libc = ctypes.CDLL(None, use_errno=True)
for name, get in [("shm", lambda: libc.shmget(0x4C4C4D, 0, 0)), ("sem", lambda: libc.semget(0x4C4C4D, 0, 0)), ("queue", lambda: libc.msgget(0x4C4C4D, 0))]:
    breach_if(f"a {name} of another job", get() != -1)
for kind in ("shm", "sem", "msg"):
    try:
        rows = open(f"/proc/sysvipc/{kind}").read().splitlines()[1:]
    except OSError:
        continue
    breach_if(f"/proc/sysvipc/{kind}", rows, rows)
breach_if("/dev/shm is not empty", os.listdir("/dev/shm"), os.listdir("/dev/shm"))
