"""A run of a sweep on PyTorch, on top of mtkd_trainer."""
from __future__ import annotations

import math
import os

import torch
from torch.nn import functional as F

from mtkd_trainer import Run, TrainerError, read_safetensors

from . import initial, networks, options
from .data import Packed
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
        # What the teachers say of the images that measure, by their set, where the grid asks how often they and the student agree.
        taught = {} if run.settings.get("agreement") else None
        state = run.resume(model=training.student, method=training.method, optimizer=training.optimizer)
        for epoch in run.epochs(state):
            metrics = train(run, training, epoch, state)
            for name in ("test", "validation"):
                if len(getattr(training.source, name)[1]):
                    metrics |= measure(training, name, taught)
            run.report(epoch, metrics, state)


def build(run: Run, device: torch.device, precision: str) -> Training:
    settings, dataset = run.settings, run.dataset()
    source = Packed(dataset, device, torch.float32, run.seed, settings.get("views", 0))

    def network(spec):
        made = networks.build(spec["family"], spec["parameters"], dataset.channels, dataset.classes)
        return made.to(device, memory_format=torch.channels_last)
    student = network(settings["student"])
    initial.draw(student, run.seed)
    for module in student.modules():
        if hasattr(module, "share"):
            module.rate = run.recipe.get("dropPath", 0.0)
    teachers = []
    for spec, path in zip(settings.get("teachers", []), run.teachers):
        teachers.append(network(spec["network"]))
        teachers[-1].load_state_dict(read_safetensors(path, "torch"))

    def method(context):
        made = options.make(settings["method"]["name"], settings["method"].get("options", {}), context).to(device)
        initial.draw(made.trained, run.seed, "distillation.")
        initial.draw(made.learned, run.seed)
        getattr(made.learned, "copy_targets", lambda: None)()
        return made
    return Training(student, teachers, method, run.recipe, source, run.seed, mixed=precision == "amp")


def train(run: Run, training: Training, epoch: int, state) -> dict:
    """An epoch: metrics are means over its samples, under the names of mtkd-sweep's own trainer."""
    if not state.done:
        state.kept.update(sums={}, policy={}, count=0, correct=0)
    for samples in run.steps(training.batches(epoch), every=CHECKPOINT_STEPS):
        # A run that goes on in the middle of an epoch has other dictionaries since it began.
        kept = state.kept
        loss, outcome = training.step(epoch, state.done, samples)
        state.loss = loss.total.item()
        if not math.isfinite(state.loss):
            run.fail(f"The loss was not finite in epoch {epoch + 1}, at step {state.step + 1}.", "diverged")
        kept["count"] += len(samples)
        kept["correct"] += int((outcome["predicted"].argmax(1) == training.source.labels(samples)).sum())
        for name, value in _means(loss):
            kept["sums"][name] = kept["sums"].get(name, 0.0) + value.detach().double() * len(samples)
        _add(kept["policy"], outcome["policy"])
    sums, policy, count, correct = (state.kept.pop(name) for name in ("sums", "policy", "count", "correct"))
    _add(policy, training.method.finish_epoch())
    metrics = {name: float(total) / count for name, total in sums.items()}
    metrics |= {"train.acc1": 100 * correct / count, "learningRate": rate(training.recipe, epoch)}
    taken = policy.pop("policy.steps", 0)
    if hasattr(training.method, "nonfinite"):
        metrics |= {"policy.steps": taken, "policy.nonfinite_samples": training.method.nonfinite}
        training.method.nonfinite = 0
    return metrics | {name: total / taken for name, total in policy.items()}


def _means(loss):
    yield "train.loss", loss.total
    for name in ("task", "logit", "feature"):
        if getattr(loss, name) is not None:
            yield f"train.{name}", getattr(loss, name)
    for name, entry in (("weight.logit", "action_l"), ("weight.feature", "action_f")):
        if loss.details.get(entry) is not None:
            for teacher, mean in enumerate(loss.details[entry].mean(0)):
                yield f"{name}.{teacher}", mean


def _add(sums: dict, steps: list[dict]) -> None:
    for step in steps:
        for name, entry in (("objective", "objective"), ("gradient", "grad_l2"), ("valueLoss", "value_loss")):
            if entry in step:
                sums[f"policy.{name}"] = sums.get(f"policy.{name}", 0.0) + step[entry]
        sums["policy.steps"] = sums.get("policy.steps", 0) + 1


def measure(training: Training, name: str, taught: dict | None = None) -> dict:
    """On images that measure, with running statistics; beside what the teachers say, which is kept in `taught`."""
    student, count, sums, named = training.student.eval(), 0, torch.zeros(3, dtype=torch.float64), []
    with torch.no_grad():
        if taught is not None and name not in taught:
            taught[name] = [
                torch.cat([training.seen(teacher, images).logits.argmax(1) for images, _ in training.source.held_out(name)])
                for teacher in training.teachers]
        for images, labels in training.source.held_out(name):
            logits = training.seen(student, images).logits
            named.append(logits.argmax(1))
            ranks = (logits > logits.gather(1, labels[:, None])).sum(1)
            hits = named[-1] == labels
            losses = F.cross_entropy(logits, labels, reduction="none").double()
            sums += torch.stack([hits.sum().double(), (ranks < 5).sum().double(), losses.sum()]).cpu()
            count += len(labels)
    acc1, acc5, loss = (sums / count).tolist()
    metrics = {f"{name}.acc1": 100 * acc1, f"{name}.loss": loss, f"{name}.images": count}
    for teacher, answers in enumerate(taught[name] if taught else []):
        metrics[f"{name}.agreement.{teacher}"] = 100 * int((torch.cat(named) == answers).sum()) / count
    return metrics | ({f"{name}.acc5": 100 * acc5} if logits.shape[1] >= 10 else {})
