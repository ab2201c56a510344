"""What holds of the trainer `torch` where there is no torch: that the record of `make test-torch` is about
the code and the fixtures that lie here, and has every case."""
import json
import os
import subprocess
import sys
import unittest

import record_torch

FIXTURES = os.environ.get("MTKD_FIXTURES") or record_torch.ROOT.parent / "Tests" / "Fixtures"


class TorchRecordTests(unittest.TestCase):
    def setUp(self):
        self.record = json.loads(record_torch.RECORD.read_text(encoding="utf-8"))

    def test_every_case_is_recorded_within_its_limit(self):
        cases = self.record["cases"]
        missing = [name for name in record_torch.listed(FIXTURES) if name not in cases]
        self.assertEqual(missing, [], "run `make test-torch PYTHON=…` with a Python that has torch")
        self.assertEqual([name for name, case in cases.items() if not case["error"] <= 1], [])

    def test_the_record_is_of_the_code_and_the_fixtures_of_today(self):
        advice = "is no longer what was recorded: run `make test-torch PYTHON=…` with a Python that has torch"
        self.assertEqual(self.record["code"], record_torch.code_digest(), f"mtkd_torch or mtkd_trainer {advice}")
        own = record_torch.fixtures_digest(record_torch.ROOT.parent / "Tests" / "Fixtures")
        self.assertEqual(self.record["fixtures"], own, f"Tests/Fixtures {advice}")


class WithoutTorchTests(unittest.TestCase):
    def test_a_python_without_torch_is_told_which_it_is_and_what_to_type(self):
        code = "import runpy, sys; sys.modules['torch'] = None; runpy.run_module('mtkd_torch', run_name='__main__')"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=record_torch.ROOT, capture_output=True, text=True, input="")
        self.assertEqual(done.returncode, 1)
        self.assertIn(sys.executable, done.stdout)
        self.assertIn("python3 -m pip install torch numpy", done.stdout)


if __name__ == "__main__":
    unittest.main()
