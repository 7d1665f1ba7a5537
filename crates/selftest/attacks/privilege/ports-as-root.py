# Port I/O with everything an emulated machine may listen on.
import os
import signal
from attack import attempt, machine_code, syscall

signal.alarm(2)
attempt("iopl", syscall, 172, 3)
# mov edx, edi; mov eax, esi; out dx, al; ret
out = machine_code("89fa89f0eec3", 2)
SKIP = {0x64, 0xCF9, 0x604, 0xB004}  # these only reset or power off, which others try
if os.fork() == 0:
    print("writing to every port", flush=True)
    for value in (0xFF, 0x00):
        for port in range(0x10000):
            if port not in SKIP:
                out(port, value)
    os._exit(0)
print("ended with", os.waitstatus_to_exitcode(os.wait()[1]))
