"""Safetensors files and the fixtures' fill rule with numpy alone, for the scripts beside this file."""
import json
import struct

import numpy as np

TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}


def read(path):
    """Names to arrays, and the metadata."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin : 8 + length + end]
        arrays[name] = np.frombuffer(raw, TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays, metadata


def unit(key, count):
    """The first values of a key of the fill rule, in (-1, 1)."""
    mask = (1 << 64) - 1
    hash = 0xCBF29CE484222325
    for byte in key.encode():
        hash = ((hash ^ byte) * 0x100000001B3) & mask
    z = np.uint64(hash) + (np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    m = (z >> np.uint64(40)).astype(np.int64)
    return (2 * m + 1 - (1 << 24)) / float(1 << 24)


def images(seed, shape):
    """Images [count, channels, height, width] by the fill rule, float32."""
    count, channels, height, width = shape
    fine = 0.5 * unit(f"{seed}:input", count * channels * height * width).reshape(shape)
    rows, columns = -(-height // 4), -(-width // 4)
    coarse = unit(f"{seed}:input.coarse", count * channels * rows * columns)
    coarse = coarse.reshape(count, channels, rows, columns).repeat(4, 2).repeat(4, 3)[:, :, :height, :width]
    level = unit(f"{seed}:input.level", count * channels).reshape(count, channels, 1, 1)
    return (fine + coarse + level).astype(np.float32)
