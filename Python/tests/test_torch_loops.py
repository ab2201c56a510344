"""Three loops of PyTorch in the styles that people write, each killed fifty times. Skipped
where there is no torch."""
import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import unittest

from harness import LOOPS, Runner, kill_until

try:
    import numpy  # noqa: F401
    import torch
except ImportError:
    torch = None

KILLS = 50


@unittest.skipUnless(torch, "needs torch and numpy")
class TorchLoopTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Children are forked, which threads of torch would not survive; the loops are too small for more.
        torch.set_num_threads(1)

    def killed(self, name):
        calm = kill_until(self, LOOPS / f"{name}.py", KILLS, epochs=5, forks=True)
        self.assertEqual(
            [metrics["test.acc1"] for _, metrics in calm.states()], self.numbers(name), "the library changes numbers")
        return calm

    def numbers(self, name):
        """What the loop says without the library."""
        with tempfile.TemporaryFile("w+") as out:
            child = os.fork()
            if child == 0:
                os.dup2(out.fileno(), 2)
                sys.stderr = os.fdopen(2, "w", buffering=1)
                runpy.run_path(str(LOOPS / "before" / f"{name}.py"), run_name="__main__")
                sys.stderr.flush()
                os._exit(0)
            os.waitpid(child, 0)
            out.seek(0)
            return [float(number) for number in re.findall(r"epoch \d+: (\S+)", out.read())]

    def test_a_plain_loop_killed_fifty_times_ends_with_the_states_of_an_undisturbed_run(self):
        self.killed("plain")

    def test_a_loop_of_boxes_killed_fifty_times_ends_with_the_states_of_an_undisturbed_run(self):
        self.killed("boxes")

    def test_a_loop_of_a_module_killed_fifty_times_ends_with_the_states_of_an_undisturbed_run(self):
        self.killed("module")

    def test_asked_to_stop_a_loop_of_torch_leaves_and_goes_on(self):
        kill_until(self, LOOPS / "plain.py", 5, epochs=5, forks=True, signals=(signal.SIGTERM,))

    def test_the_usual_way_to_resume_changes_every_seed_and_this_one_none(self):
        told = subprocess.run(
            [sys.executable, str(LOOPS / "usual_recipe.py")], capture_output=True, text=True, check=True).stdout
        self.assertRegex(told, r"weights and optimiser only \| 5 of 5")
        self.assertRegex(told, r"mtkd_trainer \| 0 of 5 \| 0\.00")

    def test_another_seed_of_the_loop_has_other_states(self):
        one, two = (Runner(LOOPS / f"{name}.py", 5, forks=True) for name in ("plain", "module"))
        self.addCleanup(one.close)
        self.addCleanup(two.close)
        one.whole()
        two.whole()
        self.assertNotEqual(one.states(), two.states())


if __name__ == "__main__":
    unittest.main()
