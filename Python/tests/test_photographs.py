"""Indexes of photographs, and views of them beside those that mtkd-sweep's own engine has recorded
(`Tests/Fixtures/photographs`)."""
import functools
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import torch_photographs
from harness import ROOT, Runner
from torch_photographs import IMAGES, SIDE, WAYS, recorded, stream

from mtkd_trainer import DataError, PackedDataset, PhotographDataset, TrainerError, read_dataset

try:
    import numpy
    from PIL import Image

    from mtkd_trainer import views
    from mtkd_trainer.streams import Stream
except ImportError:
    numpy = None

# Of this repository, whatever MTKD_FIXTURES names: the specification has no photographs.
FIXTURES = ROOT.parent / "Tests" / "Fixtures"
index = functools.partial(torch_photographs.index, fixtures=FIXTURES)


class IndexTests(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.folder = home.name

    def test_it_is_what_mtkd_sweep_wrote(self):
        dataset = read_dataset(index(self.folder))
        self.assertIsInstance(dataset, PhotographDataset)
        self.assertEqual((dataset.channels, dataset.height, dataset.width, dataset.classes), (3, SIDE, SIDE, 3))
        self.assertEqual(dataset.train.labels, tuple(place % 3 for place in range(IMAGES)))
        self.assertEqual((len(dataset.test), dataset.validation.labels), (2, (0,)))
        self.assertEqual((dataset.shorter_side, dataset.is_bicubic), (18, False))
        self.assertEqual(dataset.test.path(1), f"{FIXTURES}/images/colour.png")
        self.assertEqual(dataset.test.bytes(1), (FIXTURES / "images" / "colour.png").read_bytes())
        with self.assertRaises(IndexError):
            dataset.test.bytes(2)
        other = PhotographDataset(index(self.folder, name="bicubic.bin"))
        self.assertEqual((other.shorter_side, other.is_bicubic), (20, True))

    def test_one_that_is_cut_anywhere_is_refused_with_the_place(self):
        whole = pathlib.Path(index(self.folder)).read_bytes()
        for size in range(len(whole)):
            # In a file of its own: one that is mapped is not to be written to.
            path = os.path.join(self.folder, f"{size}.bin")
            pathlib.Path(path).write_bytes(whole[:size])
            with self.assertRaisesRegex(DataError, "is not an index of photographs.*at byte .*mtkd-sweep fsck", msg=size):
                PhotographDataset(path)
            os.remove(path)

    def test_every_number_that_cannot_be_is_refused_by_its_name(self):
        huge, word = 1 << 63, struct.Struct("<Q")
        first = 9 + 5 * 8 + 8 + len(str(FIXTURES))
        path = len("images/photo.jpg")
        for place, number, says in (
                (9, 0, "1 to 65536 pixels a side"), (9, huge, f"{huge}"), (17, 65537, "1 to 65536 classes"),
                (25, huge, "training images"), (33, huge, "test images"), (41, huge, "validation images"),
                (49, huge, "bytes of text"), (first, 3, "a label from 0 to 2, but there is 3"),
                (first + 40, huge, f"{huge} bytes"), (25, IMAGES + 1, "but there is"), (41, 0, "at byte")):
            def change(data, place=place, number=number):
                return data[:place] + word.pack(number) + data[place + 8:]
            with self.assertRaises(DataError, msg=says) as caught:
                PhotographDataset(index(self.folder, change=change))
            self.assertIn(says, str(caught.exception))
            os.remove(os.path.join(self.folder, "index.bin"))
        for bad, says in ((b"\xff" * path, "a text in UTF-8"), (b"\0" * path, "a byte of 0")):
            def change(data, bad=bad):
                return data[:first + 48] + bad + data[first + 48 + path:]
            with self.assertRaisesRegex(DataError, f"at byte {first + 48} .*{says}"):
                PhotographDataset(index(self.folder, change=change))
            os.remove(os.path.join(self.folder, "index.bin"))
        for tail in (b"x", word.pack(15) + word.pack(0), word.pack(20) + word.pack(2), word.pack(20) + word.pack(1) + b"x"):
            with self.assertRaises(DataError, msg=tail):
                PhotographDataset(index(self.folder, change=lambda data, tail=tail: data + tail))
            os.remove(os.path.join(self.folder, "index.bin"))

    def test_garbage_is_refused_or_read_and_never_more(self):
        whole, chance = pathlib.Path(index(self.folder)).read_bytes(), random.Random(5)
        for number in range(400):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 5)):
                data[chance.randrange(len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
            path = os.path.join(self.folder, f"{number}.bin")
            pathlib.Path(path).write_bytes(data)
            try:
                dataset = read_dataset(path)
                for split in (dataset.train, dataset.test, dataset.validation):
                    for place in range(len(split)):
                        split.bytes(place)
            except TrainerError:
                pass
            os.remove(path)

    def test_files_that_are_none_are_refused(self):
        path = os.path.join(self.folder, "empty")
        pathlib.Path(path).touch()
        with self.assertRaisesRegex(DataError, "there is nothing"):
            PhotographDataset(path)
        with self.assertRaisesRegex(TrainerError, "not a packed data set"):
            read_dataset(path)
        with self.assertRaisesRegex(TrainerError, "read_dataset"):
            PackedDataset(index(self.folder))

    def test_a_photograph_that_has_changed_is_named_with_what_to_do(self):
        root = os.path.join(self.folder, "pictures")
        shutil.copytree(FIXTURES / "images", os.path.join(root, "images"))
        split = PhotographDataset(index(self.folder, root=root)).test
        self.assertEqual(split.bytes(0), (FIXTURES / "images" / "photo.jpg").read_bytes())
        pathlib.Path(root, "images", "photo.jpg").write_bytes(b"other")
        with self.assertRaisesRegex(DataError, "photo.jpg holds other bytes.*mtkd-sweep retry"):
            split.bytes(0)
        os.remove(os.path.join(root, "images", "photo.jpg"))
        with self.assertRaisesRegex(DataError, "photo.jpg was read .*No such file"):
            split.bytes(0)

    def test_a_run_whose_photographs_have_changed_fails_and_is_no_death(self):
        script = pathlib.Path(self.folder, "loop.py")
        script.write_text(
            "from mtkd_trainer import DataError, Run\n"
            "with Run() as run:\n for e in run.epochs(run.resume()): raise DataError('a.jpg has changed')")
        runner = Runner(script, 1)
        self.addCleanup(runner.close)
        attempt = runner.start()
        self.assertEqual(attempt.wait(), 0, runner.log())
        said = attempt.records[-1]
        self.assertEqual((said["record"], said["cause"], said["reason"]), ("failed", "data", "a.jpg has changed"))

    def test_a_python_without_pillow_is_told_what_to_type(self):
        code = (
            "import sys; sys.modules['PIL'] = None\nimport mtkd_trainer\n"
            f"mtkd_trainer.read_dataset({index(self.folder)!r}).train.view(0)")
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        # One without numpy is told of that first.
        self.assertRegex(done.stderr.splitlines()[-1], "has no (Pillow|numpy) to decode them with.*pip install Pillow numpy")


@unittest.skipUnless(numpy, "needs numpy and Pillow")
class ViewTests(unittest.TestCase):
    """Not a byte is another one than the engine's."""

    def test_views_are_those_of_the_engine_byte_by_byte(self):
        with tempfile.TemporaryDirectory() as folder:
            for way, (drawn_from, jitter) in WAYS.items():
                split = PhotographDataset(index(folder, name="bicubic.bin" if "bicubic" in way else "index.bin")).train
                for place, want in enumerate(recorded(FIXTURES, way)):
                    got = split.view(place, stream(drawn_from, place), jitter)
                    self.assertEqual((got.dtype, got.shape), (want.dtype, want.shape))
                    differing = int((got != want).sum())
                    self.assertEqual(differing, 0, f"{split.path(place)}, {way}: {differing} bytes")

    def test_photographs_are_decoded_and_resampled_to_the_recorded_bytes(self):
        def read(name):
            return (FIXTURES / "images" / name).read_bytes()
        for name in ("photo.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "colour.png", "palette.png", "alpha.png", "gray.png"):
            pixels = views.decoded(read(name))
            self.assertEqual(pixels.tobytes(), read(f"{name}.rgb")[2:], name)
            self.assertEqual(views.measured(pixels, 16, 20).transpose(1, 2, 0).tobytes(), read(f"{name}.centre"), name)
            if name in ("photo.jpg", "palette.png"):
                middle = views.measured(pixels, 16, 20, True)
                self.assertEqual(middle.transpose(1, 2, 0).tobytes(), read(f"{name}.bicubic"), name)

    def test_what_decoders_complain_of_is_decoded_to_the_recorded_bytes_or_refused(self):
        count = 0
        for path in sorted((FIXTURES / "images" / "odd").glob("*.rgb")):
            data, truth = path.with_suffix("").read_bytes(), path.read_bytes()
            # Where the record is empty, mtkd-sweep refuses the file or Pillow does: nothing to compare.
            if truth:
                self.assertEqual(views.decoded(data).tobytes(), truth[2:], path.name)
                count += 1
        self.assertGreater(count, 8)

    def test_pixels_of_16_bits_lose_their_lower_8(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "deep.png")
            Image.fromarray(numpy.array([[0x12FF, 0xFF00]], numpy.uint16)).save(path)
            got = views.decoded(pathlib.Path(path).read_bytes())
        self.assertEqual(got.tolist(), [[[0x12] * 3, [0xFF] * 3]])

    def test_a_random_part_of_a_strip_is_its_middle(self):
        self.assertEqual(views.random_box(10, 400, Stream(1, "box")), (0, 193, 10, 13))


if __name__ == "__main__":
    unittest.main()
