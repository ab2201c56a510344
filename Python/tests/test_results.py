"""What mtkd_results says of stores that it cannot show, and its statistics against closed forms."""
import math
import os
import pathlib
import sqlite3
import tempfile
import unittest

from harness import ROOT  # noqa: F401

import mtkd_results
from mtkd_results import digests, statistics


class StoreTests(unittest.TestCase):
    def test_what_is_no_store_is_told_so(self):
        with tempfile.TemporaryDirectory() as folder:
            other = os.path.join(folder, "other.sqlite")
            sqlite3.connect(other).execute("CREATE TABLE t (x)")
            noise = pathlib.Path(folder, "noise")
            noise.write_bytes(b"no database at all" * 100)
            for path, says in ((folder, "There is no store"), (other, "not a store"), (str(noise), "cannot be read")):
                with self.assertRaisesRegex(mtkd_results.ResultsError, says):
                    mtkd_results.open(path)

    def test_values_of_different_types_have_different_bytes(self):
        kinds = [None, 1, 1.0, "1", b"1", "", b""]
        self.assertEqual(len({digests.value(kind) for kind in kinds}), len(kinds))


class StatisticsTests(unittest.TestCase):
    def test_the_interval_of_two_values_is_that_of_the_cauchy_distribution(self):
        # One degree of freedom: the quantile is tan(π · 0.475), and its reach for std √2/2
        # and n = 2 is half of it.
        low, high = statistics.interval(2, 10.0, math.sqrt(0.5))
        self.assertAlmostEqual(high - 10, math.tan(math.pi * 0.475) / 2, places=9)
        self.assertAlmostEqual(10 - low, high - 10, places=12)

    def test_large_values_do_not_overflow(self):
        sample = statistics.sample([1e308, 1e308, -1e308])
        self.assertAlmostEqual(sample["mean"] / (1e308 / 3), 1)
        self.assertEqual(sample["median"], 1e308)

    def test_the_bootstrap_of_two_values_is_the_quantiles_of_its_four_resamples(self):
        # Means 1, 2, 2, 3: at 0.025 · 3 = 0.075 between the first two, and the same from above.
        low, high = statistics.bootstrap([1.0, 3.0])
        self.assertAlmostEqual(low, 1.075, places=12)
        self.assertAlmostEqual(high, 2.925, places=12)
        low, high = statistics.bootstrap([float(value) for value in range(9)])
        self.assertTrue(0 < low < 4 < high < 8)


if __name__ == "__main__":
    unittest.main()
