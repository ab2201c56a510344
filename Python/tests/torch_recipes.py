"""Update rules, schedules and a training of mtkd_torch against `models/optim.safetensors`, in double."""
import json
import os
import struct

import numpy
import torch
from torch import nn

import fill_rule
from mtkd_torch import networks, options, training
from mtkd_trainer import read_safetensors

_LIMIT = 1e-9
# Dampened momentum is in no recipe, Adam in none for students; what is a vector has no decay under our AdamW.
_RULES = ("sgd_plain", "sgd_wd", "sgd_momentum_wd", "sgd_nesterov_wd", "adamw")


def cases(folder: str):
    path = os.path.join(folder, "models", "optim.safetensors")
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        record = json.loads(json.loads(file.read(length))["__metadata__"]["case"])
    rules = {f"recipes/rule/{name}": {"check": _rule, "name": name, "record": record} for name in _RULES}
    schedules = {
        f"recipes/schedule/{name}": {"check": _schedule, "name": name, "record": record}
        for name in record["schedules"] if name != "index"}
    return rules | schedules | {"recipes/train/sgd_nesterov": {"check": _train, "record": record}}


def check(folder: str, case: dict) -> dict:
    return case["check"](read_safetensors(os.path.join(folder, "models", "optim.safetensors")), case)


def _error(got, want) -> float:
    return float((numpy.abs(numpy.asarray(got) - want) / numpy.maximum(1, numpy.abs(want))).max()) / _LIMIT


def _rule(truth, case):
    rule, errors = case["record"]["rules"][case["name"]], {}
    recipe = {
        "learningRate": rule["lr"], "momentum": rule.get("momentum", 0.0), "nesterov": rule.get("nesterov", False),
        "weightDecay": rule.get("weight_decay", 0.0), "optimizer": "adamW" if rule["kind"] == "adamw" else "sgd"}
    method = nn.Module()
    method.trained, method.undecayed = nn.Module(), ()
    for name in ("a", "b") if rule["kind"] == "sgd" else ("a",):
        student = nn.ParameterList([nn.Parameter(torch.from_numpy(truth[f"rule/{name}.start"]).double())])
        made = training.optimizer(recipe, student, method)
        for step, gradient in enumerate(truth[f"rule/{name}.grads"]):
            student[0].grad = torch.from_numpy(gradient).double()
            made.param_groups[0]["lr"] = rule["lr"] * float(truth["rule/lr_factor"][step])
            made.step()
            error = _error(student[0].detach().numpy(), truth[f"rule/{case['name']}/{name}.trace"][step])
            errors[name] = max(errors.get(name, 0.0), error)
    return errors


def _schedule(truth, case):
    entry = case["record"]["schedules"][case["name"]]
    recipe = {"learningRate": entry["lr"], "epochs": entry["epochs"]}
    if "milestones" in entry:
        recipe |= {"milestones": entry["milestones"], "gamma": entry["gamma"]}
    else:
        recipe |= {
            "schedule": "cosine", "warmupEpochs": entry.get("warmup", 0), "warmupRate": entry.get("warmup_start", 0.0),
            "leastRate": entry.get("lr_min", 0.0)}
    rates = [training.rate(recipe, epoch) for epoch in range(entry["epochs"])]
    return {"rate": _error(numpy.array(rates) / entry["lr"], truth[f"schedule/{case['name']}"] / entry["lr"])}


def _train(truth, case):
    """Twenty steps on one batch; the fixture's rate changes with each, so each is an epoch here."""
    record = case["record"]["train"]
    rule = record["recipes"]["sgd_nesterov"]
    images = torch.from_numpy(truth["train/input"]).double()
    labels = torch.from_numpy(truth["train/labels"])

    class Source:
        def order(self, epoch):
            return list(range(len(labels)))

        def images(self, samples, epoch):
            return images[samples]

        def labels(self, samples):
            return labels[samples]
    student = networks.build(record["family"], record["params"], record["shape"][0], record["classes"]).double()
    fill_rule.fill(student, record["seed"])
    recipe = {
        "epochs": record["steps"], "batchSize": record["batch"], "learningRate": rule["lr"], "schedule": "cosine",
        "momentum": rule["momentum"], "nesterov": rule["nesterov"], "weightDecay": rule["weight_decay"]}
    run = training.Training(student, [], lambda training: options.make("baseline", {}, training), recipe, Source(), 0)
    losses = [
        run.step(epoch, 0, run.batches(epoch)[0])[0].total.item() for epoch in range(record["steps"])]
    errors = {"loss": _error(losses, truth["train/sgd_nesterov/loss"].reshape(-1))}
    for name, tensor in student.state_dict().items():
        want = truth[f"train/sgd_nesterov/final/{name}"].astype(numpy.float64)
        got = tensor.double().numpy()
        errors["state"] = max(
            errors.get("state", 0.0),
            float(numpy.linalg.norm(got - want) / max(1e-30, numpy.linalg.norm(want))) / _LIMIT)
    student.eval()
    with torch.no_grad():
        logits = student(images).logits.numpy()
    want = truth["train/sgd_nesterov/eval_logits"]
    errors["logits"] = float(numpy.abs(logits - want).max() / numpy.abs(want).max()) / _LIMIT
    return errors
