"""Sends a signal to every process but its own, again and again."""
import os
import signal
import sys

number = getattr(signal, "SIG" + sys.argv[1])
own = os.getpid()
while True:
    try:
        os.kill(-1, number)
    except OSError:
        pass
