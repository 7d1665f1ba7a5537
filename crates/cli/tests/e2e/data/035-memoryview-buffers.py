"""Zero-copy work with buffers: memoryview, struct, array, numpy and shared memory."""
import array
import struct
import zlib
from multiprocessing import shared_memory

import numpy as np

header = struct.Struct("<4sHHI")
samples = array.array("h", (int(1000 * ((i % 50) - 25) / 25) for i in range(200)))
packet = bytearray(header.pack(b"WAVX", 1, 2, len(samples)) + samples.tobytes())
print("packet:", len(packet), "bytes, crc", f"{zlib.crc32(packet):08x}")

view = memoryview(packet)
magic, version, channels, count = header.unpack_from(view)
body = view[header.size :].cast("h")
print(bytes(magic), version, channels, count, "| item size", body.itemsize, "shape", body.shape)

wave = np.frombuffer(body, dtype="<i2").reshape(-1, channels)
print("channel means:", wave.mean(axis=0).round(3).tolist(), "owns data:", wave.flags.owndata)
body[0] = 12345
print("seen through numpy:", int(wave[0, 0]), "strides:", wave.strides, "transposed:", wave.T.strides)
swapped = wave.byteswap().view(">i2")
print("byte swapped equal:", bool((swapped == wave).all()), "first bytes:", swapped.tobytes()[:4].hex())

shm = shared_memory.SharedMemory(create=True, size=8 * 1000)
block = np.ndarray((1000,), dtype=np.float64, buffer=shm.buf)
block[:] = np.arange(1000) / 4
other = shared_memory.SharedMemory(name=shm.name)
again = np.ndarray((1000,), dtype=np.float64, buffer=other.buf)
again[::2] = 0
print("shared sum:", float(block.sum()))
del block, again
other.close()
shm.close()
shm.unlink()
try:
    memoryview(b"const")[0] = 1
except TypeError as exc:
    print("read only:", exc)
