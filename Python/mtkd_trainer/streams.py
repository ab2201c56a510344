"""Random numbers by name, the same as mtkd-sweep's own: a hash of seed, purpose, indices and place; nothing to save.

For loops that show images as mtkd-sweep's own trainer does. Needs numpy.
"""
from __future__ import annotations

import math

import numpy

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mixed(z):
    """Of a number, or of an array of them."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


class Stream:
    """The numbers of one purpose: `Stream(seed, "shuffle", epoch)`."""

    def __init__(self, seed: int, purpose: str, *indices: int):
        name = _mixed(seed + _GOLDEN & _MASK)
        for byte in purpose.encode():
            name = _mixed(name ^ byte)
        name = _mixed(name ^ 0x10000)
        for index in indices:
            name = _mixed(name ^ (index & _MASK))
        self._name, self._count = name, 0

    def words(self, count: int) -> numpy.ndarray:
        """The next `count` words of 64 bits."""
        places = numpy.arange(self._count + 1, self._count + count + 1, dtype=numpy.uint64)
        self._count += count
        return _mixed(self._name + places * _GOLDEN)

    def below(self, *bounds: int) -> list[int]:
        """A number for each bound, from 0 up to, not including, it."""
        return [word * bound >> 64 for word, bound in zip(self.words(len(bounds)).tolist(), bounds)]

    def uniforms(self, count: int) -> numpy.ndarray:
        return (self.words(count) >> 11).astype(numpy.float64) * 2.0 ** -53

    def normals(self, count: int) -> numpy.ndarray:
        pairs = self.uniforms(2 * count).reshape(count, 2)
        return numpy.sqrt(-2 * numpy.log(1 - pairs[:, 0])) * numpy.cos(2 * math.pi * pairs[:, 1])

    def shuffled(self, count: int) -> list[int]:
        order = list(range(count))
        for last, other in zip(range(count - 1, 0, -1), self.below(*range(count, 1, -1))):
            order[last], order[other] = order[other], order[last]
        return order
