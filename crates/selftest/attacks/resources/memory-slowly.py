import time

held = []
while True:
    held.append(bytearray(b"\x5a" * (16 << 20)))
    time.sleep(0.005)
