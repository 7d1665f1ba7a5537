import os

# Python ignores SIGXFSZ; a plain program would die of it.
file = os.open("/tmp/huge", os.O_CREAT | os.O_WRONLY)
for what, act in [
    ("a sparse file of 1 TiB", lambda: os.ftruncate(file, 1 << 40)),
    ("a byte at 1 TiB", lambda: os.pwrite(file, b"x", 1 << 40)),
]:
    try:
        act()
        print("BREACH:", what)
    except OSError as error:
        print("refused", what, error.strerror)
