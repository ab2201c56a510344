"""The rule that fills tensors, images and labels of the fixtures (README.md of the fixtures, section 1), on numpy."""
import numpy

_PRIME = 0x100000001B3
_MASK = (1 << 64) - 1


def _words(key: str, count: int):
    name = 0xCBF29CE484222325
    for byte in key.encode():
        name = (name ^ byte) * _PRIME & _MASK
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(name) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


def unit(key: str, count: int):
    """`count` numbers in (-1, 1)."""
    m = (_words(key, count) >> numpy.uint64(40)).astype(numpy.float64)
    return (2 * m + 1 - 2.0 ** 24) / 2.0 ** 24


def values(seed: int, name: str, shape):
    """The array that has a name in a state dictionary: float32 numbers as doubles."""
    v = unit(f"{seed}:{name}", int(numpy.prod(shape, dtype=numpy.int64)))
    last = name.rsplit(".", 1)[-1]
    if last == "weight":
        v = v * (6 / numpy.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 1 + 0.25 * v
    elif last in ("bias", "running_mean"):
        v = 0.1 * v
    elif last == "running_var":
        v = 1.5 + 0.5 * v
    else:
        v = 0.5 * v
    return v.astype(numpy.float32).astype(numpy.float64).reshape(shape)


def images(seed: int, shape):
    n, c, h, w = shape
    coarse = (n, c, -(-h // 4), -(-w // 4))
    fine = 0.5 * unit(f"{seed}:input", n * c * h * w).reshape(shape)
    blocks = unit(f"{seed}:input.coarse", int(numpy.prod(coarse))).reshape(coarse)
    blocks = blocks.repeat(4, 2).repeat(4, 3)[:, :, :h, :w]
    level = unit(f"{seed}:input.level", n * c).reshape(n, c, 1, 1)
    return (fine + blocks + level).astype(numpy.float32).astype(numpy.float64)


def labels(seed: int, count: int, classes: int):
    return (_words(f"{seed}:labels", count) % numpy.uint64(classes)).astype(numpy.int64)


def triple(array, name: str):
    """Sum, l2 norm and probe of an array."""
    flat = numpy.asarray(array, dtype=numpy.float64).reshape(-1)
    return numpy.array([flat.sum(), (flat ** 2).sum() ** 0.5, (flat * unit(f"probe:{name}", flat.size)).sum()])


def fill(module, seed: int, name=lambda path: path) -> None:
    """Fills every array of a module of torch but the counters."""
    import torch
    with torch.no_grad():
        for path, tensor in module.state_dict().items():
            if not path.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(values(seed, name(path), tuple(tensor.shape))))
