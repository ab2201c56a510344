"""Methods without weights to find: labels alone, equal weights, attention transfer."""
import torch

from .. import losses
from ..distillation import Batch, Loss, Method, Weighted


class Baseline(Method):
    """Labels alone."""

    def loss(self, batch: Batch) -> Loss:
        task = losses.cross_entropy(batch.student.logits, batch.labels, batch.smoothing)
        return Loss(task.mean(), task.mean(), details={"h": task})


class Average(Weighted):
    """AVER: teachers' logits, and feature maps where the option says so, weighed alike."""

    def loss(self, batch: Batch) -> Loss:
        terms = self.terms(batch)
        return self.weigh(terms, torch.full_like(terms.kl, 1 / terms.kl.shape[1]))


class AttentionTransfer(Baseline):
    """AT: attention maps of every stage, teachers weighed alike."""

    def loss(self, batch: Batch) -> Loss:
        loss, own = super().loss(batch), batch.student.stages
        costs = torch.stack([losses.attention_distance(own, t.stages) for t in batch.teachers], 1)
        loss.feature = costs.mean(1).mean()
        loss.total = loss.task + self.options["attentionBeta"] * loss.feature
        loss.details |= {"dis": costs, "action_f": torch.full_like(costs, 1 / costs.shape[1])}
        return loss
