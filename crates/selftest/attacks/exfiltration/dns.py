import socket
import time

begun = time.monotonic()
for name in ("example.com", "metadata.google.internal", "localhost.localdomain.example"):
    try:
        print("BREACH: resolved", name, socket.getaddrinfo(name, 80))
    except OSError as error:
        print("refused", name, error)
took = time.monotonic() - begun
print("BREACH: it hung" if took > 3 else "at once")
