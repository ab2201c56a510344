"""Checkpoints of a run: each a file that is whole or not there, and says so by its digest."""
from __future__ import annotations

import hashlib
import os
import re
import struct

from . import encoding
from .errors import TrainerError

_MAGIC = b"mtkdckp1"
_NAME = re.compile(r"checkpoint-(\d{9})")
# The newest, and the one before it for when a disk has damaged the newest.
_KEPT = 2


def write_whole(path: str, data: bytes) -> None:
    """Writes a file so that a kill or a loss of power leaves the old one or the new one, and nothing between."""
    aside = f"{path}.aside"
    with open(aside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Checkpoints:
    """The checkpoints in the folder of a run, numbered in the order in which they were written."""

    def __init__(self, folder: str):
        self.folder = folder

    def numbers(self) -> list[int]:
        """Ascending."""
        names = (_NAME.fullmatch(name) for name in os.listdir(self.folder))
        return sorted(int(match.group(1)) for match in names if match)

    def path(self, number: int) -> str:
        return os.path.join(self.folder, f"checkpoint-{number:09d}")

    def write(self, state: bytes, history: list) -> None:
        """Writes a state that `encoding.encode` made and what has been reported so far, then drops old ones."""
        numbers = self.numbers()
        past = encoding.encode(history, "metrics")
        body = struct.pack("<Q", len(past)) + past + state
        write_whole(
            self.path(numbers[-1] + 1 if numbers else 1), _MAGIC + hashlib.sha256(body).digest() + body)
        for number in numbers[:max(0, len(numbers) + 1 - _KEPT)]:
            os.remove(self.path(number))

    def newest(self, note) -> tuple[bytes, list] | None:
        """The state and the history of the newest checkpoint that is whole.

        A damaged one is set aside, so that it is not found again and not lost either; `note` is told.
        """
        for number in reversed(self.numbers()):
            path = self.path(number)
            with open(path, "rb") as file:
                data = file.read()
            body = data[40:]
            if data[:8] == _MAGIC and data[8:40] == hashlib.sha256(body).digest():
                (length,) = struct.unpack_from("<Q", body)
                return body[8 + length:], encoding.decode(body[8:8 + length])
            os.replace(path, f"{path}.damaged")
            note(f"{path} is damaged (its digest is another), so it is set aside and the one before it is used.")
        return None


def require_folder(folder: str) -> None:
    if not os.path.isdir(folder):
        raise TrainerError(f"There is no folder {folder} for the run's checkpoints.")
