#!/usr/bin/env python3
"""A trainer in place of mtkd-sweep's own: softmax regression by full-batch gradient
descent, standard library only.

It reads one line of JSON, prints one line of JSON an epoch, keeps its state in the folder that it is given,
and goes on from there when it is started again. docs/trainers.md describes the lines.
"""
import json
import math
import os
import struct
import sys


def read_dataset(path):
    """mtkd-sweep's packed images: see docs/trainers.md."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"mtkdset1", "not a packed dataset"
    channels, height, width, classes, *counts = struct.unpack_from("<7Q", data, 8)
    pixels, at, sets = channels * height * width, 64, []
    norms = struct.unpack_from(f"<{2 * channels}d", data, at)
    at += 16 * channels
    for count in counts:
        labels = struct.unpack_from(f"<{count}H", data, at)
        at += 2 * count
        images = [
            [(value / 255 - norms[i * channels // pixels]) / norms[channels + i * channels // pixels]
             for i, value in enumerate(data[at + n * pixels:at + (n + 1) * pixels])]
            for n in range(count)
        ]
        at += count * pixels
        sets.append((images, labels))
    return sets[0], sets[1], classes


def probabilities(weights, image):
    scores = [row[-1] + sum(w * x for w, x in zip(row, image)) for row in weights]
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    return [power / sum(powers) for power in powers]


def report(epoch, metrics):
    print(json.dumps({"record": "epoch", "epoch": epoch, "step": epoch + 1, "metrics": metrics}), flush=True)


def main():
    request = json.loads(sys.stdin.readline())
    run, folder = request["run"], request["folder"]
    epochs, rate = run["recipe"]["epochs"], run["recipe"]["learningRate"]
    (images, labels), (test_images, test_labels), classes = read_dataset(request["dataset"])
    state = {"epoch": 0, "history": [], "weights": [[0.0] * (len(images[0]) + 1) for _ in range(classes)]}
    path = os.path.join(folder, "state.json")
    if os.path.exists(path):
        with open(path) as file:
            state = json.load(file)
        print(f"going on from epoch {state['epoch']}", flush=True)
    # Killed between a checkpoint and its record, or before its record was read: say again
    # what has not been heard.
    for epoch in range(min(request["reported"], state["epoch"]), state["epoch"]):
        report(epoch, state["history"][epoch])
    metrics = state["history"][-1] if state["history"] else {}
    for epoch in range(state["epoch"], epochs):
        loss, gradient = 0.0, [[0.0] * (len(images[0]) + 1) for _ in range(classes)]
        for image, label in zip(images, labels):
            p = probabilities(state["weights"], image)
            loss -= math.log(max(p[label], 1e-300)) / len(images)
            for c in range(classes):
                error = (p[c] - (c == label)) / len(images)
                for i, x in enumerate(image):
                    gradient[c][i] += error * x
                gradient[c][-1] += error
        for row, step in zip(state["weights"], gradient):
            for i, value in enumerate(step):
                row[i] -= rate * value
        right = sum(
            max(range(classes), key=probabilities(state["weights"], image).__getitem__) == label
            for image, label in zip(test_images, test_labels))
        metrics = {"train.loss": loss, "test.acc1": 100 * right / len(test_labels)}
        state.update(epoch=epoch + 1, history=state["history"] + [metrics])
        # Whole or not at all, and before the record: an epoch that was reported can be gone on from.
        with open(path + ".aside", "w") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".aside", path)
        report(epoch, metrics)
    print(json.dumps({"record": "finished", "metrics": metrics, "files": ["state.json"]}), flush=True)


if __name__ == "__main__":
    main()
