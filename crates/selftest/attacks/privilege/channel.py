# The agent's own voice: its descriptors, its port, its line, its vsock.
import os
import socket
import struct
from attack import attempt, breach_if

frame = b'{"type":"failed","reason":"x"}'
frame = struct.pack(">IBI", len(frame), 0, 0) + frame
held = []
for fd in range(3, 1024):
    try:
        os.fstat(fd)
    except OSError:
        continue
    held.append(fd)
    try:
        os.write(fd, frame)
    except OSError:
        pass
links = [os.readlink(f"/proc/self/fd/{fd}") for fd in held if os.path.exists(f"/proc/self/fd/{fd}")]
breach_if("descriptors besides 0, 1 and 2", held, links)
for name in ("vport0p1", "vport1p1", "vport2p1", "virtio-ports/llm-firecracker.agent", "ttyS0", "ttyS1", "tty0", "console"):
    attempt(f"open /dev/{name}", os.open, f"/dev/{name}", os.O_RDWR | os.O_NONBLOCK)


def dial(cid, port):
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        s.connect((cid, port))
        s.send(frame)


for cid, who in [(1, "local"), (2, "host"), (3, "guest")]:
    attempt(f"vsock to the agent's port by way of {who}", dial, cid, 5000)
os.write(1, frame)
os.write(2, frame)
