import ctypes
import os
from attack import attempt, syscall

KINDS = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}
for name, flag in KINDS.items():
    attempt(f"unshare {name}", syscall, 272, flag)


def clone(flag):
    pid = syscall(56, flag | 17, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


attempt("clone into a user namespace", clone, KINDS["user"])
attempt("clone into user and net namespaces", clone, KINDS["user"] | KINDS["net"])


def clone3():
    args = (ctypes.c_uint64 * 8)(KINDS["user"], 0, 0, 0, 17, 0, 0, 0)
    pid = syscall(435, args, 64)
    if pid == 0:
        os._exit(0)
    return pid


attempt("clone3 into a user namespace", clone3)


def join(path):
    fd = os.open(path, os.O_RDONLY)
    return syscall(308, fd, 0)


for name in ("user", "mnt", "pid", "net"):
    attempt(f"setns to PID 1's {name}", join, f"/proc/1/ns/{name}")
