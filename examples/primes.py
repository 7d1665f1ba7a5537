"""Prints the primes below a bound: python examples/primes.py 30"""

import sys


def primes(bound: int) -> list[int]:
    sieve = [True] * bound
    for n in range(2, bound):
        if sieve[n]:
            for multiple in range(n * n, bound, n):
                sieve[multiple] = False
    return [n for n in range(2, bound) if sieve[n]]


bound = int(sys.argv[1]) if len(sys.argv) > 1 else 100
print(*primes(bound))
