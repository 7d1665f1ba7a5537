# Writes to everything that the kernel lets root write to, except what only ends the guest.
import os
import random
import signal

signal.alarm(2)
paths = []
for top in ("/sys/devices", "/sys/bus", "/sys/module", "/sys/kernel/debug", "/proc/sys/vm", "/proc/sys/net"):
    for folder, _, names in os.walk(top):
        paths += [os.path.join(folder, name) for name in names]
random.Random(1).shuffle(paths)
written = 0
for path in paths:
    for junk in (b"0", b"1", b"-1", b"A" * 4096):
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, junk)
            written += 1
        except OSError:
            pass
        else:
            os.close(fd)
    print(written, path, flush=True)
