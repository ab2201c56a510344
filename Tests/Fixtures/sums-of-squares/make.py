"""Sums of squares of full factorials, by projection onto orthonormal contrasts (Kronecker
products of QR bases): no inclusion and exclusion, no table of means. Writes sums-of-squares.json.
NumPy in 64-bit arithmetic."""
import itertools
import json
import numpy


def contrasts(levels):
    """Columns: the constant, then levels - 1 orthonormal contrasts."""
    basis = numpy.column_stack([numpy.ones(levels), numpy.eye(levels)[:, 1:]])
    return numpy.linalg.qr(basis)[0]


def effects(levels, values):
    """Sum of squares by subset of the factors, a bit a factor, the first the lowest."""
    result = [0.0] * 2 ** len(levels)
    for subset in range(1, 2 ** len(levels)):
        basis = numpy.ones((1, 1))
        for factor, count in enumerate(levels):
            own = contrasts(count)
            basis = numpy.kron(basis, own[:, 1:] if subset >> factor & 1 else own[:, :1])
        result[subset] = float(numpy.sum((basis.T @ values) ** 2))
    return result


def case(levels, seed):
    random = numpy.random.default_rng(seed)
    shape = tuple(levels)
    values = 70 + random.normal(0, 0.4, shape)
    for factor, count in enumerate(levels):
        size = [1] * len(levels)
        size[factor] = count
        values = values + random.normal(0, 2 / (1 + factor), count).reshape(size)
    for a, b in itertools.combinations(range(len(levels)), 2):
        size = [1] * len(levels)
        size[a], size[b] = levels[a], levels[b]
        values = values + random.normal(0, 0.5, (levels[a], levels[b])).reshape(size)
    flat = numpy.round(values, 4).reshape(-1)
    total = float(numpy.sum((flat - flat.mean()) ** 2))
    return {"levels": list(levels), "values": flat.tolist(), "effects": effects(levels, flat), "total": total}


cases = [case(levels, 7 + place) for place, levels in enumerate([(4,), (2, 3), (3, 2, 3), (2, 2, 3, 3), (5, 1, 2)])]
with open("sums-of-squares.json", "w") as file:
    json.dump({"numpy": numpy.__version__, "cases": cases}, file, indent=1)
    file.write("\n")
