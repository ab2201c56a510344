"""Teachers weighed sample by sample by what they predict: EB-KD by entropy, CA-MKD by the label's cross-entropy."""
from __future__ import annotations

import torch

from .. import losses, weights
from ..distillation import Batch, Loss, Weighted
from .base import Method


class EntropyKD(Method):
    """EB-KD: the surer a teacher is of a sample, the more it counts."""

    def __init__(self, options, context):
        super().__init__(options, context)
        released = options["scaling"] == "released"
        inverse = options["ebkdVariant"] == "inverse"
        self.variant = "complement" if released else "inverse" if inverse else "complement-normalised"
        self.weighted = Weighted(options, context, self.trained, False, alpha=1 if released else None)

    def loss(self, batch: Batch) -> Loss:
        shares = weights.by_entropy(weights.entropies([t.logits for t in batch.teachers]), self.variant)
        divisor = shares.shape[1] if self.variant == "complement" else 1
        return self.weighted.loss(self.weighted.terms(batch), shares, divisor=divisor)


class ConfidenceKD(Method):
    """CA-MKD: feature weights come from the student's map in a teacher's form, through that teacher's own classifier."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self.released = options["scaling"] == "released"
        gradient = options["camkdWeightGradient"]
        self.through = self.released if gradient == "scaling" else gradient == "through"
        self.weighted = Weighted(
            options, context, self.trained, True, alpha=1 if self.released else None,
            beta=50 if self.released else None)
        self.heads, self.skips_short_batches = context.heads, self.released

    def loss(self, batch: Batch) -> Loss:
        terms = self.weighted.terms(batch)
        maps = terms.transformed if self.through else [x.detach() for x in terms.transformed]
        sent = transformed_entropy(maps, self.heads, batch.labels)
        loss = self.weighted.loss(
            terms, weights.confidence(terms.teacher_entropy), weights.confidence(sent),
            divisor=len(maps) if self.released else 1, omits_feature=self.released and batch.epoch == 0)
        loss.details["ce_transformed"] = sent
        return loss


def transformed_entropy(maps, heads, labels):
    return torch.stack([losses.cross_entropy(head(x), labels) for head, x in zip(heads, maps)], 1)
