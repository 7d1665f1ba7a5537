"""Loops compiled by numba: a number, an array function, threads."""
import numpy as np
from numba import njit, prange, vectorize


@njit
def collatz(limit):
    best, longest = 0, 0
    for start in range(1, limit):
        n, steps = start, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        if steps > longest:
            best, longest = start, steps
    return best, longest


@vectorize(["float64(float64, float64)"])
def clipped(x, y):
    return min(x, y) if x > 0 else 0.0


@njit(parallel=True)
def squares(n):
    total = 0
    for i in prange(n):
        total += i * i
    return total


print(collatz(300_000))
print(clipped(np.array([-1.0, 2.0, 9.0]), 5.0))
print(squares(10_000), collatz.signatures)
