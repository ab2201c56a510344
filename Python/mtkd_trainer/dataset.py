"""The images that mtkd-sweep hands to trainers (docs/trainers.md): packed, or an index of photographs."""
from __future__ import annotations

import mmap
import struct

from .errors import TrainerError
from .photographs import MAGIC, PhotographDataset


class Split:
    """One of the three sets: `labels`, and `pixels` as bytes in the order image, channel, row, column.

    Works as a data set of torch: `split[i]` is a float tensor `[channels, height, width]`, normalised, and a label.
    """

    def __init__(self, owner: "PackedDataset", labels, pixels):
        self.owner, self.labels, self.pixels = owner, labels, pixels

    def __len__(self) -> int:
        return len(self.labels)

    def bytes(self, index: int):
        """The pixels of one image, 0 to 255."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        size = self.owner.channels * self.owner.height * self.owner.width
        return self.pixels[index % len(self) * size:][:size]

    def arrays(self):
        """The images `[count, channels, height, width]` as bytes and the labels, as arrays of numpy that share memory."""
        import numpy
        shape = (len(self), self.owner.channels, self.owner.height, self.owner.width)
        return (
            numpy.frombuffer(self.pixels, numpy.uint8).reshape(shape), numpy.asarray(self.labels, numpy.int64))

    def __getitem__(self, index: int):
        import torch
        owner = self.owner
        shape = (owner.channels, owner.height, owner.width)
        image = torch.frombuffer(bytearray(self.bytes(index)), dtype=torch.uint8).reshape(shape).float() / 255
        mean = torch.tensor(owner.mean).reshape(-1, 1, 1)
        std = torch.tensor(owner.std).reshape(-1, 1, 1)
        return (image - mean) / std, self.labels[index]


class PackedDataset:
    """A data set as mtkd-sweep packs it: `train`, `test` and `validation`, the shape of an image, its mean and std."""

    def __init__(self, path: str):
        def refuse(why):
            return TrainerError(f"{path} is not a packed data set of mtkd-sweep: {why}.")

        with open(path, "rb") as file:
            try:
                data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            except ValueError as error:
                raise refuse("it is empty") from error
        if bytes(data[:8]) != b"mtkdset1" or len(data) < 64:
            raise refuse("it does not begin with mtkdset1; read_dataset(path) reads indexes of photographs too")
        self.channels, self.height, self.width, self.classes, *counts = struct.unpack_from("<7Q", data, 8)
        pixels = self.channels * self.height * self.width
        expected = 64 + 16 * self.channels + sum(counts) * (2 + pixels)
        if len(data) != expected:
            raise refuse(f"its head asks for {expected} bytes and it has {len(data)}")
        numbers = struct.unpack_from(f"<{2 * self.channels}d", data, 64)
        self.mean, self.std = numbers[:self.channels], numbers[self.channels:]
        at, splits = 64 + 16 * self.channels, []
        for count in counts:
            labels = struct.unpack_from(f"<{count}H", data, at)
            at += 2 * count
            splits.append(Split(self, labels, data[at:at + count * pixels]))
            at += count * pixels
        self.train, self.test, self.validation = splits


def read_dataset(path: str) -> PackedDataset | PhotographDataset:
    """What mtkd-sweep hands to a trainer, whichever of the two it is."""
    with open(path, "rb") as file:
        return PhotographDataset(path) if file.read(len(MAGIC)) == MAGIC else PackedDataset(path)
