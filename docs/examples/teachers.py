#!/usr/bin/env python3
"""A trainer that trains the teachers of its students too, and writes down once what they say of each image.

`their-big` is a softmax regression over pixels and their products with their neighbours, `their-small` one
over pixels alone, which learns from labels (`baseline`) or from its teachers (`soft`). Needs numpy and
mtkd_trainer (`pip install Python/`); docs/trainers.md describes what it is asked.
"""
import numpy

from mtkd_trainer import Run, describe, outputs_asked, read_safetensors


class Softmax:
    def __init__(self, network, data, seed=0):
        self.is_big = network == "their-big"
        inputs = data.channels * data.height * data.width * (2 if self.is_big else 1)
        self.rows = numpy.random.default_rng(seed).normal(scale=0.01, size=(data.classes, inputs))

    def inputs(self, pixels):
        flat = pixels.reshape(len(pixels), -1) / 128 - 1
        return numpy.hstack([flat, flat * numpy.roll(flat, 1, axis=1)]) if self.is_big else flat

    def logits(self, pixels):
        return self.inputs(pixels) @ self.rows.T

    def step(self, pixels, targets, rate):
        error = softmax(self.logits(pixels)) - targets
        self.rows -= rate * error.T @ self.inputs(pixels) / len(pixels)

    def state_dict(self):
        return {"rows": self.rows}

    def load_state_dict(self, state):
        self.rows = state["rows"]


def softmax(logits):
    powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def shown(pixels, images, views):
    """View 0 of an image is the image, view 1 its mirror image, and so on: it depends on
    image and view alone."""
    batch = pixels[numpy.asarray(images)]
    return numpy.where((numpy.asarray(views) % 2 == 1)[:, None, None, None], batch[..., ::-1], batch)


def main():
    describe(
        methods=["baseline", {"name": "soft", "teachers": True, "summary": "Learns what its teachers say on average."}],
        networks=["their-small", "their-big"], teachers=True, teacher_outputs="logits")
    asked = outputs_asked()
    if asked:
        data = asked.dataset()
        teacher = Softmax(asked.settings["student"]["family"], data)
        teacher.load_state_dict(read_safetensors(asked.teacher))
        pixels, _ = data.train.arrays()
        for batch in asked.batches(64):
            asked.write(teacher.logits(shown(pixels, *zip(*batch))))
        asked.finish()
    with Run() as run:
        data = run.dataset()
        model = Softmax(run.settings["student"]["family"], data, run.seed)
        state = run.resume(model=model)
        (pixels, labels), (test, test_labels) = data.train.arrays(), data.test.arrays()
        teachers = [Softmax(spec["network"]["family"], data) for spec in run.settings.get("teachers", [])]
        for teacher, path in zip(teachers, run.teachers):
            teacher.load_state_dict(read_safetensors(path))
        written = run.teacher_outputs()
        images = numpy.arange(len(pixels))
        for epoch in run.epochs(state):
            views = numpy.full(len(pixels), epoch % max(1, run.settings.get("views", 0)))
            batch = shown(pixels, images, views)
            # Rounded as what is written down is, so that a student is the same with it and without.
            answers = [
                outputs.batch(images, views)[0] if outputs else teacher.logits(batch).astype("f4")
                for teacher, outputs in zip(teachers, written)]
            targets = [softmax(answer.astype("f8")) for answer in answers] or [numpy.eye(data.classes)[labels]]
            model.step(batch, sum(targets) / len(targets), run.recipe["learningRate"])
            right = model.logits(test).argmax(axis=1) == test_labels
            run.report(epoch, {"test.acc1": 100 * right.mean()}, state)


if __name__ == "__main__":
    main()
