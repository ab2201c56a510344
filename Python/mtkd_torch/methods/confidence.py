"""Teachers weighed sample by sample by what they predict: EB-KD by entropy, CA-MKD by the label's cross-entropy."""
import torch

from .. import losses, weights
from ..distillation import Batch, Loss, Weighted


class EntropyKD(Weighted):
    """EB-KD: the surer a teacher is of a sample, the more it counts."""

    def loss(self, batch: Batch) -> Loss:
        released = self.options["scaling"] == "released"
        variant = "released" if released else self.options["ebkdVariant"]
        shares = weights.by_entropy(weights.entropies([t.logits for t in batch.teachers]), variant)
        return self.weigh(self.terms(batch), shares, divisor=shares.shape[1] if released else 1)


class ConfidenceKD(Weighted):
    """CA-MKD: feature weights come from the student's map in a teacher's form, through that teacher's own classifier."""

    def __init__(self, options, training):
        super().__init__(options, training)
        self.skips_short_batches = options["scaling"] == "released"
        self.heads = [teacher.classify_map for teacher in training.teachers]

    def loss(self, batch: Batch) -> Loss:
        terms, released = self.terms(batch), self.options["scaling"] == "released"
        gradient = self.options["camkdWeightGradient"]
        through = released if gradient == "scaling" else gradient == "through"
        maps = terms.transformed if through else [x.detach() for x in terms.transformed]
        sent = transformed_entropy(maps, self.heads, batch.labels)
        loss = self.weigh(
            terms, weights.confidence(terms.teacher_entropy), weights.confidence(sent),
            divisor=len(maps) if released else 1, omits_feature=released and batch.epoch == 0)
        loss.details["ce_transformed"] = sent
        return loss


def transformed_entropy(maps, heads, labels):
    return torch.stack([losses.cross_entropy(head(x), labels) for head, x in zip(heads, maps)], 1)
