import os

for n in range(100_000):
    os.write(1 + n % 2, b"x")
