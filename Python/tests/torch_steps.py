"""The first ten steps of runs of mtkd_torch in single precision against those of mtkd-sweep's own trainer (`steps/`).

Weights, images and their views come from the seed's streams on both sides; `record_steps.py` has written the record.
"""
import json
import os
import types

import torch

from mtkd_torch import run as trainer
from mtkd_trainer import PackedDataset

#: Of a metric's size, at least 1.
_LIMIT = 1e-5
#: How many steps are compared where not all ten: a ShuffleNetV2 whose weights were just drawn makes a rounding error about
#: fifty times as large in each step, also between PyTorch in single and in double precision.
_STEPS = {"cifar_shufflenetv2": 1}


def cases(folder: str):
    with open(os.path.join(folder, "steps", "steps.json"), encoding="utf-8") as file:
        entries = json.load(file)
    return {f"steps/{entry['run']['student']['family']}/{entry['run']['method']['name']}": entry for entry in entries}


def check(folder: str, case: dict) -> dict:
    """The largest error of each metric over the steps, as a share of the limit."""
    place, settings = os.path.join(folder, "steps"), case["run"]
    run = types.SimpleNamespace(
        settings=settings, recipe=settings["recipe"], seed=settings["seed"], epoch_count=settings["recipe"]["epochs"],
        dataset=lambda: PackedDataset(os.path.join(place, "images.bin")),
        teachers=[os.path.join(place, f"teacher{m}.safetensors") for m in range(len(settings.get("teachers", [])))])
    torch.manual_seed(run.seed)
    training = trainer.build(run, torch.device("cpu"), "float32")
    state, errors = types.SimpleNamespace(step=0, done=0, kept={}), {}

    def walked(batches, every):
        for batch in batches:
            yield batch
            state.step += 1
    run.steps = walked
    steps = case["steps"][:_STEPS.get(settings["student"]["family"])]
    for epoch, want in enumerate(steps):
        got = trainer.train(run, training, epoch, state) | trainer.measure(training, "test")
        for name, value in want.items():
            error = abs(got.get(name, float("nan")) - value) / max(1, abs(value)) / _LIMIT
            errors[name] = max(errors.get(name, 0.0), error if error == error else float("inf"))
    if state.step != len(steps):
        errors["steps"] = float("inf")
    return errors
