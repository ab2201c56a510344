"""One seeded run of a student under a method: a step at a time, on whatever device and in whatever precision."""
import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .distillation import Batch, Loss
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
    adam = recipe.get("optimizer", "sgd") == "adamW"
    groups = {recipe["weightDecay"]: [], 0.0: []}
    for name, parameter in [*student.named_parameters(), *method.trained.named_parameters()]:
        is_spared = name in method.undecayed or adam and (parameter.dim() < 2 or name in ("cls_token", "pos_embed"))
        groups[0.0 if is_spared else recipe["weightDecay"]].append(parameter)
    groups = [{"params": group, "weight_decay": decay} for decay, group in groups.items() if group]
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
        self.seed, self.mixed, self.dtype = seed, mixed, next(student.parameters()).dtype
        for network in (student, *teachers):
            network.eval()
        # What networks make of one image, for methods that must know sizes.
        one = source.images(source.order(0)[:1], 0)
        with torch.no_grad():
            self.example = Batch([], one, self.seen(student, one), self.taught(one), 0, 0)
        self.method = make_method(self)
        if self.method.skips_short_batches and len(source.order(0)) < recipe["batchSize"]:
            raise ValueError(
                f"The method trains on whole batches only, and there are fewer than {recipe['batchSize']} images.")
        self.optimizer = optimizer(recipe, student, self.method)
        self.whole = Whole({"student": student, "trained": self.method.trained})

    def class_means(self) -> list[Tensor]:
        """Of each teacher, the mean embedding of each class over the training images as they are; zeros without any."""
        classes, positions = self.example.student.logits.shape[1], sorted(self.source.order(0))
        sums = [
            t.embedding.new_zeros(classes, t.embedding.shape[1], dtype=torch.float64) for t in self.example.teachers]
        counts = sums[0].new_zeros(classes)
        for start in range(0, len(positions), 64):
            samples = positions[start:start + 64]
            images, labels = self.source.plain(samples), self.source.labels(samples)
            counts.index_add_(0, labels, torch.ones_like(labels, dtype=torch.float64))
            for total, seen in zip(sums, self.taught(images)):
                total.index_add_(0, labels, seen.embedding.double())
        return [(total / counts.clamp_min(1)[:, None]).to(images) for total in sums]

    def seen(self, network: Network, images: Tensor) -> Activations:
        """What a network makes of images."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.mixed):
            made = network(images)
        return made.to(self.dtype) if self.mixed else made

    @torch.no_grad()
    def taught(self, images: Tensor) -> list[Activations]:
        return [self.seen(teacher, images) for teacher in self.teachers]

    def batches(self, epoch: int) -> list[list[int]]:
        order, size = self.source.order(epoch), self.recipe["batchSize"]
        batches = [order[start:start + size] for start in range(0, len(order), size)]
        return [b for b in batches if len(b) == size] if self.method.skips_short_batches else batches

    def again(self, batch: Batch) -> Batch:
        """A batch as the student of now sees it, in training mode, which changes nothing."""
        return replace(batch, student=self.whole.lent({}, self.seen, self.student, batch.images))

    def step(self, epoch: int, index: int, samples: list[int]) -> tuple[Loss, dict]:
        """Trains on a batch. The outcome has the policy's steps, and the logits before the student's step."""
        self.student.train()
        self.method.trained.train()
        images, labels = self.source.images(samples, epoch), self.source.labels(samples)
        batch = Batch(
            samples, labels, self.seen(self.student, images), self.taught(images), epoch, index,
            self.recipe.get("labelSmoothing", 0.0), images)
        loss = self.method.loss(batch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.recipe, epoch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        self.optimizer.step()
        return loss, self.method.finish_step(batch, self) | {"predicted": batch.student.logits.detach()}


class Whole(nn.ModuleDict):
    """All that the run's optimiser trains."""

    def lent(self, values: dict, function, *arguments):
        """What a function comes to with other values of parameters, and while running statistics are copies."""
        buffers = {name: buffer.clone() for name, buffer in self.named_buffers()}
        return functional_call(self, buffers | values, (function, *arguments))

    def forward(self, function, *arguments):
        return function(*arguments)


class Ahead:
    """A student that is trained ahead on one batch, by the steps of the run's optimiser and differentiably.

    Every pass is in training mode; running statistics of the run stay as they are.
    """

    def __init__(self, training: Training, current: Batch, views: list[tuple[int, int]]):
        """- views: (epoch, sample) of training images, other than those of the batch in hand."""
        source, samples = training.source, [sample for _, sample in views]
        images = torch.cat([source.images([sample], epoch) for epoch, sample in views])
        self.training = training
        self.batch = replace(
            current, samples=samples, labels=source.labels(samples), teachers=training.taught(images), images=images)
        own = dict(training.whole.named_parameters())
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

    def call(self, function, *arguments):
        """What a function comes to with the values of the moment."""
        return self.training.whole.lent(self.values, function, *arguments)

    def observed(self) -> Batch:
        return replace(self.batch, student=self.call(self.training.seen, self.training.student, self.batch.images))

    def step(self, loss: Tensor) -> None:
        """A parameter without a gradient is left alone."""
        before = self.values.copy()
        gradients = torch.autograd.grad(loss, list(before.values()), create_graph=True, allow_unused=True)
        for (name, value), gradient in zip(before.items(), gradients):
            if gradient is None:
                continue
            g = gradient + self.decays[name] * value
            old = self.velocities[name]
            velocity = g if old is None else self.momentum * old + g
            if self.momentum:
                self.velocities[name] = velocity
            self.values[name] = value - self.rate * (g + self.momentum * velocity if self.nesterov else velocity)
