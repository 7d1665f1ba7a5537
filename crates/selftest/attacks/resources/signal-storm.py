# Processes that stop, go on and trap at each other's word, faster than they run.
import os
import random
import signal
import time

CHILDREN, SECONDS = 8, 1.5
children = []
for _ in range(CHILDREN):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTRAP, lambda *_: None)
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        while True:
            os.kill(os.getppid(), signal.SIGCHLD)
    children.append(pid)
chance = random.Random(5)
sent = 0
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    number = chance.choice((signal.SIGSTOP, signal.SIGCONT, signal.SIGCONT, signal.SIGTRAP, signal.SIGALRM, signal.SIGWINCH))
    os.kill(chance.choice(children), number)
    sent += 1
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print("sent", sent, "signals, ended all")
