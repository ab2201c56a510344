"""A loop of the standard library, killed."""
import difflib
import signal
import subprocess
import sys
import unittest

from harness import LOOPS, Runner, kill_until


class WalkTests(unittest.TestCase):
    def test_killed_fifty_times_its_states_are_those_of_an_undisturbed_run(self):
        kill_until(self, LOOPS / "walk.py", kills=50, epochs=6)

    def test_asked_to_stop_twenty_times_it_goes_on_in_the_middle_of_an_epoch(self):
        kill_until(self, LOOPS / "walk.py", kills=20, epochs=6, signals=(signal.SIGTERM,))

    def test_the_library_changes_no_number_of_the_loop(self):
        before = subprocess.run(
            [sys.executable, str(LOOPS / "before" / "walk.py")], capture_output=True, text=True, check=True).stdout
        runner = Runner(LOOPS / "walk.py", epochs=6)
        self.addCleanup(runner.close)
        runner.whole()
        numbers = [metrics["test.distance"] for _, metrics in runner.states()]
        self.assertEqual([f"epoch {n}: distance {value!r}" for n, value in enumerate(numbers)], before.splitlines())

    def test_each_loop_has_few_lines_more_than_before(self):
        # The walk uses run.steps as well, which is a sixth.
        for name, most in (("walk", 6), ("plain", 5), ("boxes", 5), ("module", 5)):
            with self.subTest(name):
                old, new = (
                    (LOOPS / folder / f"{name}.py").read_text().splitlines() for folder in ("before", "."))
                added = [
                    line for line in difflib.unified_diff(old, new, n=0, lineterm="")
                    if line.startswith("+") and not line.startswith("+++") and line.strip() != "+"]
                self.assertLessEqual(len(added), most, added)


if __name__ == "__main__":
    unittest.main()
