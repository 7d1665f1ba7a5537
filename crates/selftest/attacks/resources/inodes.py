import os

made = 0
try:
    for made in range(1_000_000):
        os.mknod(f"/tmp/{made}")
except OSError as error:
    print(f"refused file {made}: {error.strerror}")
