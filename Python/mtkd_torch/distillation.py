"""What a method sees and answers; and equation 2, for methods that weigh teachers."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from . import losses, streams
from .networks import Activations


@dataclass
class Batch:
    """One batch as all networks saw it. `samples`: where the images are among the training images."""

    samples: list[int]
    labels: Tensor
    student: Activations
    teachers: list[Activations]
    epoch: int
    index: int
    smoothing: float = 0.0
    images: Tensor | None = None


@dataclass
class Loss:
    """A batch's loss: `total` has a gradient, the rest are constants. `details` are by the names of the fixtures."""

    total: Tensor
    task: Tensor
    logit: Tensor | None = None
    feature: Tensor | None = None
    details: dict = field(default_factory=dict)


class Method(nn.Module):
    """What a student learns from besides its labels: `loss(batch)` is a batch's loss.

    - `trained`: what is trained beside the student by its optimiser, under the names that fixtures have for it.
    - `learned`: what learns by itself: policies, critics, weight networks.
    """

    skips_short_batches = False
    """Whether batches smaller than the recipe's are left out, as if their images did not exist."""
    undecayed: tuple[str, ...] = ()
    """Names in `trained` that weight decay spares."""

    def __init__(self, options: dict, training):
        """- training: the run's `training.Training`, for its recipe, seed, teachers and `example` of a batch."""
        super().__init__()
        self.options, self.trained, self.learned = options, nn.Module(), nn.Module()

    def finish_step(self, batch: Batch, training) -> dict:
        """After the student's step, for methods that look further (`training.Training.again`, `training.Ahead`).

        Returns `policy`, a list of steps, and what else the fixtures record of it.
        """
        return {"policy": []}

    def finish_epoch(self) -> list[dict]:
        return []


@dataclass
class Terms:
    """The terms of a batch before anybody weighs them; matrices are `[batch, teachers]`."""

    task: Tensor
    teacher_entropy: Tensor
    kl: Tensor
    """KL for states and heuristics, whatever the logit loss is; constant."""
    logit: Tensor
    distance: Tensor | None
    feature: Tensor | None
    """What the feature weights multiply: D, ND, or the sum of the two with their factors."""
    direct_norm: Tensor | None
    transformed: list[Tensor]


def regressor(inputs: int, outputs: int) -> nn.Sequential:
    """1 x 1 convolution with bias, norm, ReLU: from the student's channels to one teacher's."""
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(inputs, outputs, 1), bn=nn.BatchNorm2d(outputs), active=nn.ReLU()))


class Projector(nn.Module):
    """ND's way from the student's embedding to a teacher's of another width."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.bn, self.fc = nn.BatchNorm1d(inputs), nn.Linear(inputs, outputs)

    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        # One sample has no batch statistics; it goes on as it is.
        normed = self.bn(embedding) if len(embedding) > 1 else embedding
        return self.fc(normed * mask)


class Weighted(Method):
    """Equation 2: the mean over samples of H + alpha Σ a_l L + beta Σ a_f D, for any weights of the teachers.

    The option `features` says whether there is a feature term.
    """

    meets_in_smaller = False
    """Whether the larger of two maps is pooled to the smaller one; else the student's goes to the teacher's size."""

    def __init__(self, options: dict, training):
        super().__init__(options, training)
        self.has_features, self.mode, self.seed = options["features"], options["ndMode"], training.seed
        student, teachers = training.example.student, training.example.teachers
        channels, width = student.map.shape[1], student.embedding.shape[1]
        if self.has_features:
            self.trained.regressor = nn.ModuleList(regressor(channels, t.map.shape[1]) for t in teachers)
        if self.mode != "off":
            self.trained.nd = nn.ModuleDict({
                str(index): Projector(width, teacher.embedding.shape[1])
                for index, teacher in enumerate(teachers) if teacher.embedding.shape[1] != width})
            self.directions = [losses.directions(means) for means in training.class_means()]

    @property
    def scales(self) -> tuple[float, float]:
        """What L and the feature term are multiplied by. Under `add` both factors are inside."""
        beta = {"off": self.options["beta"], "replace": self.options["ndWeight"], "add": 1.0}[self.mode]
        return self.options["alpha"], beta

    def terms(self, batch: Batch) -> Terms:
        student, teachers = batch.student, batch.teachers
        transformed, distance = self.features(student.map, teachers)
        logit = self.logit_costs(student.logits, teachers)
        is_kd = self.options["logitLoss"] == "kd"
        kl = logit.detach() if is_kd else self._divergences(student.logits.detach(), teachers)
        feature = nd = None if self.mode == "off" else self._direct_norm(batch)
        if nd is None:
            feature = distance
        elif self.mode == "add":
            feature = nd * self.options["ndWeight"] + (0 if distance is None else distance * self.options["beta"])
        return Terms(
            task=losses.cross_entropy(student.logits, batch.labels, batch.smoothing),
            teacher_entropy=torch.stack([losses.cross_entropy(t.logits, batch.labels) for t in teachers], 1),
            kl=kl, logit=logit, distance=distance, feature=feature, direct_norm=nd, transformed=transformed)

    def features(self, map: Tensor, teachers: list[Activations]) -> tuple[list[Tensor], Tensor | None]:
        """The student's map in the form of each teacher's, each from the untouched map; and D between the two."""
        if not self.has_features:
            return [], None
        targets = [teacher.map for teacher in teachers]
        if self.meets_in_smaller:
            targets = [losses.aligned(m, *map.shape[2:]) if m.shape[2] >= map.shape[2] else m for m in targets]
        transformed = [
            translate(losses.aligned(map, *target.shape[2:]))
            for translate, target in zip(self.trained.regressor, targets)]
        pairs, temperature = zip(transformed, targets), self.options["temperature"]
        if self.options["featureLoss"] == "spatialKL":
            return transformed, torch.stack([losses.spatial_divergence(x, f, temperature) for x, f in pairs], 1)
        return transformed, torch.stack([losses.feature_distance(x, f) for x, f in pairs], 1)

    def logit_costs(self, logits: Tensor, teachers: list[Activations]) -> Tensor:
        if self.options["logitLoss"] == "kd":
            return self._divergences(logits, teachers)
        temperature = self.options["distTemperature"]
        targets = [(t.logits.detach() / temperature).softmax(1) for t in teachers]
        return torch.stack([sum(losses.dist_terms(logits, target, temperature)) for target in targets], 1)

    def _divergences(self, logits, teachers):
        return torch.stack([losses.divergence(logits, t.logits, self.options["temperature"]) for t in teachers], 1)

    def _direct_norm(self, batch):
        costs = []
        for index, teacher in enumerate(batch.teachers):
            embedding = batch.student.embedding
            if str(index) in self.trained.nd:
                drawn = streams.rows(
                    self.seed, "nd dropout", batch.epoch, batch.samples, index, embedding.shape[1], "uniforms")
                mask = torch.where(drawn < 0.5, 0.0, 2.0).to(embedding)
                embedding = self.trained.nd[str(index)](embedding, mask)
            costs.append(losses.direct_norm(embedding, teacher.embedding, self.directions[index][batch.labels]))
        return torch.stack(costs, 1)

    def weigh(
        self, terms: Terms, logit_weights: Tensor, feature_weights: Tensor | None = None, divisor: float = 1,
        omits_feature: bool = False,
    ) -> Loss:
        """- feature_weights: where there are none, a feature term is weighed as the logits are.
        - divisor: of both sums over teachers, for methods whose release takes the mean over them.
        - omits_feature: whether the feature term is measured but no part of the total.
        """
        alpha, beta = self.scales
        feature_weights = logit_weights if feature_weights is None else feature_weights
        task = terms.task.mean()
        logit = (terms.logit * logit_weights).sum(1).mean() / divisor
        total, feature = task + logit * alpha, None
        details = details_of(terms) | {"action_l": logit_weights}
        if terms.feature is not None:
            feature = (terms.feature * feature_weights).sum(1).mean() / divisor
            details["action_f"] = feature_weights
            total = total if omits_feature else total + feature * beta
        return Loss(total, task, logit, feature, details)


def details_of(terms: Terms) -> dict:
    return {
        "h": terms.task, "kl": terms.kl, "ce": terms.teacher_entropy, "dis": terms.distance, "dist": terms.logit,
        "nd": terms.direct_norm}
