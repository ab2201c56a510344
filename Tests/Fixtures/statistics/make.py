#!/usr/bin/env python3
"""Reference values of the report's statistics: `python3 make.py > statistics.json`.

Made with numpy 2 and scipy 1.17.1. What scipy does not offer (every resample of a bootstrap, the seeded
stream, Holm, exact tests under ties) is computed here from its definition, by enumeration.
"""
import itertools, json, math, sys
import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20260725)
out = {"scipy": scipy.__version__, "numpy": np.__version__}

# scipy gives no number for the noncentral t far out: the cases keep away from there.
# Student's t: survival and quantiles.
out["t"] = [
    {"freedom": df, "t": t, "p": float(2 * stats.t.sf(abs(t), df))}
    for df in [1, 2, 2.7, 3.9999, 5, 10, 33.3, 200, 1e4] for t in [0, 1e-3, 0.5, 1, 2.5, 4.3, 12, 60]
]
out["quantiles"] = [
    {"freedom": df, "p": p, "t": float(stats.t.isf(p / 2, df))}
    for df in [1, 2, 3.3, 4, 9, 30, 1e3] for p in [0.5, 0.1, 0.05, 0.01, 0.001]
]
out["noncentral"] = [
    {"freedom": df, "t": t, "shift": d, "above": float(stats.nct.sf(t, df, d) if d else stats.t.sf(t, df))}
    for df in [1, 2, 4, 9, 32, 400] for t in [-2.0, 1.0, 2.2, 4.3] for d in [-1.5, 0.0, 0.8, 2.8]
]


def bootstrap_all(values):
    n = len(values)
    grids = np.array(np.meshgrid(*[values] * n)).reshape(n, -1)
    return [float(q) for q in np.quantile(grids.mean(axis=0), [0.025, 0.975])]


def bootstrap_stream(values, seed=0x6D746B64, resamples=10_000):
    mask, counter, n = (1 << 64) - 1, 0, len(values)
    means = []
    for _ in range(resamples):
        total = 0.0
        for _ in range(n):
            counter += 1
            z = (seed + counter * 0x9E3779B97F4A7C15) & mask
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
            z ^= z >> 31
            total += values[(z >> 32) * n >> 32]
        means.append(total / n)
    return [float(q) for q in np.quantile(means, [0.025, 0.975])]


samples = [np.round(rng.normal(72, 0.4, n), 2).tolist() for n in [2, 3, 3, 4, 5, 6, 7]]
samples += [[72.0, 72.0, 73.0], [0.1, 1e6, -3.0], np.round(rng.normal(72, 0.4, 12), 2).tolist(), np.round(rng.normal(1, 2, 40), 3).tolist()]
out["samples"] = []
for values in samples:
    n = len(values)
    low, high = stats.t.interval(0.95, n - 1, loc=np.mean(values), scale=stats.sem(values))
    out["samples"].append({
        "values": values, "mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "median": float(np.median(values)),
        "t": [float(low), float(high)],
        "bootstrap": bootstrap_all(values) if n <= 7 else bootstrap_stream(values),
        # Another generator's 200 000 resamples: only as near as chance allows.
        "scipyBootstrap": [float(x) for x in stats.bootstrap((values,), np.mean, n_resamples=200_000, method="percentile", rng=7, batch=20_000).confidence_interval],
    })


def sign_flip(d):
    sums = [abs(sum(s * x for s, x in zip(signs, d))) for signs in itertools.product([1, -1], repeat=len(d))]
    bound = abs(sum(d)) - 1e-12 * sum(map(abs, d))
    return sum(s >= bound for s in sums) / len(sums) if any(d) else 1.0


def wilcoxon(d):
    d = [x for x in d if x != 0]
    if not d:
        return 1.0
    ranks = stats.rankdata(np.abs(d))
    observed = sum(r for r, x in zip(ranks, d) if x > 0)
    mean = sum(ranks) / 2
    sums = [sum(r for r, s in zip(ranks, signs) if s) for signs in itertools.product([0, 1], repeat=len(d))]
    return sum(abs(s - mean) >= abs(observed - mean) - 1e-9 for s in sums) / len(sums)


pairs = []
for n in [2, 3, 3, 4, 5, 5, 6, 8, 10, 12]:
    base = rng.normal(72, 0.4, n)
    pairs.append((np.round(base, 2).tolist(), np.round(base + rng.normal(0.25, 0.3, n), 2).tolist()))
pairs.append(([72.0, 71.5, 72.5, 73.0, 71.0], [72.0, 72.0, 73.0, 72.5, 72.5]))  # a zero and ties
pairs.append(([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 3.0, 4.0, 5.0, 6.0, 7.5]))  # ties
out["pairs"] = []
for a, b in pairs:
    # Ties are those of the numbers on paper, not of their binary neighbours.
    d = [round(y - x, 10) for x, y in zip(a, b)]
    entry = {"a": a, "b": b, "n": len(a), "difference": float(np.mean(d)), "std": float(np.std(d, ddof=1)) if len(d) > 1 else None,
             "signFlip": sign_flip(d), "wilcoxon": wilcoxon(d), "smallest": 2.0 ** (1 - sum(x != 0 for x in d))}
    test = stats.ttest_rel(b, a)
    entry["p"] = float(test.pvalue)
    interval = test.confidence_interval(0.95)
    entry["interval"] = [float(interval.low), float(interval.high)]
    entry["d"] = entry["difference"] / entry["std"]
    entry["r"] = float(stats.pearsonr(a, b).statistic) if len(a) > 2 else None
    # scipy itself, where its rules are the same: no zeros, and ties by permutation.
    permuted = stats.permutation_test((np.array(d),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert abs(permuted.pvalue - entry["signFlip"]) < 1e-12, (permuted.pvalue, entry)
    if 0 not in d and len(set(np.abs(d))) == len(d):
        assert abs(stats.wilcoxon(b, a, method="exact").pvalue - entry["wilcoxon"]) < 1e-12
    elif 0 not in d:
        assert abs(stats.wilcoxon(d, method=stats.PermutationMethod(n_resamples=np.inf)).pvalue - entry["wilcoxon"]) < 1e-12
    out["pairs"].append(entry)

out["welch"] = []
for a, b in [((80.28, 0.26, 3), (80.58, 0.29, 3)), ((78.09, 0.17, 3), (78.39, 0.14, 3)), ((70.0, 1.5, 5), (71.2, 0.1, 9)), ((1, 2, 2), (1, 0, 4))]:
    test = stats.ttest_ind_from_stats(b[0], b[1], b[2], a[0], a[1], a[2], equal_var=False)
    va, vb = a[1] ** 2 / a[2], b[1] ** 2 / b[2]
    df = (va + vb) ** 2 / (va ** 2 / (a[2] - 1) + vb ** 2 / (b[2] - 1))
    reach = float(stats.t.isf(0.025, df)) * math.sqrt(va + vb)
    pooled = math.sqrt(((a[2] - 1) * a[1] ** 2 + (b[2] - 1) * b[1] ** 2) / (a[2] + b[2] - 2))
    out["welch"].append({
        "a": list(a), "b": list(b), "p": float(test.pvalue), "freedom": df, "interval": [b[0] - a[0] - reach, b[0] - a[0] + reach],
        "g": (b[0] - a[0]) / pooled * (1 - 3 / (4 * (a[2] + b[2]) - 9)),
    })

out["families"] = []
for family in [[0.01, 0.04, 0.03, 0.005], [0.2], [0.5, 0.5, 0.01, 0.9, 0.02, 0.02], rng.uniform(0, 0.2, 12).tolist()]:
    order = np.argsort(family, kind="stable")
    holm, highest = [0.0] * len(family), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(family) - rank) * family[index]))
        holm[index] = highest
    out["families"].append({"p": family, "holm": holm, "bh": [float(x) for x in stats.false_discovery_control(family)]})


def power_two(n, d, alpha=0.05):
    df, shift = 2 * n - 2, d * math.sqrt(n / 2)
    c = stats.t.isf(alpha / 2, df)
    return float(stats.nct.sf(c, df, shift) + stats.nct.cdf(-c, df, shift))


def power_one(n, d, alpha=0.05):
    df, shift = n - 1, d * math.sqrt(n)
    c = stats.t.isf(alpha / 2, df)
    return float(stats.nct.sf(c, df, shift) + stats.nct.cdf(-c, df, shift))


out["power"] = [
    {"n": n, "difference": diff, "std": 0.3, "correlation": r, "unpaired": power_two(n, diff / 0.3),
     "paired": power_one(n, diff / (0.3 * math.sqrt(2 * (1 - r))))}
    for n in [2, 3, 5, 10, 17] for diff in [0.15, 0.3, 0.45] for r in [0.0, 0.5, 0.8]
]
json.dump(out, sys.stdout, indent=1, allow_nan=False)
print()
