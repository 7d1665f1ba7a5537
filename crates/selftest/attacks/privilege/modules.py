import ctypes
import os
from attack import attempt, syscall

image = open("/usr/bin/python3", "rb").read(4096)
attempt("init_module", syscall, 175, ctypes.c_char_p(image), len(image), ctypes.c_char_p(b""))
fd = os.open("/work/main.py", os.O_RDONLY)
attempt("finit_module", syscall, 313, fd, ctypes.c_char_p(b""), 0)
attempt("delete_module", syscall, 176, ctypes.c_char_p(b"virtio_blk"), 0)
attempt("kexec_load", syscall, 246, 0, 0, 0, 0)
attempt("kexec_file_load", syscall, 320, fd, -1, 0, ctypes.c_char_p(b""), 4)
attempt("a socket family whose module is not loaded", __import__("socket").socket, 21, 5, 0)
