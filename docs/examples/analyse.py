#!/usr/bin/env python3
"""Reads a store with mtkd_results, step by step as in a notebook: python3 analyse.py STORE

Needs no other package. With pandas the tables are frames; here they are read as rows either way.
"""
import sys

import mtkd_results


def rows(table):
    """A frame of pandas as rows; a list of rows as it is."""
    return table.to_dict("records") if hasattr(table, "to_dict") else table


results = mtkd_results.open(sys.argv[1] if len(sys.argv) > 1 else "results")
sweep = results.sweeps()[0]

# The table of the sweep: the numbers of `mtkd-sweep report --format csv`, to the bit.
print(f"# {sweep}")
for cell in rows(results.cells(sweep)):
    mean, std = cell["mean"], cell["std"]
    print(f"{cell['student']} {cell['method']}: n = {cell['n']} of {cell['asked']}, mean {mean!r}, std {std!r}")

# Which seed of each method is the best, and where it stood half-way.
epochs = rows(results.epochs(sweep))
done = [run for run in rows(results.runs(sweep)) if run["state"] == "finished"]
for method in sorted({run["method"] for run in done}):
    best = max((run for run in done if run["method"] == method), key=lambda run: run["value"])
    curve = [epoch[best["metric"]] for epoch in epochs if epoch["key"] == best["key"]]
    print(f"best of {method}: seed {best['seed']}, {curve[len(curve) // 2 - 1]!r} half-way, {curve[-1]!r} at the end")

# What did not get a number, and why.
for run in rows(results.runs(sweep)):
    if run["state"] != "finished":
        print(f"no number: {run['method']} seed {run['seed']} is {run['state']}: {run['reason']}")
