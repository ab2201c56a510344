"""Reference numbers of attention transfer (Zagoruyko and Komodakis 2017) in NumPy alone, written beside
this file as cases.json.

    python3 Tests/Fixtures/attention-transfer/make.py

Loss: mean over samples of the cross-entropy H plus beta / M times the sum over teachers and pairs of
stages of the mean over positions of (q(student) - q(teacher))^2, with q = vec(sum over channels of F^2)
divided by its length. Stages are paired from the last one backwards; the larger map of a pair is pooled as
adaptive average pooling pools it. Gradients are complex-step derivatives: the loss is evaluated at
x + 1e-30 i in one element at a time, and the imaginary part divided by 1e-30 is exact to rounding. No
formula of a gradient is used.
"""

import json
import pathlib

import numpy as np

STEP = 1e-30


def pooled(maps, height, width):
    """Adaptive average pooling: cell i covers floor(i size / cells) up to ceil((i + 1) size / cells)."""
    h, w = maps.shape[2:]
    if (h, w) == (height, width):
        return maps
    out = np.zeros(maps.shape[:2] + (height, width), maps.dtype)
    for i in range(height):
        top, bottom = i * h // height, -((-(i + 1) * h) // height)
        for j in range(width):
            left, right = j * w // width, -((-(j + 1) * w) // width)
            out[:, :, i, j] = maps[:, :, top:bottom, left:right].mean(axis=(2, 3))
    return out


def attention(maps, height, width):
    energy = (pooled(maps, height, width) ** 2).sum(axis=1).reshape(len(maps), -1)
    return energy / np.sqrt((energy**2).sum(axis=1, keepdims=True))


def distance(student, teacher):
    """Of each sample."""
    total = 0
    for s, t in zip(student[::-1], teacher[::-1]):
        size = min(s.shape[2], t.shape[2]), min(s.shape[3], t.shape[3])
        total = total + ((attention(s, *size) - attention(t, *size)) ** 2).mean(axis=1)
    return total


def cross_entropy(logits, labels):
    # The largest logit is a constant shift: of a complex number, the real part decides.
    shifted = logits - logits.real.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def loss(logits, student, teachers, labels, beta):
    transfer = sum(distance(student, teacher) for teacher in teachers) / len(teachers)
    return (cross_entropy(logits, labels) + beta * transfer).mean()


def gradient(function, array):
    slope = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        moved = array.astype(complex)
        moved[place] += STEP * 1j
        slope[place] = function(moved).imag / STEP
    return slope


def case(name, seed, batch, classes, student_shapes, teacher_shapes, beta):
    draw = np.random.default_rng(seed)
    maps = lambda shapes: [draw.standard_normal((batch, *shape)) for shape in shapes]
    logits = draw.standard_normal((batch, classes))
    labels = draw.integers(0, classes, batch)
    student, teachers = maps(student_shapes), [maps(shapes) for shapes in teacher_shapes]
    gradients = []
    for index, stage in enumerate(student):
        def moved(array, index=index):
            return loss(logits, student[:index] + [array] + student[index + 1 :], teachers, labels, beta)
        gradients.append(gradient(moved, stage))
    tensor = lambda array: {"shape": list(array.shape), "values": array.ravel().tolist()}
    return {
        "name": name, "beta": beta, "labels": labels.tolist(), "logits": tensor(logits),
        "student": [tensor(x) for x in student], "teachers": [[tensor(x) for x in t] for t in teachers],
        "distances": np.stack([distance(student, t) for t in teachers], axis=1).ravel().tolist(),
        "loss": float(loss(logits, student, teachers, labels, beta)),
        "logitGradient": tensor(gradient(lambda z: loss(z, student, teachers, labels, beta), logits)),
        "gradients": [tensor(x) for x in gradients],
    }


CASES = [
    case("one teacher of equal sizes", 1, 3, 4, [(2, 4, 4), (3, 2, 2)], [[(2, 4, 4), (5, 2, 2)]], 1000.0),
    case("one teacher with larger and odd maps", 2, 2, 3, [(2, 4, 4), (3, 2, 3)], [[(3, 7, 5), (4, 5, 4)]], 1000.0),
    case(
        "three teachers, more and fewer stages, larger and smaller maps", 3, 2, 3,
        [(2, 6, 6), (3, 4, 4), (2, 2, 2)],
        [
            [(2, 5, 5), (3, 3, 3), (4, 2, 2), (1, 1, 1)],
            [(3, 8, 8), (2, 4, 4)],
            [(4, 3, 6), (2, 4, 4), (3, 4, 3)],
        ], 250.0),
]

pathlib.Path(__file__).with_name("cases.json").write_text(json.dumps({"numpy": np.__version__, "cases": CASES}, indent=1) + "\n")
