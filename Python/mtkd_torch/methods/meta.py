"""MMKD: two networks weigh the teachers, and learn by looking how a student does that was trained with their weights.

The student's step comes first. Every fifth batch the student is trained ahead on hard samples, twice by the match loss
and once on labels, and the networks take a step of Adam against the label loss that results, differentiated exactly
through the three steps (`methods.md` 5.7). Then the student is as before.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import losses, streams
from ..agents import norm_of
from ..distillation import Batch, Loss, Weighted
from .base import Method

_INTERVAL, _MATCH_STEPS, _LEAST_BUFFER = 5, 2, 256


class WeightNetwork(nn.Module):
    """One hidden layer of half the input's width, softmax over teachers."""

    def __init__(self, inputs: int, teachers: int):
        super().__init__()
        hidden = max(1, inputs // 2)
        self.fc1, self.fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, teachers)

    def forward(self, rows: Tensor) -> Tensor:
        return self.fc2(F.relu(self.fc1(rows))).softmax(1)


def similarities(maps: list[Tensor]) -> Tensor:
    """K^1 | … | K^M | K^S: K = A Aᵀ of the flattened maps of the batch."""
    rows = [map.detach().flatten(1) for map in maps]
    return torch.cat([r @ r.t() for r in rows], 1)


class MetaKD(Method):
    skips_short_batches = True

    def __init__(self, options, context):
        super().__init__(options, context)
        released = options["scaling"] == "released"
        self.weighted = Weighted(
            options, context, self.trained, True, alpha=1 if released else None, beta=100 if released else None,
            smaller=True)
        count = len(context.teachers)
        self.learned.meta = nn.ModuleDict({
            "logit": WeightNetwork(context.classes * (count + 1), count),
            "feature": WeightNetwork(context.batch_size * (count + 1), count)})
        self.adam = torch.optim.Adam(self.learned.parameters(), 1e-3, weight_decay=1e-4)
        self.capacity, self.seed = max(_LEAST_BUFFER, context.batch_size), context.seed
        # Where hard samples are: (epoch, sample), since a view is a function of these.
        self.buffer: list[tuple[int, int]] = []

    def _weights(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """u and u'; the student's part of their inputs is a constant."""
        seen = [*batch.teachers, batch.student]
        networks = self.learned.meta
        return (
            networks["logit"](torch.cat([a.logits.detach() for a in seen], 1)),
            networks["feature"](similarities([a.map for a in seen])))

    def loss(self, batch: Batch) -> Loss:
        with torch.no_grad():
            logit, feature = self._weights(batch)
        return self.weighted.loss(self.weighted.terms(batch), logit, feature)

    def finish_step(self, batch, loss, after):
        outcome = {"policy": []}
        overwritten = self._keep(batch)
        if overwritten is not None:
            outcome["overwritten"] = overwritten
        if batch.index % _INTERVAL == 0 and len(self.buffer) >= len(batch.samples):
            draw = streams.Stream(self.seed, "mmkd draw", batch.epoch, batch.index)
            rows = draw.shuffled(len(self.buffer))[:len(batch.samples)]
            outcome["policy"] = [self._look_ahead(after, batch, rows)]
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

    def _look_ahead(self, after, batch: Batch, rows: list[int]) -> dict:
        drawn = [self.buffer[row] for row in rows]
        ahead = after.ahead(drawn)
        for _ in range(_MATCH_STEPS):
            seen = ahead.observed()
            terms = ahead.call(self.weighted.terms, seen)
            ahead.step(self.weighted.match(terms, *self._weights(seen)))
        seen = ahead.observed()
        ahead.step(losses.cross_entropy(seen.student.logits, seen.labels).mean())
        seen = ahead.observed()
        end = losses.cross_entropy(seen.student.logits, seen.labels).mean()
        parameters = list(self.learned.parameters())
        gradients = torch.autograd.grad(end, parameters)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        return {
            "batch": batch.index, "objective": end.item(), "grad_l2": norm_of(gradients),
            "param_l2": norm_of(parameters), "rows": rows, "drawn": [sample for _, sample in drawn]}

    def get_extra_state(self):
        return {"buffer": self.buffer, "adam": self.adam.state_dict()}

    def set_extra_state(self, state) -> None:
        self.buffer = [tuple(view) for view in state["buffer"]]
        self.adam.load_state_dict(state["adam"])
