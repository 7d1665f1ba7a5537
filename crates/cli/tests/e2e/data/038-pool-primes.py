"""Count primes in ranges with a pool of two processes, and pass errors back."""
import multiprocessing as mp

import numpy as np


def count_primes(bounds):
    lo, hi = bounds
    small = np.ones(int(hi**0.5) + 2, dtype=bool)
    small[:2] = False
    for p in range(2, int(small.size**0.5) + 1):
        if small[p]:
            small[p * p :: p] = False
    block = np.ones(hi - lo, dtype=bool)
    block[: max(0, 2 - lo)] = False
    for p in np.flatnonzero(small):
        block[max(p * p, -(-lo // p) * p) - lo :: p] = False
    found = np.flatnonzero(block) + lo
    return lo, int(found.size), int(found[-1]), int((np.diff(found) == 2).sum())


def check(x):
    if x == 3:
        raise ValueError(f"cannot work on {x}")
    return x * x


if __name__ == "__main__":
    ranges = [(k * 250_000, (k + 1) * 250_000) for k in range(6)]
    with mp.get_context("fork").Pool(2) as pool:
        rows = pool.map(count_primes, ranges, chunksize=1)
        for lo, n, last, twins in rows:
            print(f"from {lo:>8}: {n} primes, last {last}, {twins} twins")
        print("total:", sum(r[1] for r in rows))
        print("unordered:", sorted(pool.imap_unordered(check, [1, 2, 4, 5])))
        try:
            pool.map(check, range(5))
        except ValueError as exc:
            print("error from the worker:", exc)
