"""What a checkpoint holds, what a damaged one does, and what the package says to
loops that use it wrongly."""
import collections
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

from harness import ROOT, Runner

from mtkd_trainer import PackedDataset, TrainerError, alone, encoding
from mtkd_trainer.checkpoint import Checkpoints

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
except ImportError:
    torch = None


class EncodingTests(unittest.TestCase):
    def test_values_come_back_as_they_were(self):
        value = {
            "none": None, "yes": True, "big": 2**200, "small": -1, "third": 1 / 3, "nan": float("inf"), "text": "é\n",
            "bytes": b"\0\xff", 5: [1, (2.0, "x")], "queue": collections.deque([1, 2], 3),
            "counter": collections.Counter({3: 1}), "set": {b"b", b"a"}, "state": random.Random(1).getstate()}
        back = encoding.decode(encoding.encode(value))
        self.assertEqual(back, value)
        self.assertEqual(back["queue"].maxlen, 3)
        self.assertIsInstance(back["counter"], collections.Counter)
        self.assertEqual(encoding.encode(back), encoding.encode(value))

    def test_a_difference_of_one_bit_is_a_difference(self):
        self.assertNotEqual(encoding.encode(0.1), encoding.encode(0.1 + 2**-56))
        self.assertNotEqual(encoding.encode(1), encoding.encode(1.0))
        self.assertNotEqual(encoding.encode(0.0), encoding.encode(-0.0))

    def test_what_cannot_be_held_is_named_with_its_place(self):
        with self.assertRaisesRegex(TrainerError, r"state\.model\[1\] is a .*object"):
            encoding.encode({"model": [1, object()]})

    def test_bytes_that_are_no_state_are_refused(self):
        whole = encoding.encode({"a": b"12345678", "b": [1, 2]})
        for damaged in (b"", whole[:7], whole[:-1], b"\xff" * 40, struct.pack("<Q", 2) + b"[]", whole.replace(b"int", b"tin")):
            with self.assertRaises(TrainerError, msg=damaged):
                encoding.decode(damaged)

    @unittest.skipUnless(numpy, "needs numpy")
    def test_arrays_of_numpy_come_back_as_they_were(self):
        for array in (numpy.arange(6.0).reshape(2, 3).T, numpy.array(3), numpy.zeros((0, 2), "i2"), numpy.array([True])):
            back = encoding.decode(encoding.encode(array))
            self.assertEqual((back.dtype, back.shape, back.tobytes()), (array.dtype, array.shape, array.tobytes()))
        self.assertIs(type(encoding.decode(encoding.encode(numpy.float32(0.1)))), numpy.float32)

    @unittest.skipUnless(torch, "needs torch")
    def test_tensors_come_back_as_they_were(self):
        for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.bool, torch.complex64):
            tensor = (torch.arange(6).reshape(2, 3) % 3).to(dtype).T
            back = encoding.decode(encoding.encode(tensor))
            self.assertEqual((back.dtype, back.shape), (tensor.dtype, tensor.shape))
            self.assertTrue(torch.equal(back, tensor))
        self.assertEqual(encoding.decode(encoding.encode(torch.tensor(2.5))).item(), 2.5)
        with self.assertRaisesRegex(TrainerError, "sparse"):
            encoding.encode(torch.eye(2).to_sparse())


class CheckpointTests(unittest.TestCase):
    def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_is_used(self):
        with tempfile.TemporaryDirectory() as folder:
            checkpoints, notes = Checkpoints(folder), []
            for number in range(4):
                checkpoints.write(encoding.encode(number), [number])
            self.assertEqual(checkpoints.numbers(), [3, 4])
            path = pathlib.Path(checkpoints.path(4))
            data = bytearray(path.read_bytes())
            for place in range(len(data)):
                data[place] ^= 1
                path.write_bytes(data)
                state, history = checkpoints.newest(notes.append)
                self.assertEqual((encoding.decode(state), history), (2, [2]), place)
                os.rename(f"{path}.damaged", path)
                data[place] ^= 1
            self.assertEqual(len(notes), len(data))
            path.write_bytes(data)
            self.assertEqual(encoding.decode(checkpoints.newest(notes.append)[0]), 3)


LOOP = """
from mtkd_trainer import Run
class Part:
    value = 0
    def state_dict(self): return {"value": self.value}
    def load_state_dict(self, state): self.value = state["value"]
part = Part()
run = Run()
"""


class MistakeTests(unittest.TestCase):
    """Loops that use the package wrongly, each with what they are told."""

    def refused(self, body, says, epochs=2, before=None):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "loop.py")
            runner = Runner(script, epochs)
            self.addCleanup(runner.close)
            if before:
                script.write_text(LOOP + before)
                attempt = runner.start()
                attempt.wait()
            script.write_text(LOOP + body)
            attempt = runner.start()
            code = attempt.wait()
            self.assertEqual(code, 1, attempt.records)
            self.assertRegex(runner.log(), says)
            self.assertNotIn("finished", [record["record"] for record in attempt.records])

    def test_an_epoch_that_is_not_reported(self):
        self.refused("for e in run.epochs(run.resume()): pass", r"Epoch 0 ended and run\.report\(0, …\) was not called")

    def test_an_epoch_that_is_reported_twice(self):
        self.refused(
            "for e in run.epochs(run.resume()):\n run.report(e, {})\n run.report(e, {})", "Each is reported once")

    def test_a_metric_that_is_no_number(self):
        self.refused(
            "for e in run.epochs(run.resume()): run.report(e, {'test.acc1': 'good'})", "test.acc1 is 'good', which is no number")

    def test_a_part_that_cannot_be_saved(self):
        self.refused("run.resume(model=5)", r"resume\(model=…\) got a int")

    def test_a_change_after_the_report(self):
        self.refused(
            "for e in run.epochs(run.resume(part=part)):\n run.report(e, {})\n part.value += 1",
            "part changed after run.report", epochs=3)

    def test_a_loop_that_leaves_early(self):
        self.refused("with run:\n for e in run.epochs(run.resume()):\n  run.report(e, {}); break", "after 1 of 2 epochs")

    def test_two_training_loops_in_one_epoch(self):
        self.refused(
            "for e in run.epochs(run.resume()):\n for s in run.steps([1]): pass\n for s in run.steps([1]): pass",
            "for the one training loop")

    def test_a_fork_that_reports(self):
        self.refused(
            "import os\nfor e in run.epochs(run.resume()):\n"
            " if os.fork() == 0:\n  run.report(e, {})\n os.wait(); raise SystemExit(1)", "forked from the trainer")

    def test_a_script_whose_parts_have_changed(self):
        first = "for e in run.epochs(run.resume(part=part)):\n run.report(e, {}); raise SystemExit(1)"
        self.refused("run.resume(other=part)", "different parts: other, part", before=first)

    def test_no_request(self):
        for words, says in (([], "was not started by mtkd-sweep"), (["MTKD_SWEEP_TRAINER=x"], "is not a request")):
            ended = subprocess.run(
                ["env", f"PYTHONPATH={ROOT}", *words, sys.executable, "-c", "from mtkd_trainer import Run; Run()"],
                input="nonsense\n", capture_output=True, text=True)
            self.assertEqual(ended.returncode, 1)
            self.assertIn(says, ended.stderr)


class RunTests(unittest.TestCase):
    def records(self, body, epochs=2):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "loop.py")
            script.write_text(LOOP + body)
            runner = Runner(script, epochs)
            self.addCleanup(runner.close)
            attempt = runner.start()
            return attempt.wait(), attempt.records, runner

    def test_what_a_loop_prints_without_an_end_of_line_swallows_no_record(self):
        code, records, runner = self.records(
            "import os\nfor e in run.epochs(run.resume()):\n print('{half', end='', flush=True); os.write(1, b'{'); run.report(e, {})")
        self.assertEqual((code, [r["record"] for r in records]), (0, ["epoch", "epoch", "finished"]))
        self.assertIn("{half", runner.log())

    def test_no_memory_on_the_device_is_a_result_and_not_another_try(self):
        code, records, _ = self.records(
            "class OutOfMemoryError(RuntimeError): pass\n"
            "for e in run.epochs(run.resume()): raise OutOfMemoryError('CUDA out of memory, 80 GiB')")
        self.assertEqual(records[-1]["record"], "failed")
        self.assertEqual(records[-1]["reason"], "Out of device memory: CUDA out of memory, 80 GiB")

    def test_a_disk_that_is_full_ends_the_attempt_and_the_next_goes_on_from_the_checkpoint_before(self):
        limits = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        loop = "for e in run.epochs(run.resume(part=part)):\n part.value = 'x' * 200_000 * e; run.report(e, {'a': e})"
        code, records, runner = self.records(limits + loop)
        self.assertEqual((code, [r["record"] for r in records]), (1, ["epoch"]))
        self.assertIn("File too large", runner.log())
        for record in records:
            runner.heard[record["epoch"]] = record
        runner.script = pathlib.Path(runner.folder, "loop.py")
        runner.script.write_text(LOOP + loop)
        attempt = runner.start()
        self.assertEqual(attempt.wait(), 0, runner.log())
        self.assertEqual([r["record"] for r in attempt.records], ["epoch", "finished"])
        self.assertIn("going on from epoch 1", runner.log())

    def test_a_failure_that_would_happen_again_is_said(self):
        code, records, _ = self.records("with run:\n for e in run.epochs(run.resume()): run.fail('no loss', 'diverged')")
        self.assertEqual((code, records[-1]["cause"], records[-1]["epoch"]), (0, "diverged", 0))

    def test_numbers_that_json_does_not_have_are_nan(self):
        _, records, _ = self.records("for e in run.epochs(run.resume()): run.report(e, {'a': float('inf'), 'b': 0.1})")
        self.assertEqual(records[0]["metrics"], {"a": "nan", "b": 0.1})

    def test_by_hand_it_runs_without_mtkd_sweep(self):
        with tempfile.TemporaryDirectory() as folder:
            ended = subprocess.run(
                [sys.executable, "-c", "import mtkd_trainer as m; run = m.Run(m.alone('x', epochs=2))\n"
                 "for e in run.epochs(run.resume()): run.report(e, {'a': 1})"],
                cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            self.assertEqual(json.loads(ended.stdout.splitlines()[-1])["record"], "finished")

    def test_a_trainer_that_is_asked_says_what_it_can_do_and_one_that_cannot_is_told_so(self):
        def asked(script, line):
            return subprocess.run(
                [sys.executable, "-c", "import mtkd_trainer as m\n" + script], input=line, capture_output=True, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), "MTKD_SWEEP_TRAINER": "x"})

        question = '{"ask":"describe","protocol":2}\n'
        ended = asked("m.describe(methods=['my-kd'], metrics={'a': {'direction': 'lower'}})\nprint('late')", question)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(json.loads(ended.stdout), {
            "record": "description", "methods": ["my-kd"], "metrics": {"a": {"direction": "lower"}}})
        ended = asked("m.Run()", question)
        self.assertIn("call mtkd_trainer.describe(…)", ended.stderr)
        # What it looked at is still there for the run.
        with tempfile.TemporaryDirectory() as folder:
            request = json.dumps(alone(folder, epochs=1)) + "\n"
            ended = asked(
                "m.describe(methods=['my-kd'])\nr = m.Run()\nfor e in r.epochs(r.resume()): r.report(e, {})", request)
            self.assertEqual([json.loads(line)["record"] for line in ended.stdout.splitlines()], ["epoch", "finished"])

    @unittest.skipUnless(numpy, "needs numpy")
    def test_weights_of_a_model_are_published(self):
        code, records, runner = self.records(
            "import numpy\nclass Model(Part):\n"
            " def state_dict(self): return {'w': numpy.arange(3, dtype='f4'), 'b': numpy.ones((2, 2))}\n"
            "for e in run.epochs(run.resume(model=Model())): run.report(e, {})")
        self.assertEqual(records[-1]["files"], ["weights.safetensors"], runner.log())
        from mtkd_trainer import read_safetensors
        arrays = read_safetensors(os.path.join(runner.folder, "weights.safetensors"))
        self.assertEqual((arrays["w"].tolist(), arrays["b"].shape), ([0, 1, 2], (2, 2)))
        self.assertFalse(any("weights" in record for record in records), "version 1 names them once")

    @unittest.skipUnless(numpy, "needs numpy")
    def test_weights_of_a_model_are_named_with_each_epoch_under_protocol_2(self):
        from mtkd_trainer import read_safetensors
        code, records, runner = self.records(
            "import numpy\nclass Model(Part):\n"
            " def state_dict(self): return {'w': numpy.full(2, self.value)}\n"
            "run.request['protocol'], model = 2, Model()\n"
            "for e in run.epochs(run.resume(model=model)):\n model.value = e + 7\n run.report(e, {})")
        named = [record["weights"] for record in records if record["record"] == "epoch"]
        self.assertEqual(named, ["epoch-0.safetensors", "epoch-1.safetensors"], runner.log())
        for epoch, name in enumerate(named):
            arrays = read_safetensors(os.path.join(runner.folder, name))
            self.assertEqual(arrays["w"].tolist(), [epoch + 7] * 2)


class DatasetTests(unittest.TestCase):
    def packed(self, folder, change=lambda data: data):
        """Two training images and one test image of two channels and one row of two."""
        data = b"mtkdset1" + struct.pack("<7Q", 2, 1, 2, 3, 2, 1, 0) + struct.pack("<4d", 0.5, 0.25, 0.5, 0.125)
        data += struct.pack("<2H", 2, 0) + bytes(range(8)) + struct.pack("<H", 1) + bytes([255, 0, 128, 64])
        path = os.path.join(folder, "images.bin")
        pathlib.Path(path).write_bytes(change(data))
        return path

    def test_images_and_labels_are_those_of_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            dataset = PackedDataset(self.packed(folder))
            self.assertEqual((len(dataset.train), len(dataset.test), len(dataset.validation)), (2, 1, 0))
            self.assertEqual((dataset.train.labels, bytes(dataset.train.bytes(1))), ((2, 0), bytes([4, 5, 6, 7])))
            self.assertEqual((dataset.mean, dataset.std), ((0.5, 0.25), (0.5, 0.125)))
            if torch:
                image, label = dataset.test[0]
                self.assertEqual(label, 1)
                wanted = [1.0, -1.0, (128 / 255 - 0.25) / 0.125, (64 / 255 - 0.25) / 0.125]
                # Near the mean little is left of a number: what counts is its size beside 1.
                self.assertTrue(torch.allclose(image.flatten(), torch.tensor(wanted), atol=1e-6))
            if numpy:
                images, labels = dataset.train.arrays()
                self.assertEqual((images.shape, labels.tolist(), images[1, 0, 0, 1]), ((2, 2, 1, 2), [2, 0], 5))

    def test_a_file_that_is_none_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for change in (lambda data: b"", lambda data: data[:-1], lambda data: b"x" + data, lambda data: data[:20]):
                with self.assertRaisesRegex(TrainerError, "not a packed data set"):
                    PackedDataset(self.packed(folder, change))


if __name__ == "__main__":
    unittest.main()
