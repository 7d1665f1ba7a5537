# More pages, each apart from the next, than a host maps apart for one process (vm.max_map_count is 65,530 there):
# all are the same page of zeros, so that they cost nothing else.
import mmap
import os

PAGES, POPULATE_READ = 150_000, 22


def read_them():
    pages = mmap.mmap(-1, PAGES * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        pages.madvise(POPULATE_READ)
    except OSError as error:
        print("refused:", error.strerror, flush=True)
    return sum(pages[at * 4096] for at in range(0, PAGES, 1000))


pid = os.fork()
if pid == 0:
    print("read", PAGES, "pages:", read_them(), flush=True)
    os._exit(0)
print("ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print("the parent goes on")
