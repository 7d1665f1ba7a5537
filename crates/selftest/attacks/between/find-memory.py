# As root, where the kernel hides nothing: every byte of the guest's RAM.
import os

marker = bytes(b ^ 0x55 for b in b"\x38\x34\x27\x3e\x30\x27\x78\x3a\x33\x78\x34\x3b\x78\x30\x34\x27\x39\x3c\x30\x27\x78\x3f\x3a\x37")
needle = marker * 8
ram = []
for line in open("/proc/iomem"):
    if "System RAM" in line:
        first, last = line.split(" : ")[0].strip().split("-")
        ram.append((int(first, 16), int(last, 16) + 1))
# The control: unless this is found, the search itself is blind.
control = bytearray(os.urandom(64)) * 64
read = found = controls = 0
with open("/proc/kcore", "rb", buffering=0) as core:
    header = core.read(64)
    count = int.from_bytes(header[56:58], "little")
    segments = core.read(56 * count)
    for n in range(count):
        segment = segments[56 * n : 56 * n + 56]
        offset, virtual, physical, size = (int.from_bytes(segment[i : i + 8], "little") for i in (8, 16, 24, 32))
        if not any(first <= physical < last for first, last in ram) or size > (8 << 30):
            continue
        done = 0
        while done < size:
            core.seek(offset + done)
            chunk = core.read(min(4 << 20, size - done))
            if not chunk:
                break
            read += len(chunk)
            found += chunk.count(needle)
            controls += chunk.count(control[:128])
            done += len(chunk)
print("read", read >> 20, "MiB, control seen", controls, "times")
# Once for the needle itself.
print(f"BREACH: {found} times the marker" if found > 8 else "no marker", found)
if not controls:
    print("BREACH: the search saw nothing, not even its own control")
