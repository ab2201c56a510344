"""Paired differences of the two engines, PyTorch minus own trainer, with 90 % intervals: intervals.py STORE

`PYTHONPATH=Python` from the root of the repository; needs no other package.
"""
import math
import sys

import mtkd_results
from mtkd_results import statistics

#: Two standard deviations over seeds of ten baseline runs, in points (README.md).
MARGINS = {"resnet8": 3.9, "shufflenetv2-0-5": 5.2}


def accuracies(results, sweep: str) -> dict:
    rows = results.runs(sweep)
    rows = rows.to_dict("records") if hasattr(rows, "to_dict") else rows
    missing = [row for row in rows if row["state"] != "finished"]
    if missing:
        sys.exit(f"{len(missing)} of {len(rows)} runs of {sweep} are not finished")
    return {(row["student"], row["method"], row["seed"]): row["value"] for row in rows}


def row(name: str, differences: list, margin: float) -> None:
    found, count = statistics.sample(differences), len(differences)
    reach = statistics.quantile(count - 1.0, 1 - 0.90) * found["std"] / math.sqrt(count)
    low, high = found["mean"] - reach, found["mean"] + reach
    verdict = "yes" if -margin < low and high < margin else "no"
    print(f"| {name} | {count} | {found['mean']:+.2f} | {found['std']:.2f} | {low:+.2f} to {high:+.2f} | "
          f"±{margin:.1f} | {verdict} |")


def main(store: str) -> None:
    results = mtkd_results.open(store)
    own, torch = accuracies(results, "parity-embedded"), accuracies(results, "parity-torch")
    print("| student and method | pairs | mean | std | 90 % interval | margin | inside |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for student, margin in MARGINS.items():
        methods = sorted({method for name, method, _ in own if name == student})
        seeds = sorted({seed for name, _, seed in own if name == student})
        of = {method: [torch[student, method, seed] - own[student, method, seed] for seed in seeds] for method in methods}
        for method in methods:
            row(f"{student} {method}", of[method], margin)
        together = [sum(of[method][place] for method in methods) / len(methods) for place in range(len(seeds))]
        row(f"{student}, mean of its methods", together, margin / 2)


if __name__ == "__main__":
    main(sys.argv[1])
