# Kernel memory instead of the program's own: full pipes and sockets.
import os
import socket

held = 0
try:
    while True:
        ends = os.pipe() if held % 2 else [end.detach() for end in socket.socketpair()]
        os.set_blocking(ends[1], False)
        try:
            while True:
                os.write(ends[1], b"x" * 65536)
        except BlockingIOError:
            held += 1
except OSError as error:
    print(f"refused after {held}:", error)
