"""AE-KD: the combination of teachers whose gradients agree best (`methods.md` 5.4)."""
from __future__ import annotations

import numpy
import torch
from torch import Tensor

from .. import weights
from ..distillation import Batch, Loss, Weighted
from .base import Method


class AEKD(Method):
    """One weight a teacher for a whole batch, from gradients at the logits."""

    has_features = False

    def __init__(self, options, context):
        super().__init__(options, context)
        released = options["scaling"] == "released"
        self.weighted = Weighted(
            options, context, self.trained, self.has_features, alpha=1 if released else None,
            beta=100 if released and self.has_features else None)

    def loss(self, batch: Batch) -> Loss:
        logits = batch.student.logits
        vectors = gradient_vectors(logits, lambda leaf: self.weighted.logit_costs(leaf, batch.teachers))
        # First, because running statistics must not move between the terms and their gradients.
        feature_weights = self._feature_weights(batch)
        return self.weighted.loss(
            self.weighted.terms(batch), self._rows(self._solve(vectors), logits), feature_weights)

    def _feature_weights(self, batch: Batch) -> Tensor | None:
        return None

    def _solve(self, vectors: numpy.ndarray) -> numpy.ndarray:
        count, bound = len(vectors), self.options["cmax"]
        if self.options["aekdSolver"] == "exact" or count == 1:
            return weights.minimum_norm(vectors, bound)
        # Where the released solver often stops: at its starting point.
        found, rest = [], 1.0
        for _ in vectors:
            found.append(min(max(bound, 1 / count), rest))
            rest -= found[-1]
        return numpy.array(found)

    @staticmethod
    def _rows(shares: numpy.ndarray, like: Tensor) -> Tensor:
        return torch.from_numpy(shares).to(like).expand(len(like), -1)


class AEKDHint(AEKD):
    """With a feature term, weighed by gradients at the student's map, each of length 1."""

    has_features = True

    def _feature_weights(self, batch):
        map = batch.student.map
        # Running statistics move once a step, in `terms`.
        state = {name: buffer.clone() for name, buffer in self.trained.named_buffers()}
        vectors = gradient_vectors(
            map, lambda leaf: self.weighted.distances(
                self.weighted.transformed(leaf, batch.teachers), batch.teachers, leaf))
        for name, buffer in self.trained.named_buffers():
            buffer.copy_(state[name])
        lengths = numpy.linalg.norm(vectors, axis=1)
        if not (lengths > 0).all() or not numpy.isfinite(lengths).all():
            return self._rows(numpy.full(len(vectors), 1 / len(vectors)), map)
        shares = self._solve(vectors / lengths[:, None]) / lengths
        return self._rows(shares / shares.sum(), map)


def gradient_vectors(point: Tensor, costs) -> numpy.ndarray:
    """v of each teacher: the mean over samples of the gradient of the batch mean of its cost, in 64 bits."""
    leaf = point.detach().requires_grad_()
    means = costs(leaf).mean(0)
    gradients = [torch.autograd.grad(mean, leaf, retain_graph=True)[0] for mean in means]
    return numpy.stack([g.double().mean(0).flatten().cpu().numpy() for g in gradients])
