"""Reads the results of sweeps where people analyse them, while a sweep runs too.

    import mtkd_results
    results = mtkd_results.open("results")
    cells = results.cells("table1")          # a pandas frame; a list of dictionaries where there is no pandas

The store is opened read-only. Numbers of a sweep are shown where their digests say that they are what was
written, and they are those of `mtkd-sweep report --format csv` to the bit.
"""
from .store import Results, ResultsError, open

__all__ = ["Results", "ResultsError", "open"]
