"""MMKD: two networks weigh the teachers, and learn by looking how a student does that was trained with their weights.

The student's step comes first. Every fifth batch the student is trained ahead on hard samples, twice by the match loss
and once on labels, and the networks take a step of Adam against the label loss that results, differentiated exactly
through the three steps (`methods.md` 5.7). Then the student is as before.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from .. import losses, streams
from ..agents import descend, norm_of
from ..distillation import Batch, Loss, Weighted
from ..networks.parts import two_layers
from ..training import Ahead

_INTERVAL, _MATCH_STEPS, _LEAST_BUFFER = 5, 2, 256


def weight_network(inputs: int, teachers: int) -> nn.Sequential:
    """One hidden layer of half the input's width, softmax over teachers."""
    return two_layers(inputs, max(1, inputs // 2), teachers, shares=nn.Softmax(1))


def similarities(maps: list[Tensor]) -> Tensor:
    """K^1 | … | K^M | K^S: K = A Aᵀ of the flattened maps of the batch."""
    rows = [map.detach().flatten(1) for map in maps]
    return torch.cat([r @ r.t() for r in rows], 1)


def label_loss(seen: Batch) -> Tensor:
    return losses.cross_entropy(seen.student.logits, seen.labels).mean()


class MetaKD(Weighted):
    skips_short_batches = meets_in_smaller = True

    def __init__(self, options, training):
        super().__init__(options, training)
        count = len(training.teachers)
        self.learned.meta = nn.ModuleDict({
            "logit": weight_network(training.example.student.logits.shape[1] * (count + 1), count),
            "feature": weight_network(training.recipe["batchSize"] * (count + 1), count)})
        self.adam = torch.optim.Adam(self.learned.parameters(), 1e-3, weight_decay=1e-4)
        self.capacity = max(_LEAST_BUFFER, training.recipe["batchSize"])
        # Where hard samples are: (epoch, sample), since a view is a function of these.
        self.buffer: list[tuple[int, int]] = []

    def _weights(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """u and u'; the student's part of their inputs is a constant."""
        seen, networks = [*batch.teachers, batch.student], self.learned.meta
        return (
            networks["logit"](torch.cat([a.logits.detach() for a in seen], 1)),
            networks["feature"](similarities([a.map for a in seen])))

    def loss(self, batch: Batch) -> Loss:
        with torch.no_grad():
            logit, feature = self._weights(batch)
        return self.weigh(self.terms(batch), logit, feature)

    def finish_step(self, batch, training):
        outcome = {"policy": [], "overwritten": self._keep(batch)}
        if batch.index % _INTERVAL == 0 and len(self.buffer) >= len(batch.samples):
            draw = streams.Stream(self.seed, "mmkd draw", batch.epoch, batch.index)
            rows = draw.shuffled(len(self.buffer))[:len(batch.samples)]
            outcome["policy"] = [self._look_ahead(training, batch, rows)]
        return outcome

    def _keep(self, batch: Batch) -> list[int] | None:
        """Until the buffer is full all samples go in; later those that the student got wrong overwrite others."""
        views = [(batch.epoch, sample) for sample in batch.samples]
        if len(self.buffer) < self.capacity:
            self.buffer += views[:self.capacity - len(self.buffer)]
            return None
        wrong = (batch.student.logits.argmax(1) != batch.labels).tolist()
        hard = [view for view, is_wrong in zip(views, wrong) if is_wrong]
        places = streams.Stream(self.seed, "mmkd buffer", batch.epoch, batch.index).shuffled(self.capacity)[:len(hard)]
        for view, place in zip(hard, places):
            self.buffer[place] = view
        return places

    def _look_ahead(self, training, batch: Batch, rows: list[int]) -> dict:
        drawn, (alpha, beta) = [self.buffer[row] for row in rows], self.scales
        ahead = Ahead(training, batch, drawn)
        for _ in range(_MATCH_STEPS):
            seen = ahead.observed()
            match = self.weigh(ahead.call(self.terms, seen), *self._weights(seen))
            ahead.step(match.logit * alpha + match.feature * beta)
        ahead.step(label_loss(ahead.observed()))
        end = label_loss(ahead.observed())
        return {
            "batch": batch.index, "objective": end.item(), "grad_l2": descend(end, self.learned, self.adam),
            "param_l2": norm_of(self.learned.parameters()), "rows": rows, "drawn": [sample for _, sample in drawn]}

    def get_extra_state(self):
        return {"buffer": self.buffer, "adam": self.adam.state_dict()}

    def set_extra_state(self, state) -> None:
        self.buffer = [tuple(view) for view in state["buffer"]]
        self.adam.load_state_dict(state["adam"])
