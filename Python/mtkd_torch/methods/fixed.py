"""Methods without weights to find: labels alone, equal weights, attention transfer."""
from __future__ import annotations

import torch

from .. import losses
from ..distillation import Batch, Loss, Weighted
from .base import Method


class Baseline(Method):
    """Labels alone."""

    def loss(self, batch: Batch) -> Loss:
        task = losses.cross_entropy(batch.student.logits, batch.labels, batch.smoothing)
        return Loss(task.mean(), task.mean(), details={"h": task})


class Average(Method):
    """AVER (KD): every teacher's logits, weighed alike."""

    has_features = False

    def __init__(self, options, context):
        super().__init__(options, context)
        self.weighted = Weighted(options, context, self.trained, self.has_features)

    def loss(self, batch: Batch) -> Loss:
        terms = self.weighted.terms(batch)
        return self.weighted.loss(terms, torch.full_like(terms.kl, 1 / terms.kl.shape[1]))


class AverageFitNet(Average):
    """AVER (KD+FitNet): feature maps too."""

    has_features = True


class AttentionTransfer(Method):
    """AT: attention maps of every stage, teachers weighed alike."""

    def loss(self, batch: Batch) -> Loss:
        task = losses.cross_entropy(batch.student.logits, batch.labels, batch.smoothing)
        own = batch.student.stages
        costs = torch.stack([losses.attention_distance(own, t.stages) for t in batch.teachers], 1)
        feature = costs.mean(1).mean()
        total = task.mean() + self.options["attentionBeta"] * feature
        weights = torch.full_like(costs, 1 / costs.shape[1])
        return Loss(total, task.mean(), None, feature, {"h": task, "dis": costs, "action_f": weights})
