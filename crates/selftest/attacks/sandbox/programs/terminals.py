"""Opens terminals until there are no more, in as many processes as it takes, and keeps them."""
import errno
import os
import time

while True:
    try:
        os.close(os.openpty()[1])
    except OSError as error:
        print(f"no more: {error}", flush=True)
        # The next process has descriptors of its own; those of its parent stay open there.
        if error.errno != errno.EMFILE or os.fork():
            time.sleep(1000)
        os.closerange(3, 1024)
