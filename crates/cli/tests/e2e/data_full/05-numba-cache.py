"""A function that numba is to keep compiled: the folder of the program takes it."""
import pathlib

from numba import njit


@njit(cache=True)
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


print(fib(50), sum(fib.stats.cache_misses.values()))
print(sorted(path.suffix for path in pathlib.Path("__pycache__").glob("main.fib*")))
