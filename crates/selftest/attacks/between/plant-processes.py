import os
import signal
import time

for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        if os.fork() == 0:
            while True:
                time.sleep(1)
        os._exit(0)
print("planted")
