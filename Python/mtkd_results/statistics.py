"""The statistics of a cell as `mtkd-sweep report` computes them, operation by operation: the
same numbers to the bit.

What they are is told in docs/statistics.md; `Sources/Reports/Statistics` is what they are compared with.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import math

_library = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6")


def _of_libm(name):
    """A function of the C library. Python has some of its own, whose last bits differ."""
    function = getattr(_library, name)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return function


_lgamma, _exp, _log, _log1p = (_of_libm(name) for name in ("lgamma", "exp", "log", "log1p"))
_MASK = (1 << 64) - 1


def _sum(values) -> float:
    # Newer Pythons make up for rounding in `sum`, which reports do not.
    total = 0.0
    for value in values:
        total += value
    return total


def sample(values: list[float]) -> dict | None:
    """Mean, sample standard deviation and median; None where there is no value."""
    if not values:
        return None
    largest = max(abs(value) for value in values)
    unit = largest if largest > 1e150 else 1.0
    scaled = values if unit == 1 else [value / unit for value in values]
    mean = _sum(scaled) / len(values)
    squares = _sum((value - mean) * (value - mean) for value in scaled)
    std = math.sqrt(squares / (len(values) - 1)) * unit if len(values) > 1 else None
    ordered, middle = sorted(values), len(values) // 2
    median = ordered[middle] if len(values) % 2 else ordered[middle - 1] / 2 + ordered[middle] / 2
    return {"mean": mean * unit, "std": std if std is None or math.isfinite(std) else None, "median": median}


def interval(count: int, mean: float, std: float | None) -> tuple[float, float] | None:
    """mean ± t · s / √n at 95 percent."""
    if std is None or count < 2:
        return None
    reach = quantile(count - 1.0, 1 - 0.95) * std / math.sqrt(count)
    return mean - reach, mean + reach


def quantile(freedom: float, p: float) -> float:
    def two_sided(t):
        return _beta(freedom / (freedom + t * t), freedom / 2, 0.5)

    low, high = 0.0, 1.0
    while two_sided(high) > p:
        low, high = high, 2 * high
    while True:
        middle = low + (high - low) / 2
        if middle <= low or middle >= high:
            return middle
        if two_sided(middle) > p:
            low = middle
        else:
            high = middle


def _beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by Lentz's evaluation of its continued fraction."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = _exp(a * _log(x) + b * _log1p(-x) - (_lgamma(a) + _lgamma(b) - _lgamma(a + b))) / a
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (tiny if abs(d) < tiny else d)
    fraction = d
    for step in range(1, 1001):
        m = float(step)
        for coefficient in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + coefficient * d
            d = 1 / (tiny if abs(d) < tiny else d)
            c = 1 + coefficient / c
            if abs(c) < tiny:
                c = tiny
            fraction *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return front * fraction


def bootstrap(values: list[float]) -> tuple[float, float] | None:
    """The percentile interval of the mean at 95 percent; every resample of up to eight
    values, drawn ones above."""
    if len(values) < 2:
        return None
    means = _every(values) if len(values) <= 8 else _drawn(values)
    tail = (1 - 0.95) / 2
    return _share(tail, means), _share(1 - tail, means)


def _every(values):
    n, means = len(values), []

    def share(left, index, total, divisor):
        if index == n - 1:
            mean = (total + float(left) * values[index]) / float(n)
            means.append((mean, math.factorial(n) // (divisor * math.factorial(left))))
            return
        for draws in range(left + 1):
            share(left - draws, index + 1, total + float(draws) * values[index], divisor * math.factorial(draws))

    share(n, 0, 0.0, 1)
    return sorted(means, key=lambda entry: entry[0])


def _drawn(values):
    counter, seed, means = 0, 0x6D746B64, []
    for _ in range(10_000):
        total = 0.0
        for _ in values:
            counter += 1
            z = (seed + counter * 0x9E3779B97F4A7C15) & _MASK
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
            total += values[(((z ^ (z >> 31)) >> 32) * len(values)) >> 32]
        means.append(total / float(len(values)))
    return [(mean, 1) for mean in sorted(means)]


def _share(share: float, means) -> float:
    count = sum(weight for _, weight in means)
    place = share * float(count - 1)
    below = math.floor(place)

    def at(rank):
        seen = 0
        for mean, weight in means:
            seen += weight
            if rank < seen:
                return mean
        return means[-1][0]

    low, high = at(below), at(min(below + 1, count - 1))
    return low + (place - float(below)) * (high - low)
