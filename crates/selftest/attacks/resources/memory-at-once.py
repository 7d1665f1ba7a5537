held = []
while True:
    held.append(b"\x5a" * (64 << 20))
