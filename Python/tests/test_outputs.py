"""What teachers say, written down and read back: with the standard library, with numpy, and
where files are damaged."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness import ROOT

from mtkd_trainer import TeacherOutputs, TrainerError
from mtkd_trainer.outputs import OutputsAsked

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
except ImportError:
    torch = None

WITHOUT_NUMPY = """
import sys
sys.path.insert(0, sys.argv[1])
from mtkd_trainer import TeacherOutputs
outputs = TeacherOutputs(sys.argv[2])
assert "numpy" not in sys.modules
print(list(outputs.logits(2, 1)), list(outputs.features(2, 1)), outputs.feature_shape)
"""


class Records:
    def __init__(self):
        self.all = []

    def write(self, record, **members):
        self.all.append((record, members))


class OutputsTests(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = pathlib.Path(home.name)
        self.folder = self.home / "output"
        self.folder.mkdir()

    def asked(self, features=6, per_part=4):
        """Five images in two views, in parts of so many."""
        parts = [
            {"file": f"part-{number:05d}.bin", "first": first, "count": min(per_part, 10 - first)}
            for number, first in enumerate(range(0, 10, per_part))]
        request = {
            "run": {"student": {}}, "folder": str(self.folder), "teachers": ["t"], "dataset": "",
            "outputs": {"images": 5, "views": 2, "classes": 3, "features": features, "parts": parts}}
        return OutputsAsked(request, Records())

    def form(self, shape=(3, 2), per_part=4):
        form = {"images": 5, "views": 2, "viewsPerPart": per_part, "classes": 3, "embedding": 0, "profile": "p"}
        if shape:
            form["map"] = list(shape)
        (self.folder / "form.json").write_text(json.dumps(form))

    @staticmethod
    def said(pair):
        image, view = pair
        return [image, view, 0.5], [[image + place, view] for place in range(3)]

    def write(self, asked, size=3, kind=list):
        for batch in asked.batches(size):
            logits, features = zip(*map(self.said, batch))
            asked.write(kind(logits), kind(features))

    def read_back(self):
        self.form()
        found = TeacherOutputs(str(self.folder))
        for image in range(5):
            for view in range(2):
                logits, features = self.said((image, view))
                self.assertEqual(list(found.logits(image, view)), logits)
                flat = [number for row in features for number in row]
                rows = found.features(image, view)
                self.assertEqual(rows.tolist() if isinstance(rows, memoryview) else rows.reshape(-1).tolist(), flat)
        return found

    def test_what_was_written_is_read_by_image_and_view(self):
        asked = self.asked()
        self.write(asked)
        with self.assertRaises(SystemExit):
            asked.finish()
        self.assertEqual(asked._records.all[-1], ("finished", {"metrics": {}, "features": [3, 2]}))
        found = self.read_back()
        self.assertRaises(IndexError, found.logits, 5, 0)
        self.assertRaises(IndexError, found.logits, 0, 2)

    def test_the_standard_library_reads_them_too(self):
        self.write(self.asked())
        self.form()
        said = subprocess.run(
            [sys.executable, "-S", "-c", WITHOUT_NUMPY, str(ROOT), str(self.folder)], capture_output=True, text=True)
        self.assertEqual(said.stdout, "[2.0, 1.0, 0.5] [2.0, 1.0, 3.0, 1.0, 4.0, 1.0] (3, 2)\n", said.stderr)

    @unittest.skipUnless(numpy, "needs numpy")
    def test_arrays_and_batches(self):
        self.write(self.asked(), kind=lambda rows: numpy.array(rows, "f8"))
        found = self.read_back()
        logits, features = found.batch([4, 0], [1, 1])
        self.assertEqual((logits.tolist(), features.shape), ([[4, 1, 0.5], [0, 1, 0.5]], (2, 3, 2)))
        self.assertEqual(features[0].tolist(), [[4, 1], [5, 1], [6, 1]])

    @unittest.skipUnless(torch, "needs torch")
    def test_tensors(self):
        self.write(self.asked(), kind=lambda rows: torch.tensor(rows, dtype=torch.float64, requires_grad=True))
        self.read_back()

    def test_one_that_was_killed_goes_on_with_the_part_in_hand(self):
        first = self.asked()
        for number, batch in enumerate(first.batches(2)):
            if number == 3:
                break
            first.write(*zip(*map(self.said, batch)))
        second = self.asked()
        seen = []
        for batch in second.batches(2):
            seen += batch
            second.write(*zip(*map(self.said, batch)))
        self.assertEqual(seen[0], (2, 0))
        with self.assertRaises(SystemExit):
            second.finish()
        self.read_back()
        last = self.asked()
        self.assertEqual(list(last.batches(2)), [])
        with self.assertRaises(SystemExit):
            last.finish()
        self.assertEqual(last._records.all[-1][1]["features"], [3, 2])

    def test_rows_that_are_not_what_was_asked_for_are_named(self):
        for logits, features, says in (
                ([[1, 2, 3]], [[1]], r"logits are \[1, 3\], and 2 views of 3"),
                ([[1, 2], [1, 2]], [[1], [1]], r"logits are \[2, 2\]"),
                ([[1, 2, 3]] * 2, None, "promises features too"),
                ([[1, 2, 3]] * 2, [[1] * 7] * 2, "at most 6 numbers"),
                ([[1, 2, 3]] * 2, [[1], [1, 2]], "different lengths")):
            asked = self.asked()
            next(asked.batches(2))
            with self.assertRaisesRegex(TrainerError, says):
                asked.write(logits, features)
        asked = self.asked(features=0)
        batches = asked.batches(2)
        next(batches)
        with self.assertRaisesRegex(TrainerError, "logits alone"):
            asked.write([[1, 2, 3]] * 2, [[1]] * 2)
        with self.assertRaisesRegex(TrainerError, "was not called"):
            next(batches)
        with self.assertRaisesRegex(TrainerError, "part-00000.bin, part-00001.bin"):
            self.asked().finish()

    def test_logits_alone(self):
        asked = self.asked(features=0)
        for batch in asked.batches(4):
            asked.write([[image, view, 1] for image, view in batch])
        self.form(shape=None)
        found = TeacherOutputs(str(self.folder))
        self.assertEqual(list(found.logits(3, 1)), [3, 1, 1])
        with self.assertRaisesRegex(TrainerError, "no features"):
            found.features(0, 0)

    def test_a_damaged_file_is_noted_and_never_read(self):
        for change, says in (
                (lambda data: data[:-1], "another form"), (lambda data: data[:20], "not what was published"),
                (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "another digest"),
                (lambda data: data[:40] + b"x" + data[41:], "not what was published"), (lambda data: b"", "cannot be read")):
            self.write(self.asked())
            self.form()
            part = self.folder / "part-00002.bin"
            whole = part.read_bytes()
            part.write_bytes(change(whole))
            with self.assertRaisesRegex(TrainerError, says):
                TeacherOutputs(str(self.folder)).features(4, 1)
            self.assertIn(b"part 2", (self.home / "damaged").read_bytes())
            for name in os.listdir(self.folder):
                (self.folder / name).unlink()
            (self.home / "damaged").unlink()
        (self.folder / "form.json").write_text("{}")
        with self.assertRaisesRegex(TrainerError, "form.json"):
            TeacherOutputs(str(self.folder))


if __name__ == "__main__":
    unittest.main()
