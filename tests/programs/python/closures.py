"""Closures, decorators, generators, data classes, pattern matching, context managers."""
from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, reduce, singledispatch, wraps
from itertools import accumulate, chain, groupby, islice, takewhile
from typing import Callable, Iterator


def counted(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)
    wrapper.calls = 0
    return wrapper


@lru_cache(maxsize=None)
@counted
def ways(amount: int, coins: tuple[int, ...]) -> int:
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    return ways(amount - coins[0], coins) + ways(amount, coins[1:])


def primes() -> Iterator[int]:
    """A sieve without an end: each composite knows the primes that meet there."""
    composites: dict[int, list[int]] = {}
    n = 2
    while True:
        met = composites.pop(n, None)
        if met is None:
            yield n
            met, start = [n], n * n - n
        else:
            start = n
        for p in met:
            composites.setdefault(start + p, []).append(p)
        n += 1


@dataclass(frozen=True, order=True)
class Version:
    parts: tuple[int, ...]
    label: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Version:
        number, _, label = text.partition("-")
        return cls(tuple(map(int, number.split("."))), label)


def evaluate(tree) -> float:
    match tree:
        case int() | float():
            return tree
        case ("+", *terms):
            return sum(map(evaluate, terms))
        case ("*", left, right):
            return evaluate(left) * evaluate(right)
        case {"negate": inner}:
            return -evaluate(inner)
        case _:
            raise ValueError(f"cannot evaluate {tree!r}")


@singledispatch
def describe(value) -> str:
    return f"something: {value}"


@describe.register
def _(value: list):
    return f"list of {len(value)}"


@contextmanager
def tag(name: str):
    print(f"<{name}>", end="")
    yield
    print(f"</{name}>", end="")


compose: Callable = lambda *functions: reduce(lambda f, g: lambda x: g(f(x)), functions)
print(ways(100, (50, 25, 10, 5, 1)), ways.__wrapped__.calls > 100)
print(list(islice(primes(), 12)), sum(takewhile(lambda p: p < 200, primes())))
print(sorted(map(Version.parse, ["1.10.0", "1.9.3-beta", "1.9"]))[-1], max(map(Version.parse, ["2", "2.0.1-x"])).label)
print(evaluate(("+", 1, ("*", 2, {"negate": 3.5}), 4)))
print(describe([1, 2]), "|", describe("x"))
print([f(10) for f in [(lambda n: lambda x: x + n)(n) for n in range(3)]], compose(str, len)(12345))
print({key: list(group) for key, group in groupby("aabbbc")}, list(accumulate(chain([1], range(2, 6)), lambda a, b: a * b)))
with ExitStack() as stack:
    for name in "abc":
        stack.enter_context(tag(name))
    print("text", end="")
print()
