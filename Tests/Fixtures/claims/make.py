"""Reference values of the anytime-valid t test, in 50 digits. Writes claims.json beside itself.

    python3 -m venv .venv && .venv/bin/pip install mpmath && .venv/bin/python Tests/Fixtures/claims/make.py

The formula is that of Rouder et al. 2009 for a normal prior on the effect size, integrated here
numerically as well (over the effect size, against the noncentral t density) for a few cases, so that the
closed form itself is checked.
"""

import json
import pathlib
import random

import mpmath as mp

mp.mp.dps = 50
SCALES = [mp.mpf("0.5"), mp.mpf(1), mp.mpf(2), mp.mpf(4), mp.mpf(8)]


def log_e(n, t):
    nu = mp.mpf(n - 1)
    t2 = mp.mpf(t) ** 2
    total = mp.mpf(0)
    for tau in SCALES:
        spread = 1 + n * tau**2
        total += spread ** mp.mpf("-0.5") * ((1 + t2 / nu) / (1 + t2 / (nu * spread))) ** (mp.mpf(n) / 2)
    return mp.log(total / len(SCALES))


def critical_t(n, evidence):
    reachable = sum((1 + n * tau**2) ** (mp.mpf(n - 1) / 2) for tau in SCALES) / len(SCALES)
    if reachable <= evidence:
        return None
    low, high = mp.mpf(0), mp.mpf(1)
    while log_e(n, high) < mp.log(evidence):
        low, high = high, 2 * high
    for _ in range(160):
        middle = (low + high) / 2
        if log_e(n, middle) < mp.log(evidence):
            low = middle
        else:
            high = middle
    return high


def noncentral_t_density(t, nu, shift):
    """By integrating the scale out: t = (z + shift) / w with w² ν ~ χ²(ν)."""
    constant = 2 * (nu / 2) ** (nu / 2) / mp.gamma(nu / 2)

    def integrand(w):
        return w * mp.npdf(t * w - shift) * constant * w ** (nu - 1) * mp.e ** (-nu * w * w / 2)

    return mp.quad(integrand, [0, 0.25, 0.5, 1, 1.5, 2, 3, 6])


def log_e_by_integration(n, t):
    nu = mp.mpf(n - 1)
    null = noncentral_t_density(t, nu, mp.mpf(0))
    total = mp.mpf(0)
    for tau in SCALES:

        def integrand(delta):
            return noncentral_t_density(t, nu, delta * mp.sqrt(n)) * mp.npdf(delta, 0, tau)

        total += mp.quad(integrand, mp.linspace(-8 * tau, 8 * tau, 17)) / null
    return mp.log(total / len(SCALES))


def main():
    draws = random.Random(5)
    evidence = []
    for _ in range(200):
        n = draws.choice([2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100])
        t = draws.choice([-1, 1]) * 10 ** draws.uniform(-3, 3)
        evidence.append({"n": n, "t": t, "log": float(log_e(n, t))})
    for n in (2, 3, 20, 100):
        for t in (0.0, 1e-8, 1e8, 1e150):
            evidence.append({"n": n, "t": t, "log": float(log_e(n, mp.mpf(t)))})
    critical = []
    for n in (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 100):
        for value in (20, 40, 52, 53, 100, 1000, 20000):
            t = critical_t(n, value)
            critical.append({"n": n, "evidence": value, "t": None if t is None else float(t)})
    mp.mp.dps = 20
    integrated = [
        {"n": n, "t": t, "log": float(log_e_by_integration(n, mp.mpf(t)))} for n, t in ((3, 2.0), (5, 4.5))
    ]
    out = {"evidence": evidence, "critical": critical, "integrated": integrated}
    path = pathlib.Path(__file__).with_name("claims.json")
    path.write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
