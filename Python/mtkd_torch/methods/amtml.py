"""AMTML-KD: one soft target for each sample, mixed from all teachers by trained vectors (`methods.md` 5.3)."""
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import losses
from ..distillation import Batch, Loss, Weighted, details_of


class AMTML(Weighted):
    undecayed = ("adapter.theta", "adapter.v")

    def __init__(self, options, training):
        super().__init__(options, training)
        self.released = released = options["scaling"] == "released"
        self.temperature = 5.0 if released else options["temperature"]
        epochs, all_epochs = options["adapterEpochs"], training.recipe["epochs"]
        self.adapter_epochs = epochs if epochs != "all" else all_epochs * 2 // 7 if released else all_epochs
        channels, teachers = training.example.student.map.shape[1], training.example.teachers
        std = 1.0 if released else channels ** -0.5
        self.trained.adapter = nn.ParameterDict({
            "theta": nn.Parameter(torch.zeros(len(teachers), channels)), "v": nn.Parameter(torch.zeros(channels))})
        self.trained.adapter.starts = {"theta": ("normal", std), "v": ("normal", std)}
        if released:
            self.trained.hint = nn.ModuleList(nn.Conv2d(channels, t.map.shape[1], 1, bias=False) for t in teachers)
            for hint in self.trained.hint:
                hint.starts = {"weight": ("uniform", 0.005)}

    def loss(self, batch: Batch) -> Loss:
        terms = self.terms(batch)
        is_training = batch.epoch < self.adapter_epochs
        theta, v = (self.trained.adapter[name] for name in ("theta", "v"))
        if not is_training:
            theta, v = theta.detach(), v.detach()
        _, _, shares, target = mix(
            batch.student.map, [t.logits for t in batch.teachers], theta, v, self.temperature,
            average=self.released)
        logit = divergences(batch.student.logits, target, self.temperature).mean() * self.temperature ** 2
        loss = (self._released if self.released else self._combined)(terms, shares, target, batch, logit)
        loss.details = details_of(terms) | loss.details | {"action_l": shares}
        if is_training:
            penalty = v.square().sum() + theta.square().sum()
            loss.details["penalty"] = penalty
            loss.total = loss.total + 0.1 * penalty
        return loss

    def _combined(self, terms, shares, target, batch, logit) -> Loss:
        alpha, beta = self.scales
        logits, task = batch.student.logits, terms.task.mean()
        if self.options["logitLoss"] == "dist":
            inter, intra = losses.dist_terms(logits, target, self.options["distTemperature"])
            logit = inter.mean() + intra
        loss = Loss(task + alpha * logit, task, logit)
        if terms.feature is not None:
            loss.feature = (terms.feature * shares).sum(1).mean()
            loss.total = loss.total + beta * loss.feature
            loss.details["action_f"] = shares
        if self.options["angleWeight"] > 0:
            # Relations to the mixed target, which is a constant here.
            loss.details["angle"] = losses.relation(losses.angles, logits, target)
            loss.total = loss.total + self.options["angleWeight"] * loss.details["angle"]
        return loss

    def _released(self, terms, shares, target, batch, logit) -> Loss:
        logits, task = batch.student.logits, terms.task.mean()
        logit = logit / logits.shape[1]
        outputs = F.log_softmax(logits / self.temperature, 1)
        feature = 0
        for hint, teacher in zip(self.trained.hint, batch.teachers):
            own = _unit(losses.aligned(batch.student.map, *teacher.map.shape[2:]))
            feature = feature + (hint(own) - _unit(teacher.map)).square().mean()
        structure = sum(losses.relation(kind, outputs, target) for kind in (losses.angles, losses.distances))
        # Task and soft targets share 1; the soft targets count twice.
        return Loss(0.3 * task + 1.4 * logit + feature + structure, task, logit, feature)


def _unit(map: Tensor) -> Tensor:
    """Channels of every position with length 1."""
    return map / ((map.square().sum(1, keepdim=True) + 1e-30).sqrt() + 1e-12)


def mix(map, logits, theta, v, temperature, average=False):
    """b, the scores, mu and q of each sample. Of equal maxima the first has the gradient."""
    latent = map.mean((2, 3)) if average else F.max_pool2d(map, map.shape[2:]).flatten(1)
    scores = latent @ (theta * v).t()
    shares = scores.softmax(1)
    target = sum(shares[:, m:m + 1] * F.softmax(z.detach() / temperature, 1) for m, z in enumerate(logits))
    return latent, scores, shares, target


def divergences(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Σ_c q (log q - log softmax(z / T)), `[batch]`; 0 log 0 is 0."""
    own = target * (F.relu(target - 1e-37) + 1e-37).log()
    return (own - target * F.log_softmax(logits / temperature, 1)).sum(1)
