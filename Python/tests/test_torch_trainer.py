"""The trainer `torch`: killed at random it ends as if nobody had disturbed it. Skipped
where there is no torch."""
import os
import pathlib
import random
import re
import struct
import tempfile
import unittest

from harness import ROOT, Attempt, Runner

try:
    import numpy  # noqa: F401
    import torch

    from mtkd_torch import initial, networks, run
    from mtkd_trainer import PackedDataset, TrainerError, read_safetensors
    from mtkd_trainer.weights import safetensors
except ImportError:
    torch = None

# Nine steps an epoch.
KILLS, EPOCHS, EVERY = 6, 8, 2
STUDENT = {"family": "cifar_resnet", "parameters": {"depth": 8, "widths": [4, 4, 4, 8], "block": "basic"}}
TEACHERS = [
    {"family": "cifar_resnet", "parameters": {"depth": 8, "widths": [4, 4, 8, 8], "block": "basic"}},
    {"family": "cifar_wrn", "parameters": {"depth": 10, "widen": 1}}]


def packed(path: str, counts=(72, 24, 12), side=8, classes=3) -> None:
    chance, data = random.Random(1), b"mtkdset1" + struct.pack("<7Q", 1, side, side, classes, *counts)
    data += struct.pack("<2d", 0.5, 0.25)
    for count in counts:
        labels = [index % classes for index in range(count)]
        data += struct.pack(f"<{count}H", *labels)
        for label in labels:
            data += bytes(chance.randrange(80) + 60 * label for _ in range(side * side))
    pathlib.Path(path).write_bytes(data)


class TorchRunner(Runner):
    """A run of a method with two teachers."""

    def __init__(self, home: str, method: str, **options):
        super().__init__(ROOT / "tests" / "start_torch.py", EPOCHS, forks=True)
        self.data, self.weights = os.path.join(home, "images.bin"), []
        packed(self.data)
        for index, spec in enumerate(TEACHERS):
            network = networks.build(spec["family"], spec["parameters"], 1, 3)
            initial.draw(network, index)
            self.weights.append(os.path.join(home, f"{index}.safetensors"))
            pathlib.Path(self.weights[-1]).write_bytes(safetensors(network.state_dict()))
        self.run |= {
            "student": STUDENT, "method": {"name": method, "options": options},
            "teachers": [{"network": spec} for spec in TEACHERS]}
        self.run["recipe"] |= {
            "batchSize": 8, "learningRate": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 1e-4,
            "milestones": [4], "gamma": 0.1}

    def start(self):
        reported = 0
        while reported in self.heard:
            reported += 1
        request = {
            "protocol": 2, "folder": self.folder, "reported": reported, "key": "k", "slot": 1, "dataset": self.data,
            "teachers": self.weights, "run": self.run}
        return Attempt(self.script, request, self.forks)


@unittest.skipUnless(torch, "needs torch and numpy")
class TorchTrainerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Children are forked, which threads of torch would not survive.
        torch.set_num_threads(1)
        cls.addClassCleanup(setattr, run, "CHECKPOINT_STEPS", run.CHECKPOINT_STEPS)
        run.CHECKPOINT_STEPS = EVERY

    def killed(self, method, **options):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        calm = TorchRunner(home.name, method, **options)
        self.addCleanup(calm.close)
        seconds = calm.whole()
        self.assertEqual(len(calm.states()), EPOCHS)
        # On a busy machine a run may be over before a kill falls into one of its
        # epochs: then another is killed.
        for chance in range(20):
            disturbed = TorchRunner(home.name, method, **options)
            self.addCleanup(disturbed.close)
            disturbed.killed(KILLS + chance, seconds)
            self.assertEqual(disturbed.contradictions, [])
            self.assertEqual(disturbed.states(), calm.states(), disturbed.log())
            if re.search(r"going on from epoch \d+, step \d+ of it", disturbed.log()):
                return calm
        self.fail("no kill fell into an epoch")

    def test_runs_that_are_killed_end_with_equal_states(self):
        calm = self.killed("mtkd-rl", policy="ddpg")
        metrics = calm.states()[-1][1]
        for name in ("test.acc1", "validation.loss", "train.feature", "weight.logit.1", "policy.valueLoss"):
            self.assertIn(name, metrics)

    def test_so_do_those_of_mmkd_and_its_buffer(self):
        self.killed("mmkd")

    def test_so_do_those_with_running_states_and_ND(self):
        self.killed("mtkd-rl", stateNorm="running", ndMode="add")

    def test_so_do_those_whose_policy_learns_within_epochs_and_explores(self):
        self.killed("mtkd-rl", policy="ppo", policyInterval=3)

    def test_how_often_each_teacher_and_the_student_agree_is_counted_on_demand(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        plain, asked = TorchRunner(home.name, "aver-kd"), TorchRunner(home.name, "aver-kd")
        asked.run["agreement"] = True
        for runner in (plain, asked):
            self.addCleanup(runner.close)
            runner.whole()
        self.assertEqual([state for state, _ in asked.states()], [state for state, _ in plain.states()])
        self.assertFalse(any("agreement" in name for name in plain.states()[-1][1]))

        def named(spec, path):
            network = networks.build(spec["family"], spec["parameters"], 1, 3).eval()
            network.load_state_dict(read_safetensors(path, "torch"))
            pixels = torch.from_numpy(PackedDataset(asked.data).test.arrays()[0].astype("float32"))
            with torch.no_grad():
                return network((pixels / 255 - 0.5) / 0.25).logits.argmax(1).tolist()
        own = named(STUDENT, os.path.join(asked.folder, "weights.safetensors"))
        for place, (spec, path) in enumerate(zip(TEACHERS, asked.weights)):
            shared = sum(a == b for a, b in zip(own, named(spec, path)))
            self.assertEqual(asked.states()[-1][1][f"test.agreement.{place}"], 100 * shared / len(own))

    def test_a_loss_that_is_no_number_is_a_failure_with_its_cause(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        runner = TorchRunner(home.name, "baseline")
        self.addCleanup(runner.close)
        runner.run["recipe"]["learningRate"] = 1e20
        attempt = runner.start()
        self.assertEqual(attempt.wait(), 0)
        self.assertEqual(attempt.records[-1]["record"], "failed")
        self.assertEqual(attempt.records[-1]["cause"], "diverged")

    def test_a_device_without_a_driver_is_named(self):
        if torch.cuda.is_available():
            self.skipTest("there is a device")
        with self.assertRaisesRegex(TrainerError, "cuda:1.*finds no driver"):
            run.device_of({"MTKD_DEVICE": "cuda:1"})
        self.assertEqual(run.device_of({}).type, "cpu")


if __name__ == "__main__":
    unittest.main()
