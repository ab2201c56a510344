"""A run of a sweep on PyTorch, on top of mtkd_trainer."""
from __future__ import annotations

import math
import os
from collections import Counter

import torch
from torch.nn import functional as F

from mtkd_trainer import PhotographDataset, Run, TrainerError, read_safetensors

from . import initial, networks, options
from .data import Packed, Photographs
from .training import Training, rate

#: float32: no shortcuts; tf32: products in 19 bits on cards that have them; amp: networks in bfloat16.
PRECISIONS = ("float32", "tf32", "amp")
#: A checkpoint each so many steps, besides those at the ends of epochs.
CHECKPOINT_STEPS = 500


def device_of(environment=os.environ) -> torch.device:
    """The device that mtkd-sweep has given this run; else the first that torch finds."""
    given = environment.get("MTKD_DEVICE")
    if given and not given.startswith("cpu") and not torch.cuda.is_available():
        raise TrainerError(
            f"The run was given the device {given}, and this torch ({torch.__version__}) finds no driver for it. "
            "`nvidia-smi` or `rocminfo` say what the machine has.")
    # The only one that CUDA_VISIBLE_DEVICES shows.
    return torch.device("cuda:0" if torch.cuda.is_available() and not (given or "").startswith("cpu") else "cpu")


def main(precision: str) -> None:
    with Run() as run:
        torch.manual_seed(run.seed)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        # Without its device the run is not over, only this attempt: another device may have it.
        device = device_of()
        try:
            training = build(run, device, precision)
        except (TrainerError, ValueError) as error:
            run.fail(f"{error}", "data")
        # What the teachers say of the images that measure, by their set, where the grid asks how often they agree.
        taught = {} if run.settings.get("agreement") else None
        state = run.resume(model=training.student, method=training.method, optimizer=training.optimizer)
        for epoch in run.epochs(state):
            metrics = train(run, training, epoch, state)
            for name in ("test", "validation"):
                if len(training.source.answers[name]):
                    metrics |= measure(training, name, taught)
            run.report(epoch, metrics, state)


def build(run: Run, device: torch.device, precision: str) -> Training:
    settings, dataset = run.settings, run.dataset()
    shown = (dataset, device, torch.float32, run.seed, settings.get("views", 0))
    is_photographs = isinstance(dataset, PhotographDataset)
    source = Photographs(*shown, run.recipe.get("colourJitter", 0.0)) if is_photographs else Packed(*shown)

    def network(spec, weights=None):
        made = networks.build(spec["family"], spec["parameters"], dataset.channels, dataset.classes)
        if weights:
            made.load_state_dict(read_safetensors(weights, "torch"))
        return made.to(device, memory_format=torch.channels_last)
    student = network(settings["student"])
    initial.draw(student, run.seed)
    for module in student.modules():
        if hasattr(module, "share"):
            module.rate = run.recipe.get("dropPath", 0.0)
    teachers = [network(spec["network"], path) for spec, path in zip(settings.get("teachers", []), run.teachers)]

    def method(training):
        made = options.make(settings["method"]["name"], settings["method"].get("options", {}), training).to(device)
        initial.draw(made.trained, run.seed, "distillation.")
        initial.draw(made.learned, run.seed)
        getattr(made.learned, "copy_targets", lambda: None)()
        return made
    return Training(student, teachers, method, run.recipe, source, run.seed, mixed=precision == "amp")


def train(run: Run, training: Training, epoch: int, state) -> dict:
    """An epoch: metrics are means over its samples, under the names of mtkd-sweep's own trainer."""
    if not state.done:
        state.kept["sums"] = Counter()
    for samples in run.steps(training.batches(epoch), every=CHECKPOINT_STEPS):
        loss, outcome = training.step(epoch, state.done, samples)
        state.loss = loss.total.item()
        if not math.isfinite(state.loss):
            run.fail(f"The loss was not finite in epoch {epoch + 1}, at step {state.step + 1}.", "diverged")
        correct = int((outcome["predicted"].argmax(1) == training.source.labels(samples)).sum())
        # A run that goes on in the middle of an epoch has another dictionary since it began.
        state.kept["sums"].update(
            {name: value.detach().double() * len(samples) for name, value in _means(loss)}
            | {"count": len(samples), "train.acc1": 100 * correct})
        _add(state.kept["sums"], outcome["policy"])
    sums = state.kept.pop("sums")
    _add(sums, training.method.finish_epoch())
    count, taken = sums.pop("count"), sums.pop("policy.steps", 0)
    metrics = {
        name: float(total) / (taken if name.startswith("policy.") else count) for name, total in sums.items()}
    metrics["learningRate"] = rate(training.recipe, epoch)
    if hasattr(training.method, "nonfinite"):
        metrics |= {"policy.steps": taken, "policy.nonfinite_samples": training.method.nonfinite}
        training.method.nonfinite = 0
    return metrics


def _means(loss):
    """Of a batch, by the names of metrics."""
    for name, value in (
            ("loss", loss.total), ("task", loss.task), ("logit", loss.logit), ("feature", loss.feature)):
        if value is not None:
            yield f"train.{name}", value
    for name, entry in (("weight.logit", "action_l"), ("weight.feature", "action_f")):
        if loss.details.get(entry) is not None:
            for teacher, mean in enumerate(loss.details[entry].mean(0)):
                yield f"{name}.{teacher}", mean


def _add(sums: Counter, steps: list[dict]) -> None:
    names = {"objective": "objective", "gradient": "grad_l2", "valueLoss": "value_loss"}
    for step in steps:
        sums.update({f"policy.{name}": step[entry] for name, entry in names.items() if entry in step})
        sums["policy.steps"] += 1


def measure(training: Training, name: str, taught: dict | None = None) -> dict:
    """On images that measure, with running statistics; beside what the teachers say, which is kept in `taught`."""
    student, source = training.student.eval(), training.source
    named, sums, count = [], torch.zeros(3, dtype=torch.float64), len(source.answers[name])
    with torch.no_grad():
        if taught is not None and name not in taught:
            taught[name] = [
                torch.cat([training.seen(teacher, images).logits.argmax(1) for images, _ in source.held_out(name)])
                for teacher in training.teachers]
        for images, labels in source.held_out(name):
            logits = training.seen(student, images).logits
            named.append(logits.argmax(1))
            ranks = (logits > logits.gather(1, labels[:, None])).sum(1)
            losses = F.cross_entropy(logits, labels, reduction="none")
            tallies = (named[-1] == labels, ranks < 5, losses)
            sums += torch.stack([tally.double().sum() for tally in tallies]).cpu()
    acc1, acc5, loss = (sums / count).tolist()
    metrics = {f"{name}.acc1": 100 * acc1, f"{name}.loss": loss, f"{name}.images": count}
    for teacher, answers in enumerate(taught[name] if taught else []):
        metrics[f"{name}.agreement.{teacher}"] = 100 * int((torch.cat(named) == answers).sum()) / count
    return metrics | ({f"{name}.acc5": 100 * acc5} if logits.shape[1] >= 10 else {})
