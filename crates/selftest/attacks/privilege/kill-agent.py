import os
import signal
from attack import attempt

for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGTERM):
    attempt(f"{number.name} to PID 1", os.kill, 1, number)
    attempt(f"{number.name} to the parent", os.kill, os.getppid() or 1, number)
attempt("SIGKILL to everyone else", os.kill, -1, signal.SIGKILL)
print("still here")
