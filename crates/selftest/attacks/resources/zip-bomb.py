import io
import zlib

packed = zlib.compress(b"\0" * (64 << 20), 9)
out = io.BytesIO()
while True:
    out.write(zlib.decompress(packed))
