"""Equation 2: the mean over samples of H + alpha Σ a_l L + beta Σ a_f D, for any weights of the teachers."""
from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import losses, streams
from .networks import Activations


@dataclass
class Context:
    """What a method must know before the first batch."""

    student: Activations
    """Of one image: for its sizes."""
    teachers: list[Activations]
    heads: list
    """Of each teacher, logits of a map in its form (`Network.classify_map`)."""
    class_means: object
    """() -> of each teacher, the mean embedding of each class over the training images as they are."""
    classes: int
    epochs: int
    batch_size: int
    seed: int


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


@dataclass
class Loss:
    """A batch's loss: `total` has a gradient, the rest are constants. `details` are by the names of the fixtures."""

    total: Tensor
    task: Tensor
    logit: Tensor | None = None
    feature: Tensor | None = None
    details: dict = field(default_factory=dict)


class Regressor(nn.Module):
    """1 x 1 convolution with bias, norm, ReLU: from the student's channels to one teacher's."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs)

    def forward(self, map: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(map)))


class Projector(nn.Module):
    """ND's way from the student's embedding to a teacher's of another width."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.bn, self.fc = nn.BatchNorm1d(inputs), nn.Linear(inputs, outputs)

    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        # One sample has no batch statistics; it goes on as it is.
        normed = self.bn(embedding) if len(embedding) > 1 else embedding
        return self.fc(normed * mask)


class Weighted:
    """The losses that a method weighs. What it trains beside the student goes into `trained`, by the fixtures' names.

    - smaller: whether the larger of two maps is pooled to the smaller one (MMKD); else the student's to the teacher's.
    """

    def __init__(
        self, options: dict, context: Context, trained: nn.Module, has_features: bool, alpha=None, beta=None,
        smaller=False,
    ):
        self.alpha = options["alpha"] if alpha is None else alpha
        self.beta = (options["beta"] if beta is None else beta) if has_features else 0.0
        self.temperature, self.smaller, self.seed = options["temperature"], smaller, context.seed
        self.logit_loss, self.dist_temperature = options["logitLoss"], options["distTemperature"]
        self.feature_loss = options["featureLoss"] if has_features else None
        self.mode, self.nd_weight = options["ndMode"], options["ndWeight"]
        self.trained = trained
        channels, width = context.student.map.shape[1], context.student.embedding.shape[1]
        if has_features:
            trained.regressor = nn.ModuleList(Regressor(channels, t.map.shape[1]) for t in context.teachers)
        if self.mode != "off":
            trained.nd = nn.ModuleDict({
                str(index): Projector(width, teacher.embedding.shape[1])
                for index, teacher in enumerate(context.teachers) if teacher.embedding.shape[1] != width})
            self.directions = [losses.directions(means) for means in context.class_means()]

    @property
    def scales(self) -> tuple[float, float]:
        """What L and the feature term are multiplied by. Under `add` both factors are inside."""
        return self.alpha, {"off": self.beta, "replace": self.nd_weight, "add": 1.0}[self.mode]

    def terms(self, batch: Batch) -> Terms:
        student, teachers = batch.student, batch.teachers
        transformed = self.transformed(student.map, teachers)
        distance = self.distances(transformed, teachers, student.map)
        logit = self.logit_costs(student.logits, teachers)
        kl = logit.detach() if self.logit_loss == "kd" else self._divergences(student.logits.detach(), teachers)
        nd = None if self.mode == "off" else self._direct_norm(batch)
        feature = distance if nd is None else nd
        if self.mode == "add":
            feature = nd * self.nd_weight + (0 if distance is None else distance * self.beta)
        return Terms(
            task=losses.cross_entropy(student.logits, batch.labels, batch.smoothing),
            teacher_entropy=torch.stack([losses.cross_entropy(t.logits, batch.labels) for t in teachers], 1),
            kl=kl, logit=logit, distance=distance, feature=feature, direct_norm=nd, transformed=transformed)

    def transformed(self, map: Tensor, teachers: list[Activations]) -> list[Tensor]:
        """The student's map in the form of each teacher's, each from the untouched map."""
        if self.feature_loss is None:
            return []
        targets = self._targets(map, teachers)
        return [
            regressor(losses.aligned(map, *target.shape[2:]))
            for regressor, target in zip(self.trained.regressor, targets)]

    def distances(self, transformed, teachers, map) -> Tensor | None:
        if self.feature_loss is None:
            return None
        pairs = zip(transformed, self._targets(map, teachers))
        if self.feature_loss == "spatialKL":
            return torch.stack([losses.spatial_divergence(x, f, self.temperature) for x, f in pairs], 1)
        return torch.stack([losses.feature_distance(x, f) for x, f in pairs], 1)

    def _targets(self, map, teachers):
        maps = [teacher.map for teacher in teachers]
        if self.smaller:
            maps = [losses.aligned(m, *map.shape[2:]) if m.shape[2] >= map.shape[2] else m for m in maps]
        return maps

    def logit_costs(self, logits: Tensor, teachers: list[Activations]) -> Tensor:
        if self.logit_loss == "kd":
            return self._divergences(logits, teachers)
        return torch.stack([losses.dist(logits, t.logits, self.dist_temperature) for t in teachers], 1)

    def _divergences(self, logits, teachers):
        return torch.stack([losses.divergence(logits, t.logits, self.temperature) for t in teachers], 1)

    def _direct_norm(self, batch):
        costs = []
        for index, teacher in enumerate(batch.teachers):
            embedding = batch.student.embedding
            if str(index) in self.trained.nd:
                drawn = streams.rows(
                    self.seed, "nd dropout", batch.epoch, batch.samples, index, embedding.shape[1], "uniforms",
                    torch.empty((), dtype=torch.float64))
                mask = torch.where(drawn < 0.5, 0.0, 2.0).to(embedding)
                embedding = self.trained.nd[str(index)](embedding, mask)
            costs.append(losses.direct_norm(embedding, teacher.embedding, self.directions[index][batch.labels]))
        return torch.stack(costs, 1)

    def match(self, terms: Terms, logit_weights: Tensor, feature_weights: Tensor) -> Tensor:
        """The loss without its task term."""
        alpha, beta = self.scales
        total = (terms.logit * logit_weights).sum(1).mean() * alpha
        return total if terms.feature is None else total + (terms.feature * feature_weights).sum(1).mean() * beta

    def loss(
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
