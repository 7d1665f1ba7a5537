# Junk into the registers of every device that /dev/mem shows, the virtio ones included.
import mmap
import os
import random
import signal

signal.alarm(2)
node = "/dev/mem"
if not os.path.exists(node):
    # Made by hand, it shows whether the kernel has the driver.
    node = "/tmp/mem"
    os.mknod(node, 0o020600, os.makedev(1, 1))
print("writing to every device", flush=True)
try:
    memory = os.open(node, os.O_RDWR | os.O_SYNC)
except OSError as error:
    print("no memory device:", error.strerror)
    raise SystemExit
junk = random.Random(7)
regions = []
for line in open("/proc/iomem"):
    span, _, name = line.strip().partition(" : ")
    first, _, last = span.partition("-")
    if "RAM" not in name and int(first, 16) >= 0xA0000:
        regions.append((int(first, 16) & ~4095, name))
for base, name in regions:
    try:
        page = mmap.mmap(memory, 4096, offset=base)
    except (OSError, ValueError) as error:
        print("closed", name, error, flush=True)
        continue
    print("open", name, flush=True)
    for _ in range(200):
        try:
            page[junk.randrange(0, 4096)] = junk.randrange(256)
        except (OSError, ValueError):
            break
print("done", flush=True)
