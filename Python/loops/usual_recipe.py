"""What a resume costs that restores weights and optimiser alone, against one with mtkd_trainer: the
table of docs/trainers.md.

    python3 usual_recipe.py

Trains the plain loop for five seeds: undisturbed; left after its second epoch and gone on with in the usual
way; and left there and gone on with by mtkd_trainer. Each start is as in a new process: generators are
seeded, everything is built anew.
"""
import pathlib
import random
import sys
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "before")]

from mtkd_trainer import Run, alone  # noqa: E402
from plain import Shapes, accuracy  # noqa: E402

EPOCHS, LEFT_AFTER, SEEDS = 5, 2, range(1, 6)


def build(seed):
    torch.manual_seed(seed)
    random.seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 4], 0.1)
    loader = DataLoader(Shapes(256, True), batch_size=32, shuffle=True)
    return model, optimizer, scheduler, loader


def epoch(model, optimizer, scheduler, loader):
    model.train()
    for images, labels in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    scheduler.step()
    return accuracy(model, TESTS)


def undisturbed(seed):
    parts = build(seed)
    return [epoch(*parts) for _ in range(EPOCHS)][-1]


def usual(seed):
    parts = build(seed)
    for _ in range(LEFT_AFTER):
        epoch(*parts)
    saved = [part.state_dict() for part in parts[:2]]
    again = build(seed)
    for part, state in zip(again, saved):
        part.load_state_dict(state)
    return [epoch(*again) for _ in range(EPOCHS - LEFT_AFTER)][-1]


def ours(seed):
    with tempfile.TemporaryDirectory() as folder:
        for leaves in (True, False):
            parts = build(seed)
            run = Run({**alone(folder, EPOCHS, seed), "reported": 0}, deterministic=False)
            state = run.resume(**dict(zip(("model", "optimizer", "scheduler", "loader"), parts)))
            for number in run.epochs(state):
                last = epoch(*parts)
                run.report(number, {"test.acc1": last}, state)
                if leaves and number + 1 == LEFT_AFTER:
                    break
    return last


def spread(values):
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5


if __name__ == "__main__":
    torch.set_num_threads(1)
    TESTS = DataLoader(Shapes(1000, False), batch_size=500)
    out, sys.stdout = sys.stdout, sys.stderr
    calm = [undisturbed(seed) for seed in SEEDS]
    for name, resume in (("weights and optimiser only", usual), ("mtkd_trainer", ours)):
        others = [resume(seed) for seed in SEEDS]
        apart = [abs(a - b) for a, b in zip(calm, others)]
        print(
            f"| {name} | {sum(a != b for a, b in zip(calm, others))} of {len(calm)} "
            f"| {sum(apart) / len(apart):.2f} | {spread(calm):.2f} |", file=out)
