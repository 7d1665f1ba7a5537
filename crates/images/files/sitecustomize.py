"""What a program prints is there as soon as its line is: on its author's terminal it was, too."""

import os
import stat
import sys

try:
    if stat.S_ISFIFO(os.fstat(1).st_mode):
        sys.stdout.reconfigure(line_buffering=True)
except (AttributeError, OSError, ValueError):
    # Closed, or no text stream: there is nothing to be had sooner.
    pass
