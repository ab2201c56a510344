"""The rival: the networks and methods of mtkd_torch, the one PyTorch implementation of this repository.

    torch_steps.py NETWORK train|infer [--engine eager|compile|onnxruntime] [--batch N] [--seconds S]
    torch_steps.py mtkd-rl train [--student NETWORK]       # steps with four live teachers and a learning policy

Prints one line: images per CPU second at one thread, median over steps, then the largest resident memory in
MiB. channels_last, 3 x 32 x 32 (NAME@SIDE for other sides), 100 classes, SGD with momentum. The engine is
PyTorch eager where nothing is said, torch.compile, or (inference alone) onnxruntime on the exported network.
Start it with malloc told to keep memory, or page faults are measured:

    MALLOC_TRIM_THRESHOLD_=-1 MALLOC_MMAP_MAX_=0 MALLOC_TOP_PAD_=268435456
"""

import csv
import itertools
import json
import os
import resource
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Python"))

import torch
from torch.nn import functional as F

from mtkd_torch import initial, networks, options
from mtkd_torch.training import Training

CLASSES = 100
# Steps of an epoch of mtkd-rl; TrainingSpeed.swift has as many.
EPOCH = 4
TEACHERS = ["regnety-400mf", "resnet32x4", "wrn-28-4", "regnetx-400mf"]


def build(name, side, seed=1):
    with open(os.path.join(ROOT, "Tests", "Fixtures", "models", "architectures.csv"), newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    if name not in rows:
        sys.exit(f"There is no network {name}. Known: {', '.join(rows)}.")
    parameters = json.loads(rows[name]["parametrisation"])
    if "image" in parameters:
        parameters["image"] = side
    network = networks.build(rows[name]["family"], parameters, 3, CLASSES)
    initial.draw(network, seed)
    return network.to(memory_format=torch.channels_last)


class Noise:
    """The same images for every batch."""

    def __init__(self, images, labels):
        self._images, self._labels = images, labels

    def order(self, epoch):
        return list(range(len(self._labels)))

    def images(self, samples, epoch):
        return self._images[:len(samples)]

    def labels(self, samples):
        return self._labels[:len(samples)]


def distillation(student, images, labels):
    """An epoch of MTKD-RL, its policy's learning included, as grids have it by default; the
    first one is the warm-up."""
    recipe = {
        "epochs": 1000, "batchSize": len(labels), "learningRate": 0.05, "momentum": 0.9, "nesterov": True,
        "weightDecay": 1e-4, "milestones": [], "gamma": 0.1}
    teachers = [build(name, 32, index) for index, name in enumerate(TEACHERS)]
    training = Training(
        student, teachers, lambda training: options.make("mtkd-rl", {}, training), recipe, Noise(images, labels), 1)
    samples, epochs = list(range(len(labels))), itertools.count()

    def epoch():
        number = next(epochs)
        for index in range(EPOCH):
            training.step(number, index, samples)
        training.method.finish_epoch()
    return epoch


def exported(network, images):
    """The network in onnxruntime, at one thread and with every optimisation of graphs."""
    import io

    import onnxruntime

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, batch):
            return self.network(batch).logits

    file = io.BytesIO()
    torch.onnx.export(Logits().eval(), (images,), file, dynamo=False)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(file.getvalue(), settings, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images.contiguous().numpy()}
    return lambda: session.run(None, feed)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    name, mode = sys.argv[1], sys.argv[2]
    given = dict(zip(sys.argv[3::2], sys.argv[4::2]))
    batch, seconds = int(given.get("--batch", 64)), float(given.get("--seconds", 3))
    network, _, side = (given.get("--student", "shufflenetv2") if name == "mtkd-rl" else name).partition("@")
    side = int(side or 32)
    student = build(network, side)
    images = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (batch,))
    optimizer = torch.optim.SGD(student.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    distill = distillation(student, images, labels) if name == "mtkd-rl" else None
    student.train(mode == "train")
    engine = given.get("--engine", "eager")
    infer = exported(student, images) if engine == "onnxruntime" else None
    if engine == "compile":
        student = torch.compile(student)

    def step():
        if distill:
            return distill()
        if infer:
            return infer()
        if mode == "infer":
            with torch.inference_mode():
                student(images)
            return
        optimizer.zero_grad()
        F.cross_entropy(student(images).logits, labels).backward()
        optimizer.step()

    step()
    step()
    speeds, end = [], time.process_time() + seconds
    while time.process_time() < end or len(speeds) < 3:
        start = time.process_time()
        step()
        speeds.append(batch * (EPOCH if distill else 1) / (time.process_time() - start))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{sorted(speeds)[len(speeds) // 2]:.1f} {memory}")


if __name__ == "__main__":
    main()
