"""Arithmetic far beyond a machine word."""
from fractions import Fraction
from math import comb, gcd, isqrt


def fibonacci(n: int) -> int:
    """Fast doubling: F(2k) and F(2k+1) from F(k) and F(k+1)."""
    def pair(k):
        if k == 0:
            return 0, 1
        a, b = pair(k // 2)
        c, d = a * (2 * b - a), a * a + b * b
        return (d, c + d) if k % 2 else (c, d)
    return pair(n)[0]


def is_prime(n: int) -> bool:
    """Miller-Rabin with bases that decide every n below 3.3e24."""
    small = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if n < 2 or any(n % p == 0 for p in small):
        return n in small
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in small:
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def rho(n: int) -> int:
    x = y = 2
    divisor = 1
    while divisor == 1:
        x = (x * x + 1) % n
        y = (y * y + 1) % n
        y = (y * y + 1) % n
        divisor = gcd(abs(x - y), n)
    return divisor


f1000 = fibonacci(1000)
print("F(1000) =", f1000)
print("digits:", len(str(f1000)), "digit sum:", sum(map(int, str(f1000))))
print("2^127-1 prime:", all((2**127 - 1) % p for p in range(3, 2000, 2)), "2^61-1 prime:", is_prime(2**61 - 1))
print("next prime after 10^18:", next(n for n in range(10**18, 10**18 + 1000) if is_prime(n)))
factor = rho(1000003 * 1000033)
print("factors:", sorted((factor, 1000003 * 1000033 // factor)))
print("C(200,100) mod 10^9+7 =", comb(200, 100) % (10**9 + 7))
print("isqrt(2*10^60) =", isqrt(2 * 10**60))
print("H(30) =", sum(Fraction(1, k) for k in range(1, 31)))
print(hex(3**100), (3**100).bit_length())
