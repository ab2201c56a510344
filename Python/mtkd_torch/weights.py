"""How teachers are weighed against each other: `[batch, teachers]`, or one weight a teacher."""
from __future__ import annotations

import itertools

import numpy
import torch
from torch import Tensor
from torch.nn import functional as F

TERMS = ("policy", "confidence", "divergence")


def confidence(entropy: Tensor) -> Tensor:
    """(1 - softmax over teachers of their cross-entropy) / (M - 1); 1 for one teacher."""
    teachers = entropy.shape[1]
    if teachers == 1:
        return torch.ones_like(entropy)
    return (1 - entropy.softmax(1)) / (teachers - 1)


def mixed(policy: Tensor, sure: Tensor, far: Tensor, terms=TERMS, factors: Tensor | None = None) -> Tensor:
    """The kept terms in equal parts, or in shares that are the softmax of `factors`."""
    parts = dict(zip(TERMS, (policy, sure, far)))
    shares = factors.softmax(0) if factors is not None else [1 / len(terms)] * len(terms)
    return sum(share * parts[term] for share, term in zip(shares, terms))


def entropies(logits: list[Tensor]) -> Tensor:
    """In nats."""
    logs = [F.log_softmax(z.detach(), 1) for z in logits]
    return torch.stack([-(log.exp() * log).sum(1) for log in logs], 1)


def by_entropy(entropy: Tensor, variant: str) -> Tensor:
    """EB-KD: `complement` sums to M - 1, `complement-normalised` and `inverse` to 1."""
    teachers = entropy.shape[1]
    if teachers == 1:
        return torch.ones_like(entropy)
    if variant == "inverse":
        shares = 1 / entropy.clamp_min(1e-12)
        return shares / shares.sum(1, keepdim=True)
    total = entropy.sum(1, keepdim=True)
    # Without any doubt all teachers count alike.
    shares = torch.where(total < 1e-12, torch.full_like(entropy, 1 / teachers), entropy / total)
    return (1 - shares) / (teachers - 1 if variant == "complement-normalised" else 1)


def minimum_norm(vectors: numpy.ndarray, bound: float) -> numpy.ndarray:
    """argmin |Σ a_m v_m|² with Σ a = 1, 0 ≤ a ≤ bound, in 64 bits; equal vectors share equally (`methods.md` 5.4)."""
    count = len(vectors)
    gram = vectors @ vectors.T
    scale = numpy.trace(gram) / count
    if count == 1 or bound * count <= 1 or not scale > 0 or not numpy.isfinite(gram).all():
        return numpy.full(count, 1 / count)
    matrix, bound = gram / scale + 1e-9 * numpy.eye(count), min(bound, 1.0)
    return _enumerated(matrix, bound) if count <= 6 else _descended(matrix, bound)


def _enumerated(matrix, bound):
    """Every assignment of the weights to 0, to the bound and to neither; the best feasible point is the minimum."""
    count = len(matrix)
    best, least = numpy.full(count, 1 / count), numpy.inf
    for kinds in itertools.product((0, 1, 2), repeat=count):
        weights = numpy.array([bound if kind == 1 else 0.0 for kind in kinds])
        free = [index for index, kind in enumerate(kinds) if kind == 2]
        rest = 1 - bound * kinds.count(1)
        if not free:
            if abs(rest) >= 1e-12:
                continue
        elif rest < 0 or not _solve(matrix, bound, weights, free, rest):
            continue
        value = weights @ matrix @ weights
        if value < least:
            best, least = weights, value
    return best


def _solve(matrix, bound, weights, free, rest):
    """The stationary point of the free weights, the last of which is what the others leave of the sum."""
    *others, last = free
    fixed = matrix @ weights
    if others:
        rows = matrix[numpy.ix_(others, others)] - matrix[others, last][:, None]
        rows -= matrix[last, others] - matrix[last, last]
        side = matrix[last, last] * rest + fixed[last] - matrix[others, last] * rest - fixed[others]
        try:
            values = numpy.linalg.solve(rows, side)
        except numpy.linalg.LinAlgError:
            return False
        values = numpy.append(values, rest - values.sum())
    else:
        values = numpy.array([rest])
    if (values < -1e-12).any() or (values > bound + 1e-12).any():
        return False
    weights[free] = numpy.clip(values, 0, bound)
    return True


def _descended(matrix, bound):
    """Moves weight from the vector that hurts most to the one that hurts least until the two agree."""
    count = len(matrix)
    weights = numpy.full(count, 1 / count)
    for _ in range(100_000):
        slopes = matrix @ weights
        to = min((i for i in range(count) if weights[i] < bound), key=lambda i: slopes[i])
        source = max((i for i in range(count) if weights[i] > 0), key=lambda i: slopes[i])
        if slopes[source] - slopes[to] <= 1e-10:
            break
        curvature = matrix[to, to] + matrix[source, source] - 2 * matrix[to, source]
        step = min(bound - weights[to], weights[source], (slopes[source] - slopes[to]) / curvature)
        weights[to] += step
        weights[source] -= step
    return weights
