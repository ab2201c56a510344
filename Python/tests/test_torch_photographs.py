"""Whole runs of the trainer `torch` on photographs. Skipped where torch or Pillow is missing."""
import os
import pathlib
import re
import sys
import tempfile
import unittest
from unittest import mock

import torch_photographs
from harness import ROOT, Attempt, Runner
from test_photographs import FIXTURES, index

try:
    import numpy  # noqa: F401
    import PIL  # noqa: F401
    import torch

    from mtkd_torch import data, run
    from mtkd_trainer import PhotographDataset
    from mtkd_trainer.streams import Stream
except ImportError:
    torch = None

KILLS, EPOCHS = 4, 5


class PhotographRunner(Runner):
    def __init__(self, home: str):
        super().__init__(ROOT / "tests" / "start_torch.py", EPOCHS, forks=True)
        self.data = index(home)
        self.run |= {
            "student": {"family": "cifar_resnet", "parameters": {"depth": 8, "widths": [4, 4, 4, 8], "block": "basic"}},
            "method": {"name": "baseline", "options": {}}}
        self.run["recipe"] |= {
            "batchSize": 4, "learningRate": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 1e-4,
            "milestones": [3], "gamma": 0.1, "colourJitter": 0.4}

    def start(self):
        reported = 0
        while reported in self.heard:
            reported += 1
        request = {
            "protocol": 2, "folder": self.folder, "reported": reported, "key": "k", "slot": 1, "dataset": self.data,
            "teachers": [], "run": self.run}
        return Attempt(self.script, request, self.forks)


@unittest.skipUnless(torch, "needs torch, numpy and Pillow")
class TorchPhotographTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.addClassCleanup(setattr, run, "CHECKPOINT_STEPS", run.CHECKPOINT_STEPS)
        run.CHECKPOINT_STEPS = 1

    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = home.name

    def runner(self):
        runner = PhotographRunner(self.home)
        self.addCleanup(runner.close)
        return runner

    def test_a_network_is_shown_the_engines_views_to_the_bit(self):
        for name, case in torch_photographs.cases(FIXTURES).items():
            self.assertEqual({name: max(torch_photographs.check(FIXTURES, case).values())}, {name: 0})
        dataset = PhotographDataset(index(self.home))

        def source(views):
            return data.Photographs(dataset, torch.device("cpu"), torch.float32, 3, views)
        # Of one fixed view each epoch shows the first.
        want = source(0)._normalised(source(0).shown("train", [5, 2], [Stream(0, "view", 0, place) for place in (5, 2)]))
        self.assertTrue(torch.equal(source(1).images([5, 2], 4), want))
        # The two files that measure are among those that train.
        (images, labels), = source(0).held_out("test")
        self.assertTrue(torch.equal(images, source(0).plain([0, 4])))
        self.assertEqual(labels.tolist(), [0, 1])

    def test_a_run_that_is_killed_ends_as_if_nobody_had_disturbed_it(self):
        calm = self.runner()
        seconds = calm.whole()
        self.assertEqual(len(calm.states()), EPOCHS)
        for name in ("test.acc1", "validation.loss", "train.loss"):
            self.assertIn(name, calm.states()[-1][1])
        for chance in range(20):
            disturbed = self.runner()
            disturbed.killed(KILLS + chance, seconds)
            self.assertEqual(disturbed.contradictions, [])
            self.assertEqual(disturbed.states(), calm.states(), disturbed.log())
            if re.search(r"going on from epoch \d+, step \d+ of it", disturbed.log()):
                return
        self.fail("no kill fell into an epoch")

    def failed(self, runner):
        attempt = runner.start()
        self.assertEqual(attempt.wait(), 0, runner.log())
        said = attempt.records[-1]
        self.assertEqual((said["record"], said["cause"]), ("failed", "data"))
        return said["reason"]

    def test_a_garbage_index_and_a_photograph_that_is_gone_are_failures_with_their_cause(self):
        runner = self.runner()
        whole = pathlib.Path(runner.data).read_bytes()
        runner.data = os.path.join(self.home, "garbage.bin")
        pathlib.Path(runner.data).write_bytes(whole[:-3])
        self.assertRegex(self.failed(runner), "garbage.bin is not an index of photographs")
        runner = self.runner()
        runner.data = index(self.home, root="/nowhere")
        self.assertRegex(self.failed(runner), "/nowhere/images/.* cannot be any more .*mtkd-sweep retry")

    def test_without_pillow_the_attempt_ends_before_it_trains_and_is_no_result(self):
        runner = self.runner()
        # The child is forked with this.
        loaded = [name for name in sys.modules if name in ("mtkd_trainer.views",) or name.split(".")[0] == "PIL"]
        with mock.patch.dict(sys.modules):
            for name in loaded:
                del sys.modules[name]
            sys.modules["PIL"] = None
            import mtkd_trainer
            kept = mtkd_trainer.__dict__.pop("views", None)
            try:
                attempt = runner.start()
                self.assertEqual(attempt.wait(), 1, runner.log())
            finally:
                if kept is not None:
                    mtkd_trainer.views = kept
        self.assertEqual([record["record"] for record in attempt.records if record["record"] != "environment"], [])
        self.assertRegex(runner.log(), "ImportError: .*has no Pillow to decode them with.*pip install Pillow numpy")


if __name__ == "__main__":
    unittest.main()
