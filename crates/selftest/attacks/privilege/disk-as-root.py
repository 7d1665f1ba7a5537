# The image belongs to all jobs of the language: nothing may reach it.
import ctypes
import fcntl
import os
from attack import attempt

disk = "/dev/vda"
attempt("open for writing", lambda: os.write(os.open(disk, os.O_RDWR), b"owned" * 1000))
fd = os.open(disk, os.O_RDONLY)
attempt("set writable (BLKROSET)", lambda: fcntl.ioctl(fd, 0x125D, ctypes.c_int(0)))
attempt("write after that", lambda: (lambda f: (os.write(f, b"owned" * 1000), os.fsync(f)))(os.open(disk, os.O_RDWR)))
attempt("discard", lambda: fcntl.ioctl(os.open(disk, os.O_RDWR), 0x1277, (ctypes.c_uint64 * 2)(0, 1 << 20)))
print("read", len(os.read(fd, 1 << 16)), flush=True)
