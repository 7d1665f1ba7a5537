# The agent's own line to the host, in the hands of root: what comes is read away, junk is written between the
# agent's frames, and the line is stopped, hung up and given other manners.
import fcntl
import glob
import os
import struct
import termios
import time
from attack import attempt, kernel_word

TCXONC, TIOCSTI, TIOCSETD, TIOCVHANGUP = 0x540A, 0x5412, 0x5423, 0x5437
line = kernel_word("agent.channel", "") or next(iter(glob.glob("/dev/vport*")), "/dev/vsock")
part = "@VALUE@"
print(part, line, flush=True)
# The words above are to be on their way first.
time.sleep(0.2)
fd = os.open(line, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
if part == "read":
    end = time.monotonic() + 1
    while time.monotonic() < end:
        attempt("read the host's words", os.read, fd, 4096)
        time.sleep(0.05)
elif part == "write":
    frame = b'{"type":"finished","trace_id":"x","exit_code":0}'
    for words in (struct.pack(">I", len(frame)) + frame, b"\xff" * 4096, b"\0" * 100_000):
        attempt("write to the host", os.write, fd, words)
elif part == "push":
    for byte in b"\0\0\0\2{}":
        attempt("push a byte into the agent's ear", fcntl.ioctl, fd, TIOCSTI, bytes([byte]))
elif part == "stop":
    attempt("stop the line", fcntl.ioctl, fd, TCXONC, termios.TCOOFF)
elif part == "hang up":
    attempt("hang the line up", fcntl.ioctl, fd, TIOCVHANGUP)
elif part == "manners":
    for number in range(32):
        attempt(f"line discipline {number}", fcntl.ioctl, fd, TIOCSETD, struct.pack("i", number))
    attempt("echo and signals", lambda: termios.tcsetattr(fd, termios.TCSANOW, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0, 0, [b"\1"] * 32]))
print("x" * 100_000, flush=True)
print("the line still carries words", flush=True)
