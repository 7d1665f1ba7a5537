import ctypes
import os
from attack import attempt, breach_if, syscall

buffer = ctypes.create_string_buffer(4096)
attempt("dmesg", syscall, 103, 3, buffer, 4096)


def content(path):
    got = open(path, "rb").read(4096)
    if not got:
        raise OSError(61, "empty")
    return got


for path in ("kmsg", "kcore", "kallsyms", "keys", "key-users", "modules", "iomem", "ioports", "slabinfo", "vmallocinfo",
             "timer_list", "sched_debug", "config.gz", "cmdline", "pagetypeinfo", "1/stack", "self/pagemap-host"):
    attempt(f"read /proc/{path}", content, f"/proc/{path}")
attempt("read /sys/kernel/debug", os.listdir, "/sys/kernel/debug")
attempt("read /boot", lambda: os.listdir("/boot")[0:] or (_ for _ in ()).throw(OSError(2, "empty")))
frame = b""
try:
    with open("/proc/self/pagemap", "rb") as pagemap:
        frame = pagemap.read(8)
except OSError:
    pass
number = int.from_bytes(frame, "little") & ((1 << 55) - 1)
breach_if("page frame numbers", number != 0, number)
