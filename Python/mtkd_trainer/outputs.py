"""What teachers say of fixed views of the training images, written down once for all students (docs/trainers.md)."""
from __future__ import annotations

import array
import hashlib
import json
import math
import mmap
import os
import struct
import sys
import time

from . import environment, protocol
from .checkpoint import require_folder, write_whole
from .dataset import PackedDataset, PhotographDataset, read_dataset
from .errors import TrainerError

_MAGIC = b"mtkdchk1"


def _word(data) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big")


class TeacherOutputs:
    """What was written down of one teacher, mapped into memory and looked up by image and view.

    `feature_shape` is None where logits are all there is. Each piece is compared with its digest when it is first read.
    """

    def __init__(self, folder: str):
        self.folder = folder
        try:
            with open(os.path.join(folder, "form.json"), encoding="utf-8") as file:
                form = json.load(file)
            self.images, self.views, self.classes = form["images"], form["views"], form["classes"]
            self.profile: str = form["profile"]
            self.feature_shape = tuple(form["map"]) if "map" in form else None
            self._per_part = form["viewsPerPart"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"form.json cannot be read ({error})") from error
        self._sizes = [4 * self.classes]
        if self.feature_shape:
            self._sizes.append(4 * math.prod(self.feature_shape))
        self._parts: dict[int, memoryview] = {}
        self._checked: set[tuple[int, int]] = set()

    def logits(self, image: int, view: int):
        """32-bit floats, one for each class: an array of numpy where that is loaded, else a `memoryview`."""
        return self._numbers(image, view, 0)

    def features(self, image: int, view: int):
        """The same of the shape `feature_shape`, which a `memoryview` has in a row."""
        if self.feature_shape is None:
            raise TrainerError(f"{self.folder} holds no features: their trainer described its outputs as \"logits\".")
        numbers = self._numbers(image, view, 1)
        return numbers if isinstance(numbers, memoryview) else numbers.reshape(self.feature_shape)

    def batch(self, images, views):
        """Of images, each by one of its views: `[count, classes]`, and `[count, …]` or None, as arrays of numpy."""
        import numpy
        pairs = [(int(image), int(view)) for image, view in zip(images, views)]
        logits = numpy.stack([self.logits(*pair) for pair in pairs])
        return logits, numpy.stack([self.features(*pair) for pair in pairs]) if self.feature_shape else None

    def _numbers(self, image: int, view: int, column: int):
        if not (0 <= image < self.images and 0 <= view < self.views):
            raise IndexError(f"image {image}, view {view} of {self.images} images in {self.views} views")
        part, record = divmod(image * self.views + view, self._per_part)
        data = self._chunk(part, record * len(self._sizes) + column, self._sizes[column])
        numpy = sys.modules.get("numpy")
        return numpy.frombuffer(data, "<f4") if numpy else data.cast("f")

    def _chunk(self, part: int, index: int, size: int) -> memoryview:
        if part not in self._parts:
            self._parts[part] = self._mapped(part)
        data = self._parts[part]
        at, stored, plain, word = struct.unpack_from("<4Q", data, 16 + 32 * index)
        chunk = data[at:at + stored]
        if stored != size or plain != size or len(chunk) != size:
            raise self._damaged(f"chunk {index} of part {part} has another form")
        if (part, index) not in self._checked:
            if _word(chunk) != word:
                raise self._damaged(f"chunk {index} of part {part} has another digest")
            self._checked.add((part, index))
        return chunk

    def _mapped(self, part: int) -> memoryview:
        first = part * self._per_part
        chunks = min(self._per_part, self.images * self.views - first) * len(self._sizes)
        try:
            with open(os.path.join(self.folder, f"part-{part:05d}.bin"), "rb") as file:
                data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            raise self._damaged(f"part {part} cannot be read ({error})") from error
        end = 16 + 32 * chunks
        if (len(data) < end + 32 or data[:16] != _MAGIC + struct.pack("<Q", chunks)
                or hashlib.sha256(data[:end]).digest() != data[end:end + 32]):
            raise self._damaged(f"part {part} is not what was published")
        return data

    def _damaged(self, why: str) -> TrainerError:
        """Leaves a note: the next attempt asks the teacher, and the next `mtkd-sweep run` has all of it written anew."""
        try:
            write_whole(os.path.join(os.path.dirname(os.path.abspath(self.folder)), "damaged"), f"{why}\n".encode())
        except OSError:
            # Whoever cannot write the note has still not read a wrong number.
            pass
        return TrainerError(
            f"The outputs of a teacher in {self.folder} are damaged: {why}. They are left alone from here on: run the "
            "sweep again.")


def outputs_asked(request: dict | None = None) -> "OutputsAsked | None":
    """What mtkd-sweep wants written down of a teacher, where it asks for that; None where it asks for a run.

    It comes after `describe(…)` and before `Run()`.
    """
    if request is None:
        if protocol.MARK not in os.environ:
            return None
        try:
            request = json.loads(protocol._first_line())
        except ValueError:
            return None
        if not isinstance(request, dict) or request.get("ask") != "outputs":
            return None
        return OutputsAsked(request, protocol.Records(takes_over=True))
    return OutputsAsked(request, protocol.Records(takes_over=False))


class OutputsAsked:
    """Writes down what a teacher says of every view of every training image:

        for batch in asked.batches(64):                    # pairs of an image's number and a view's
            asked.write(*answers(batch))                   # logits, and features where the description promises some
        asked.finish()

    What is there already is left out, so that one that was killed goes on with the part in hand.
    """

    def __init__(self, request: dict, records: protocol.Records):
        self.request = request
        #: The teacher's run: its network is `settings["student"]`.
        self.settings = request["run"]
        self.folder = request["folder"]
        #: A path for `read_safetensors`.
        self.teacher: str = request["teachers"][0]
        asked = request["outputs"]
        self.images, self.views, self.classes = asked["images"], asked["views"], asked["classes"]
        self.most_features: int = asked["features"]
        self._asked_parts = asked["parts"]
        require_folder(self.folder)
        self._records = records
        self._chunks: list[bytes] = []
        self._due = 0
        self._shape: list[int] | None = None
        self._last_progress = 0.0

    def dataset(self) -> PackedDataset | PhotographDataset:
        """The data set, as mtkd-sweep hands it out: the images are those of `train`."""
        return read_dataset(self.request["dataset"])

    def batches(self, size: int):
        """Lists of at most so many pairs (image, view), in the order in which they are written."""
        profile = environment.profile()
        if profile:
            self._records.write("environment", profile=profile)
        for part in self._asked_parts:
            path = os.path.join(self.folder, part["file"])
            end = part["first"] + part["count"]
            if os.path.exists(path) and self._is_known(path):
                continue
            self._chunks = []
            for first in range(part["first"], end, size):
                pairs = [divmod(record, self.views) for record in range(first, min(first + size, end))]
                self._due = len(pairs)
                yield pairs
                if self._due:
                    raise TrainerError(f"A batch of {len(pairs)} was asked for and write(…) was not called.")
                self._progress(first + len(pairs))
            self._write_shape()
            write_whole(path, _part(self._chunks))

    def write(self, logits, features=None) -> None:
        """The answers to the last batch, a row for each pair: lists, arrays of numpy or tensors of torch."""
        if (features is None) != (self.most_features == 0):
            said = "features too" if features is None else "logits alone"
            raise TrainerError(f"describe(teacher_outputs=…) promises {said}; write(…) was given something else.")
        rows, shape = _rows(logits)
        if len(rows) != self._due or shape != [self.classes]:
            raise TrainerError(
                f"The logits are {[len(rows)] + shape}, and {self._due} views of {self.classes} classes were asked "
                "for.")
        if features is None:
            self._chunks += rows
        else:
            more, shape = _rows(features)
            if len(more) != len(rows) or self._shape not in (None, shape) or math.prod(shape) > self.most_features:
                raise TrainerError(
                    f"The features are {[len(more)] + shape}; expected are {len(rows)} of "
                    f"{self._shape or f'at most {self.most_features} numbers'}.")
            self._shape = shape
            self._chunks += [chunk for pair in zip(rows, more) for chunk in pair]
        self._due = 0

    def finish(self) -> None:
        """Says that all is written, and ends the process."""
        names = [part["file"] for part in self._asked_parts]
        missing = [name for name in names if not os.path.exists(os.path.join(self.folder, name))]
        if missing:
            raise TrainerError(f"{', '.join(missing[:3])} are not written yet. Run batches(…) to its end first.")
        self._records.write("finished", metrics={}, features=self._shape)
        raise SystemExit(0)

    # The extents of the features lie beside the parts, for an attempt that has none left to write.

    def _shape_path(self) -> str:
        return os.path.join(self.folder, "features.json")

    def _write_shape(self) -> None:
        if self._shape is not None:
            write_whole(self._shape_path(), json.dumps(self._shape).encode())

    def _is_known(self, path: str) -> bool:
        """Whether a part that is there can be left as it is."""
        if self.most_features == 0:
            return True
        try:
            with open(self._shape_path(), encoding="utf-8") as file:
                self._shape = json.load(file)
        except (OSError, ValueError):
            return False
        return True

    def _progress(self, done: int) -> None:
        now = time.monotonic()
        if now - self._last_progress > 1:
            self._last_progress = now
            self._records.write("progress", step=done, steps=self.images * self.views)


def _part(chunks: list[bytes]) -> bytes:
    head, at = _MAGIC + struct.pack("<Q", len(chunks)), 48 + 32 * len(chunks)
    entries = []
    for chunk in chunks:
        entries.append(struct.pack("<4Q", at, len(chunk), len(chunk), _word(chunk)))
        at += len(chunk)
    head += b"".join(entries)
    return head + hashlib.sha256(head).digest() + b"".join(chunks)


def _rows(values) -> tuple[list[bytes], list[int]]:
    """The bytes of each row as 32-bit floats, and the extents of a row."""
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(values, numpy.ndarray):
        values = numpy.ascontiguousarray(values, "<f4")
        return [row.tobytes() for row in values], list(values.shape[1:])
    rows = [_flat(row) for row in values]
    shape = rows[0][1] if rows else []
    if any(other != shape for _, other in rows):
        raise TrainerError("The rows of a batch have different lengths.")
    return [_floats(numbers) for numbers, _ in rows], shape


def _flat(row) -> tuple[list, list[int]]:
    row = list(row)
    if not row or not hasattr(row[0], "__len__"):
        return row, [len(row)]
    inner = [_flat(item) for item in row]
    if any(shape != inner[0][1] for _, shape in inner):
        raise TrainerError("The rows of a batch have different lengths.")
    return [number for numbers, _ in inner for number in numbers], [len(row)] + inner[0][1]


def _floats(numbers: list) -> bytes:
    floats = array.array("f", numbers)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tobytes()
