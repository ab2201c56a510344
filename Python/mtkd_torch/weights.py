"""How teachers are weighed against each other: `[batch, teachers]`, or one weight a teacher."""
from __future__ import annotations

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
    """The kept terms, in the order of `TERMS`, in equal parts or in shares that are the softmax of `factors`."""
    terms = [term for term in TERMS if term in terms]
    parts = dict(zip(TERMS, (policy, sure, far)))
    shares = factors.softmax(0) if factors is not None else [1 / len(terms)] * len(terms)
    return sum(share * parts[term] for share, term in zip(shares, terms))


def entropies(logits: list[Tensor]) -> Tensor:
    """In nats."""
    logs = [F.log_softmax(z.detach(), 1) for z in logits]
    return torch.stack([-(log.exp() * log).sum(1) for log in logs], 1)


def by_entropy(entropy: Tensor, variant: str) -> Tensor:
    """EB-KD: `released` sums to M - 1, `complement` and `inverse` to 1."""
    teachers = entropy.shape[1]
    if teachers == 1:
        return torch.ones_like(entropy)
    if variant == "inverse":
        shares = 1 / entropy.clamp_min(1e-12)
        return shares / shares.sum(1, keepdim=True)
    total = entropy.sum(1, keepdim=True)
    # Without any doubt all teachers count alike.
    shares = torch.where(total < 1e-12, torch.full_like(entropy, 1 / teachers), entropy / total)
    return (1 - shares) / (teachers - 1 if variant == "complement" else 1)


def minimum_norm(vectors: numpy.ndarray, bound: float) -> numpy.ndarray:
    """argmin |Σ a_m v_m|² with Σ a = 1, 0 ≤ a ≤ bound, in 64 bits; equal vectors share equally (`methods.md` 5.4).

    By active sets: towards the minimum in the weights that are free, up to the first that reaches an end of its range
    and stays there; at a minimum the one goes free that hurts most where it is.
    """
    count = len(vectors)
    gram, weights = vectors @ vectors.T, numpy.full(count, 1 / count)
    scale = numpy.trace(gram) / count
    if count == 1 or bound * count <= 1 or not scale > 0 or not numpy.isfinite(gram).all():
        return weights
    matrix, bound = gram / scale + 1e-9 * numpy.eye(count), min(bound, 1.0)
    is_free = numpy.ones(count, bool)
    for _ in range(100 * count):
        # Where the free ones leave the least: equal slopes, a sum of 1.
        free, found = numpy.flatnonzero(is_free), numpy.where(is_free, 0, weights)
        system = numpy.ones((len(free) + 1, len(free) + 1))
        system[:-1, :-1], system[-1, -1] = matrix[numpy.ix_(free, free)], 0
        found[free] = numpy.linalg.solve(system, numpy.append(-(matrix @ found)[free], 1 - found.sum()))[:-1]
        step = found - weights
        room = numpy.where(step > 0, bound - weights, weights) / numpy.maximum(numpy.abs(step), 1e-14)
        room[numpy.abs(step) < 1e-14] = numpy.inf
        first = room.argmin()
        weights = numpy.clip(weights + min(1.0, room[first]) * step, 0, bound)
        if room[first] < 1:
            weights[first] = bound if step[first] > 0 else 0.0
            is_free[first] = False
            continue
        slopes = matrix @ weights
        gain = (slopes - slopes[is_free].mean()) * numpy.where(weights > 0, 1, -1)
        gain[is_free] = 0
        if gain.max() <= 1e-12:
            break
        is_free[gain.argmax()] = True
    return weights
