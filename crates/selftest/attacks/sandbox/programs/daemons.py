"""Becomes a few daemons, each of which starts two more when it is a second old and ends, and none of which hears signals."""
import os
import signal
import time


def become_daemon():
    """In the child of a child, which has another session and no parent here."""
    if os.fork():
        return False
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    return True


def live(generation):
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    # As many as the limit of processes lets there be.
    while True:
        time.sleep(1 if generation else 0.2)
        try:
            if generation < 3 and become_daemon():
                generation += 1
        except OSError:
            time.sleep(1)


for _ in range(4):
    if become_daemon():
        live(0)
