import mmap

try:
    space = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0))
    print("got 1 TiB of address space, untouched")
except (OSError, ValueError) as error:
    print("refused 1 TiB:", error)
