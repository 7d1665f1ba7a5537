import os
import signal
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                os.write(1, b"the daemon writes on\n")
            except OSError:
                pass
            time.sleep(0.01)
    os._exit(0)
time.sleep(0.2)
print("the parent left", flush=True)
