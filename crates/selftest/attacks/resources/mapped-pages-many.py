# The same in one process after another: what the host's kernel holds for each of them is the VM's to pay for.
import mmap
import os
import time

PAGES, POPULATE_READ = 60_000, 22

made = 0
ready, done = os.pipe()
try:
    while True:
        if os.fork() == 0:
            pages = mmap.mmap(-1, PAGES * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            pages.madvise(POPULATE_READ)
            os.write(done, b".")
            time.sleep(60)
        os.read(ready, 1)
        made += 1
        print(made, "processes of", PAGES, "pages", flush=True)
except OSError as error:
    print("refused:", error.strerror, flush=True)
time.sleep(60)
