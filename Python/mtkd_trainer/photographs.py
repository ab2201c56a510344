"""Photographs that mtkd-sweep hands to trainers: an index of files, which are decoded when they are shown (docs/trainers.md)."""
from __future__ import annotations

import array
import hashlib
import mmap
import struct
import sys

from .errors import DataError

MAGIC = b"mtkdphot1"
#: A file's label, its SHA-256 and the length of its path, which follows.
_ENTRY = struct.Struct("<Q32sQ")
_NUMBER = struct.Struct("<Q")


class PhotographSplit:
    """One of the three sets: `labels`, and photographs that are read when they are asked for.

    Works as a data set of torch: `split[i]` is a float tensor `[3, side, side]`, as it is measured, and a label.
    """

    def __init__(self, owner: "PhotographDataset", labels: tuple, places: array.array):
        self.owner, self.labels, self._places = owner, labels, places

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, index: int) -> str:
        return f"{self.owner.root}/{self._entry(index)[1]}"

    def bytes(self, index: int) -> bytes:
        """The file of one photograph, which is the one that the sweep was planned with."""
        digest, _ = self._entry(index)
        try:
            with open(self.path(index), "rb") as file:
                data = file.read()
        except OSError as error:
            raise self._changed(index, f"was read when it was indexed and cannot be any more ({error.strerror})") from error
        if hashlib.sha256(data).digest() != digest:
            raise self._changed(index, "holds other bytes than when it was indexed")
        return data

    def pixels(self, index: int):
        """One photograph as it is: bytes `[height, width, 3]`, an array of numpy."""
        views, data = _views(), self.bytes(index)
        try:
            return views.decoded(data)
        except MemoryError:
            raise
        except Exception as error:
            raise self._changed(index, f"decoded when it was indexed, and Pillow refuses it ({error})") from error

    def view(self, index: int, stream=None, jitter: float = 0.0):
        """One photograph as a network is shown it: bytes `[3, side, side]`, an array of numpy.

        - stream: a `mtkd_trainer.streams.Stream` that draws the part that is shown; None for how photographs are measured.
        - jitter: how strongly colours change, 0 for not at all.
        """
        pixels, owner = self.pixels(index), self.owner
        if stream is None:
            return _views().measured(pixels, owner.height, owner.shorter_side, owner.is_bicubic)
        return _views().drawn(pixels, owner.height, stream, jitter)

    def __getitem__(self, index: int):
        import torch
        image = torch.from_numpy(self.view(index)).float() / 255
        mean, std = (torch.tensor(numbers).reshape(-1, 1, 1) for numbers in (self.owner.mean, self.owner.std))
        return (image - mean) / std, self.labels[index]

    def _entry(self, index: int) -> tuple[bytes, str]:
        """Digest and path."""
        place = self._places[index]
        _, digest, length = _ENTRY.unpack_from(self.owner._data, place)
        return digest, str(self.owner._data[place + _ENTRY.size:][:length], "utf-8")

    def _changed(self, index: int, what: str) -> DataError:
        return DataError(
            f"{self.path(index)} {what}. Put the old file back and type `mtkd-sweep retry`; or run the grid again as it is: "
            "with other photographs it is other runs.")


class PhotographDataset:
    """A data set of photographs as mtkd-sweep hands it out: `train`, `test` and `validation`, shown as squares.

    `shorter_side` is what a photograph's shorter side is resampled to before its middle is measured.
    """

    def __init__(self, path: str):
        self.path = path
        with open(path, "rb") as file:
            try:
                self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            except ValueError as error:
                raise _refused(path, 0, "something", "nothing") from error
        if bytes(self._data[:len(MAGIC)]) != MAGIC:
            raise _refused(path, 0, "mtkdphot1", repr(bytes(self._data[:len(MAGIC)])))
        reader = _Reader(path, self._data, len(MAGIC))
        self.channels = 3
        self.height = self.width = reader.number("pixels a side", 1, 65536)
        self.classes = reader.number("classes", 1, 65536)
        counts = [
            reader.number(f"{name} images", 0, len(self._data) // _ENTRY.size)
            for name in ("training", "test", "validation")]
        # ImageNet's, as for all photographs.
        self.mean, self.std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        self.root = reader.text(reader.number("bytes of text", 0, len(self._data)))
        self.train, self.test, self.validation = [
            PhotographSplit(self, *reader.entries(count, self.classes)) for count in counts]
        self.shorter_side, self.is_bicubic = self.height * 256 // 224, False
        if reader.at < len(self._data):
            self.shorter_side = reader.number("pixels of the shorter side", self.height, 655_360)
            self.is_bicubic = reader.number("as the way of resampling", 0, 1) == 1
        if reader.at != len(self._data):
            raise _refused(path, reader.at, "the end of the file", f"{len(self._data) - reader.at} more bytes")


class _Reader:
    """Reads forwards, never past the end."""

    def __init__(self, path: str, data: memoryview, at: int):
        self.path, self.data, self.at = path, data, at

    def number(self, what: str, least: int, most: int) -> int:
        self._need(_NUMBER.size)
        (number,) = _NUMBER.unpack_from(self.data, self.at)
        if not least <= number <= most:
            raise _refused(self.path, self.at, f"{least} to {most} {what}", f"{number}")
        self.at += _NUMBER.size
        return number

    def text(self, size: int) -> str:
        self._need(size)
        try:
            text = str(self.data[self.at:self.at + size], "utf-8")
        except UnicodeDecodeError as error:
            raise _refused(self.path, self.at, "a text in UTF-8", "other bytes") from error
        if "\0" in text:
            raise _refused(self.path, self.at, "the path of a file", "a path with a byte of 0")
        self.at += size
        return text

    def entries(self, count: int, classes: int) -> tuple[tuple, array.array]:
        """Labels, and where each entry begins: what it says is read when it is needed."""
        labels, places = [], array.array("Q")
        for _ in range(count):
            self._need(_ENTRY.size)
            label, _, length = _ENTRY.unpack_from(self.data, self.at)
            if label >= classes:
                raise _refused(self.path, self.at, f"a label from 0 to {classes - 1}", f"{label}")
            labels.append(label)
            places.append(self.at)
            self.at += _ENTRY.size
            self.text(length)
        return tuple(labels), places

    def _need(self, size: int) -> None:
        if size > len(self.data) - self.at:
            raise _refused(self.path, self.at, f"{size} bytes", f"{len(self.data) - self.at} up to the end of the file")


def _refused(path: str, at: int, expected: str, found: str) -> DataError:
    return DataError(
        f"{path} is not an index of photographs of mtkd-sweep: at byte {at} there should be {expected}, but there is {found}. "
        "`mtkd-sweep fsck` says what of the store is damaged.")


def _views():
    """What decodes and resamples: by Pillow and numpy, which the rest of this package does without."""
    try:
        from . import views
    except ImportError as error:
        name = {"PIL": "Pillow"}.get((error.name or "").split(".")[0], error.name)
        raise ImportError(
            f"The data set is photographs, and {sys.executable} has no {name} to decode them with. Type "
            f"`{sys.executable} -m pip install Pillow numpy`, then run the sweep again.", name=error.name) from None
    return views
