"""Paired differences of the two engines, PyTorch minus own trainer, with 90 % intervals: intervals.py STORE

`PYTHONPATH=Python` from the root of the repository; needs no other package.
"""
import math
import sys

import mtkd_results
from mtkd_results import statistics

#: Of a method and of a student's methods together: two and one standard deviations over
#: seeds, in points (README.md).
MARGINS = {"resnet8": (3.9, 2.0), "shufflenetv2-0-5": (5.2, 2.6)}


def accuracies(results, sweep: str) -> dict:
    rows = results.runs(sweep)
    rows = rows.to_dict("records") if hasattr(rows, "to_dict") else rows
    done = [row for row in rows if row["state"] == "finished"]
    print(f"{sweep}: {len(done)} of {len(rows)} runs are finished.")
    return {(row["student"], row["method"], row["seed"]): row["value"] for row in done}


def row(name: str, differences: list, seeds: int, margin: float) -> None:
    """The rule holds for all seeds: until they are there, a row only describes."""
    found, count = statistics.sample(differences), len(differences)
    if count < 2:
        print(f"| {name} | {count} | {found['mean']:+.2f} | – | – | ±{margin:.1f} | – |" if found else f"| {name} | 0 | | | | | |")
        return
    reach = statistics.quantile(count - 1.0, 1 - 0.90) * found["std"] / math.sqrt(count)
    low, high = found["mean"] - reach, found["mean"] + reach
    verdict = "–" if count < seeds else "yes" if -margin < low and high < margin else "no"
    print(f"| {name} | {count} | {found['mean']:+.2f} | {found['std']:.2f} | {low:+.2f} to {high:+.2f} | "
          f"±{margin:.1f} | {verdict} |")


def main(store: str) -> None:
    results = mtkd_results.open(store)
    own, torch = accuracies(results, "parity-embedded"), accuracies(results, "parity-torch")
    print("\n| student and method | pairs | mean | std | 90 % interval | margin | inside |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for student, (margin, together_margin) in MARGINS.items():
        methods = sorted({method for name, method, _ in own if name == student})
        seeds = sorted({seed for name, _, seed in own if name == student})
        of = {
            method: {seed: torch[student, method, seed] - own[student, method, seed]
                     for seed in seeds if (student, method, seed) in torch} for method in methods}
        for method in methods:
            row(f"{student} {method}", list(of[method].values()), len(seeds), margin)
        whole = [seed for seed in seeds if all(seed in of[method] for method in methods)]
        together = [sum(of[method][seed] for method in methods) / len(methods) for seed in whole]
        row(f"{student}, mean of its methods", together, len(seeds), together_margin)


if __name__ == "__main__":
    main(sys.argv[1])
