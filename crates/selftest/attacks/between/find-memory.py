# As root, where the kernel hides nothing: every byte of the guest's RAM, or as much as root can reach.
import mmap
import os

marker = bytes(b ^ 0x55 for b in b"\x38\x34\x27\x3e\x30\x27\x78\x3a\x33\x78\x34\x3b\x78\x30\x34\x27\x39\x3c\x30\x27\x78\x3f\x3a\x37")
needle = marker * 8
# The control: unless this is found, the search itself is blind.
control = bytearray(os.urandom(64)) * 64
read = found = controls = dirty = 0
CHUNK = 4 << 20


def search(file, start, size):
    global read, found, controls
    done = 0
    while done < size:
        file.seek(start + done)
        chunk = file.read(min(CHUNK, size - done))
        if not chunk:
            break
        read += len(chunk)
        found += chunk.count(needle)
        controls += chunk.count(control[:128])
        done += len(chunk)


def all_of_it():
    ram = []
    for line in open("/proc/iomem"):
        if "System RAM" in line:
            first, last = line.split(" : ")[0].strip().split("-")
            ram.append((int(first, 16), int(last, 16) + 1))
    with open("/proc/kcore", "rb", buffering=0) as core:
        header = core.read(64)
        count = int.from_bytes(header[56:58], "little")
        segments = core.read(56 * count)
        for n in range(count):
            segment = segments[56 * n : 56 * n + 56]
            offset, virtual, physical, size = (int.from_bytes(segment[i : i + 8], "little") for i in (8, 16, 24, 32))
            if any(first <= physical < last for first, last in ram) and size <= (8 << 30):
                search(core, offset, size)


def processes():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            maps = open(f"/proc/{pid}/maps").read().splitlines()
            memory = open(f"/proc/{pid}/mem", "rb", buffering=0)
        except OSError:
            continue
        for line in maps:
            first, _, last = line.split()[0].partition("-")
            try:
                search(memory, int(first, 16), int(last, 16) - int(first, 16))
            except (OSError, ValueError, OverflowError):
                pass


def free_memory():
    # What this kernel hands out must be zeros, whoever had it before.
    global read, found, dirty
    held = []
    while int(open("/proc/meminfo").read().split("MemAvailable:")[1].split()[0]) > 48 << 10:
        piece = mmap.mmap(-1, 4 * CHUNK, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000)
        held.append(piece)
        for start in range(0, len(piece), CHUNK):
            chunk = piece[start : start + CHUNK]
            read += len(chunk)
            found += chunk.count(needle)
            dirty += chunk.count(0) != len(chunk)


def disk():
    with open("/dev/ubda", "rb", buffering=0) as file:
        search(file, 0, 1 << 40)


if os.path.exists("/proc/kcore"):
    all_of_it()
else:
    # User-Mode Linux has no file of its memory.
    processes()
    free_memory()
    disk()
print("read", read >> 20, "MiB, control seen", controls, "times")
# Once for the needle itself.
print(f"BREACH: {found} times the marker" if found > 8 else "no marker", found)
if dirty:
    print("BREACH: memory that was not cleared:", dirty, "pieces")
if not controls:
    print("BREACH: the search saw nothing, not even its own control")
