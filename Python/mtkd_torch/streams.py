"""Random numbers by name, the same as mtkd-sweep's own: a hash of seed, purpose, indices and place; nothing to save."""
from __future__ import annotations

import math

import numpy
import torch

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mixed(z: int) -> int:
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

    def word(self) -> int:
        self._count += 1
        return _mixed(self._name + self._count * _GOLDEN & _MASK)

    def uniform(self) -> float:
        return (self.word() >> 11) * 2.0 ** -53

    def below(self, bound: int) -> int:
        return self.word() * bound >> 64

    def normal(self) -> float:
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def shuffled(self, count: int) -> list[int]:
        order, words = list(range(count)), iter(self.words(max(0, count - 1)).tolist())
        for last in range(count - 1, 0, -1):
            other = next(words) * (last + 1) >> 64
            order[last], order[other] = order[other], order[last]
        return order

    def words(self, count: int) -> numpy.ndarray:
        """The next `count` words at once."""
        with numpy.errstate(over="ignore"):
            places = numpy.arange(self._count + 1, self._count + count + 1, dtype=numpy.uint64)
            z = numpy.uint64(self._name) + places * numpy.uint64(_GOLDEN)
            z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
            self._count += count
            return z ^ (z >> numpy.uint64(31))

    def uniforms(self, count: int) -> numpy.ndarray:
        return (self.words(count) >> numpy.uint64(11)).astype(numpy.float64) * 2.0 ** -53

    def normals(self, count: int) -> numpy.ndarray:
        pairs = self.uniforms(2 * count).reshape(count, 2)
        return numpy.sqrt(-2 * numpy.log(1 - pairs[:, 0])) * numpy.cos(2 * math.pi * pairs[:, 1])


def below(streams: list[Stream], bound: int) -> numpy.ndarray:
    """The next number of each stream, from 0 up to, not including, `bound`."""
    return numpy.array([stream.below(bound) for stream in streams])


def rows(seed: int, purpose: str, epoch: int, samples: list[int], index: int, width: int, kind: str, like):
    """`[len(samples), width]` numbers, by where a sample is and not by its place in the batch. `kind`: normals, uniforms."""
    values = [getattr(Stream(seed, purpose, epoch, sample, index), kind)(width) for sample in samples]
    return torch.from_numpy(numpy.stack(values)).to(like)
