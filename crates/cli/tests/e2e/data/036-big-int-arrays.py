"""Large integer arrays (about 180 MB): modular arithmetic, counting, in-place steps and overflow."""
import numpy as np

n = 10_000_000
a = np.arange(n, dtype=np.int64)
print("MB:", a.nbytes // 1_000_000, "sum:", int(a.sum()), "expected:", n * (n - 1) // 2)

a *= 2_654_435_761
a &= 0xFFFF_FFFF
a >>= 12
print("hash range:", int(a.min()), int(a.max()), "of", 2**20)
counts = np.bincount(a, minlength=2**20)
print("buckets:", counts.size, "least:", int(counts.min()), "most:", int(counts.max()), "empty:", int((counts == 0).sum()))
small = a.astype(np.int32)
print("as int32 MB:", small.nbytes // 1_000_000, "xor:", int(np.bitwise_xor.reduce(small)))

part = np.partition(small[:1_000_000], [10, 500_000, 999_989])
print("order statistics:", part[[10, 500_000, 999_989]].tolist())
del a
even = np.count_nonzero(small % 2 == 0)
print("even:", int(even), "distinct in the first 100k:", int(np.unique(small[:100_000]).size))

tiny = np.array([250, 251, 252], dtype=np.uint8)
print("uint8 wraps:", (tiny + np.uint8(10)).tolist(), "| widened:", (tiny.astype(np.uint16) + 10).tolist())
big = np.array([2**70, 3**50, -1], dtype=object)
print("exact big ints:", (big * big)[:2].tolist(), int(big.sum()))
packed = np.packbits(small[:64] & 1)
print("packed bits:", packed.tolist())
