# The image belongs to all jobs of the language: nothing may reach it.
import ctypes
import fcntl
import os
from attack import attempt, host_if, kernel_word

DISK = kernel_word("root", "/dev/vda")
JUNK = b"owned" * 1000


def write(at):
    fd = os.open(DISK, os.O_RDWR)
    os.pwrite(fd, JUNK, at)
    os.fsync(fd)


fd = os.open(DISK, os.O_RDONLY)
size = os.lseek(fd, 0, os.SEEK_END)
attempt("open for writing", write, 0)
attempt("set writable (BLKROSET)", fcntl.ioctl, fd, 0x125D, ctypes.c_int(0))
for name in ("ro", "force_ro"):
    attempt(f"{name} in sysfs", lambda: open(f"/sys/class/block/{os.path.basename(DISK)}/{name}", "w").write("0"))
# The second is where a copy-on-write file's header would be looked for.
for at in (0, 4096, size - 8192):
    attempt(f"write at {at} after that", write, at)
attempt("write behind the end", write, size)
attempt("discard", lambda: fcntl.ioctl(os.open(DISK, os.O_RDWR), 0x1277, (ctypes.c_uint64 * 2)(0, 1 << 20)))
attempt("fill with zeros", lambda: fcntl.ioctl(os.open(DISK, os.O_RDWR), 0x127F, (ctypes.c_uint64 * 2)(0, 1 << 20)))
# From the disk itself, not from this kernel's memory.
fcntl.ioctl(fd, 0x1261, 0)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
host_if("the disk changed", b"ownedowned" in os.pread(fd, 1 << 16, 0))
print("tried to write", DISK, flush=True)
