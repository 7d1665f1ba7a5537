# A stopped process runs no handler and takes no signal but one.
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
