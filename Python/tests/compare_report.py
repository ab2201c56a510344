"""Compares mtkd_results with what the program says: compare_report.py PROGRAM STORE SWEEP

Every number of `report --format csv` and of `export --format csv` has to be there with the same bits.
"""
import csv
import io
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import mtkd_results  # noqa: E402

program, store, sweep = sys.argv[1:]


def said(*words):
    return list(csv.DictReader(io.StringIO(subprocess.run(
        [program, *words, "--store", store], capture_output=True, text=True, check=True).stdout)))


def rows(table):
    return table.to_dict("records") if hasattr(table, "to_dict") else table


def bits(value):
    return "" if value in ("", None) or value != value else struct.pack("<d", float(value)).hex()


def check(condition, *what):
    if not condition:
        sys.exit(f"differs: {what}")


compared = 0
results = mtkd_results.open(store)
for preference in ([], ["--metric", "test.loss"]):
    lines = said("report", sweep, "--format", "csv", *preference)
    cells = rows(results.cells(sweep, metric=preference[1] if preference else None))
    check(len(lines) == len(cells) > 0, "cells", len(lines), len(cells))
    for line, cell in zip(lines, cells):
        for name in (
            "mean", "std", "median", "ci95_low", "ci95_high", "boot95_low", "boot95_high", "last_mean", "last_std",
            "best_mean", "best_std", "n", "asked",
        ):
            check(bits(line[name]) == bits(cell[name]), name, line, cell)
            compared += bits(line[name]) != ""
        for name in ("student", "method", "select", "metric"):
            check(line[name] == cell[name], name, line, cell)
        check(line["programs"].replace("mixed: ", "").replace("withheld: ", "") == "; ".join(cell["programs"]), line, cell)
        check(len(cell["gaps"]) == line["gaps"].count("seed "), "gaps", line, cell)

found = {(row["key"], row["epoch"]): row for row in rows(results.epochs(sweep))}
for line in said("export", sweep, "--format", "csv", "-o", "-"):
    if line["epoch"] and line["metric"]:
        row = found[line["run"], int(line["epoch"])]
        name = line["metric"] if f"metric.{line['metric']}" not in row else f"metric.{line['metric']}"
        check(bits(line["value"]) == bits(row[name]), line, row)
        compared += 1
print(f"{compared} numbers are equal to the bit")
