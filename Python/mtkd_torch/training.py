"""One seeded run of a student under a method: a step at a time, on whatever device and in whatever precision."""
from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .agents import norm_of
from .distillation import Batch, Context, Loss
from .networks import Activations, Network


def rate(recipe: dict, epoch: int) -> float:
    """The learning rate of an epoch, from 0, in double precision."""
    base = recipe["learningRate"]
    if recipe.get("schedule", "multiStep") == "multiStep":
        return base * recipe["gamma"] ** sum(milestone <= epoch for milestone in recipe["milestones"])
    warmup, start, least = recipe.get("warmupEpochs", 0), recipe.get("warmupRate", 0.0), recipe.get("leastRate", 0.0)
    if epoch < warmup:
        return start + epoch * (base - start) / warmup
    return least + 0.5 * (base - least) * (1 + math.cos(math.pi * epoch / recipe["epochs"]))


def optimizer(recipe: dict, student: nn.Module, method) -> torch.optim.Optimizer:
    """Of the student and what the method trains beside it, in this order."""
    spared = {parameter for name, parameter in method.trained.named_parameters() if name in method.undecayed}
    parameters = [*student.parameters(), *method.trained.parameters()]
    adam = recipe.get("optimizer", "sgd") == "adamW"
    if adam:
        tokens = {p for n, p in student.named_parameters() if n in ("cls_token", "pos_embed")}
        spared |= tokens | {p for p in parameters if p.dim() < 2}
    groups = [
        {"params": [p for p in parameters if p not in spared], "weight_decay": recipe["weightDecay"]},
        {"params": [p for p in parameters if p in spared], "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if adam:
        return torch.optim.AdamW(groups, recipe["learningRate"])
    return torch.optim.SGD(groups, recipe["learningRate"], recipe["momentum"], nesterov=recipe["nesterov"])


class Training:
    """- source: `order(epoch)` gives all samples of an epoch, `images(samples, epoch)` and `labels(samples)` tensors."""

    def __init__(
        self, student: Network, teachers: list[Network], make_method, recipe: dict, source, seed: int, mixed=False,
    ):
        """- mixed: whether networks compute in bfloat16 where torch holds that to be safe; losses never do."""
        self.student, self.teachers, self.recipe, self.source = student, teachers, recipe, source
        self.mixed, self.dtype = mixed, next(student.parameters()).dtype
        for teacher in teachers:
            teacher.eval().requires_grad_(False)
        self.method = make_method(self._context(seed))
        if self.method.skips_short_batches and len(source.order(0)) < recipe["batchSize"]:
            raise ValueError(
                f"The method trains on whole batches only, and there are fewer than {recipe['batchSize']} images.")
        self.optimizer = optimizer(recipe, student, self.method)
        self.measures_gradients = False

    def _context(self, seed: int) -> Context:
        one = self.source.images(self.source.order(0)[:1], 0)
        self.student.eval()
        with torch.no_grad():
            own, taught = self.seen(self.student, one), [self.seen(teacher, one) for teacher in self.teachers]
        self.student.train()
        return Context(
            own, taught, [t.classify_map for t in self.teachers], self._class_means, own.logits.shape[1],
            self.recipe["epochs"], self.recipe["batchSize"], seed)

    def _class_means(self) -> list[Tensor]:
        """Over all training images as they are; zeros for a class without images."""
        positions, sums, counts = sorted(self.source.order(0)), None, None
        for start in range(0, len(positions), 64):
            samples = positions[start:start + 64]
            images, labels = self.source.plain(samples), self.source.labels(samples)
            with torch.no_grad():
                seen = [self.seen(teacher, images) for teacher in self.teachers]
            if sums is None:
                classes = seen[0].logits.shape[1]
                sums = [s.embedding.new_zeros(classes, s.embedding.shape[1], dtype=torch.float64) for s in seen]
                counts = torch.zeros(classes, dtype=torch.float64, device=labels.device)
            counts.index_add_(0, labels, torch.ones_like(labels, dtype=torch.float64))
            for total, s in zip(sums, seen):
                total.index_add_(0, labels, s.embedding.double())
        return [(total / counts.clamp_min(1)[:, None]).to(images) for total in sums]

    def seen(self, network: Network, images: Tensor, state: dict | None = None) -> Activations:
        """What a network makes of images, with other values of its arrays where they are given."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.mixed):
            made = network(images) if state is None else functional_call(network, state, images)
        return made.to(self.dtype) if self.mixed else made

    def batches(self, epoch: int) -> list[list[int]]:
        order, size = self.source.order(epoch), self.recipe["batchSize"]
        batches = [order[start:start + size] for start in range(0, len(order), size)]
        return [b for b in batches if len(b) == size] if self.method.skips_short_batches else batches

    def observe(self, samples: list[int], images: Tensor, labels: Tensor, epoch: int, index: int) -> Batch:
        """In training mode: running statistics change here."""
        with torch.no_grad():
            taught = [self.seen(teacher, images) for teacher in self.teachers]
        return Batch(
            samples, labels, self.seen(self.student, images), taught, epoch, index, self.recipe.get("labelSmoothing", 0.0))

    def step(self, epoch: int, index: int, samples: list[int]) -> tuple[Loss, dict]:
        """Trains on a batch. The outcome has the policy's steps, and the gradient's length where it is measured."""
        self.student.train()
        self.method.trained.train()
        images, labels = self.source.images(samples, epoch), self.source.labels(samples)
        batch = self.observe(samples, images, labels, epoch, index)
        loss = self.method.loss(batch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.recipe, epoch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        length = norm_of(p.grad for g in self.optimizer.param_groups for p in g["params"]) \
            if self.measures_gradients else None
        self.optimizer.step()
        outcome = self.method.finish_step(batch, loss, After(self, batch, images))
        return loss, outcome | {"grad_l2": length, "predicted": batch.student.logits.detach()}


class After:
    """The student after a step, for methods that look further. Looking changes nothing."""

    def __init__(self, training: Training, batch: Batch, images: Tensor):
        self.training, self.batch, self.images = training, batch, images

    def observed(self) -> Batch:
        """The batch in hand as the changed student sees it, in training mode."""
        student = self.training.student
        state = {name: buffer.clone() for name, buffer in student.named_buffers()}
        return replace(self.batch, student=self.training.seen(student, self.images, state))

    def ahead(self, views: list[tuple[int, int]]) -> "Ahead":
        """- views: (epoch, sample) of other training images."""
        return Ahead(self.training, views, self.batch)


class Ahead:
    """A student that is trained ahead on one batch, by the steps of the run's optimiser and differentiably.

    Every pass is in training mode; running statistics of the run stay as they are.
    """

    def __init__(self, training: Training, views, current: Batch):
        source, self.samples = training.source, [sample for _, sample in views]
        self.training, self.current = training, current
        self.images = torch.cat([source.images([sample], epoch) for epoch, sample in views])
        self.labels = source.labels(self.samples)
        with torch.no_grad():
            self.teachers = [training.seen(teacher, self.images) for teacher in training.teachers]
        self.whole = nn.ModuleDict({"student": training.student, "trained": training.method.trained})
        own = dict(self.whole.named_parameters())
        self.values = {name: p.detach().clone().requires_grad_() for name, p in own.items()}
        # AdamW has no momentum buffers: its student looks ahead by plain steps.
        sgd = isinstance(training.optimizer, torch.optim.SGD)
        group = training.optimizer.param_groups[0]
        self.rate = group["lr"]
        self.momentum, self.nesterov = (group["momentum"], group["nesterov"]) if sgd else (0.0, False)
        decays = {p: g["weight_decay"] if sgd else 0.0 for g in training.optimizer.param_groups for p in g["params"]}
        self.decays = {name: decays[p] for name, p in own.items()}
        kept = {name: training.optimizer.state.get(p, {}).get("momentum_buffer") for name, p in own.items()}
        self.velocities = {n: None if v is None or not self.momentum else v.clone() for n, v in kept.items()}

    def _state(self, part: str) -> dict:
        buffers = {name: buffer.clone() for name, buffer in self.whole.named_buffers()}
        prefix = f"{part}."
        return {n[len(prefix):]: t for n, t in (buffers | self.values).items() if n.startswith(prefix)}

    def observed(self) -> Batch:
        student = self.training.seen(self.training.student, self.images, self._state("student"))
        return Batch(self.samples, self.labels, student, self.teachers, self.current.epoch, self.current.index,
                     self.current.smoothing)

    def call(self, function, *arguments):
        """A function of what is trained beside the student, with the values of the moment."""
        trained = self.training.method.trained
        caller = _Caller(trained, function)
        return functional_call(caller, {f"module.{n}": t for n, t in self._state("trained").items()}, arguments)

    def step(self, loss: Tensor) -> None:
        """A parameter without a gradient is left alone."""
        names = list(self.values)
        gradients = torch.autograd.grad(
            loss, [self.values[name] for name in names], create_graph=True, allow_unused=True)
        for name, gradient in zip(names, gradients):
            if gradient is None:
                continue
            value = self.values[name]
            g = gradient + self.decays[name] * value
            old = self.velocities[name]
            velocity = g if old is None else self.momentum * old + g
            if self.momentum:
                self.velocities[name] = velocity
            self.values[name] = value - self.rate * (g + self.momentum * velocity if self.nesterov else velocity)


class _Caller(nn.Module):
    def __init__(self, module: nn.Module, function):
        super().__init__()
        self.module, self.function = module, function

    def forward(self, *arguments):
        return self.function(*arguments)
