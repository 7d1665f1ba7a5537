import ctypes
import os
from attack import attempt, syscall

PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
pids = [1, os.getppid()] if os.getppid() else [1]
for pid in pids:
    attempt(f"ptrace attach {pid}", syscall, 101, PTRACE_ATTACH, pid, 0, 0)
    attempt(f"ptrace seize {pid}", syscall, 101, PTRACE_SEIZE, pid, 0, 0)
    for name in ("mem", "environ", "maps", "auxv"):
        attempt(f"read /proc/{pid}/{name}", lambda p: open(p, "rb").read(16), f"/proc/{pid}/{name}")
    for name in ("root", "cwd", "fd"):
        attempt(f"list /proc/{pid}/{name}", os.listdir, f"/proc/{pid}/{name}")
    attempt(f"readlink /proc/{pid}/exe", os.readlink, f"/proc/{pid}/exe")
    local = ctypes.create_string_buffer(16)
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(local), 16)
    remote = (ctypes.c_uint64 * 2)(0x400000, 16)
    attempt(f"process_vm_readv {pid}", syscall, 310, pid, vector, 1, remote, 1, 0)


def take_descriptor():
    pidfd = syscall(434, 1, 0)
    return syscall(438, pidfd, 0, 0)


attempt("pidfd_getfd of PID 1", take_descriptor)
attempt("being traced by the parent", syscall, 101, 0, 0, 0, 0)
