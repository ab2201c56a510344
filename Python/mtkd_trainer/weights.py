"""Weights as safetensors: names, shapes and raw little-endian numbers."""
from __future__ import annotations

import json
import struct
import sys

from . import encoding
from .errors import TrainerError

_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}


def safetensors(arrays: dict) -> bytes:
    """The bytes of a file that holds arrays of numpy or tensors of torch by their names."""
    head, chunks, at = {}, [], 0
    for name, value in sorted(arrays.items()):
        kept: list[bytes] = []
        node = encoding._array_node(value, name, kept)
        torch_name = node.get("tensor") if node else None
        dtype = torch_name or (str(value.dtype) if node else "")
        if dtype not in _NAMES:
            raise TrainerError(f"{name} is not an array or tensor that safetensors has a name for.")
        head[name] = {
            "dtype": _NAMES[dtype], "shape": node["shape"], "data_offsets": [at, at + node["size"]]}
        at += node["size"]
        chunks += kept
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(chunks)


def read_safetensors(path: str, kind: str = "numpy") -> dict:
    """The arrays of a file by their names: the weights of a teacher, or those that a run has published.

    `kind` is `numpy` or `torch`. numpy has no bfloat16, which is read as torch alone.
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        (length,) = struct.unpack_from("<Q", data)
        head = json.loads(data[8:8 + length])
        body = memoryview(data)[8 + length:]
        head.pop("__metadata__", None)
        types = {short: name for name, short in _NAMES.items()}
        return {
            name: _array(body, types[entry["dtype"]], entry["shape"], *entry["data_offsets"], kind)
            for name, entry in head.items()}
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise TrainerError(f"{path} is not a safetensors file: {error}.") from error


def _array(body, dtype, shape, begin, end, kind):
    if not 0 <= begin <= end <= len(body):
        raise ValueError(f"an array lies at {begin} to {end} of {len(body)} bytes")
    if kind == "torch":
        import torch
        data = torch.frombuffer(bytearray(body[begin:end]), dtype=torch.uint8) if end > begin else torch.empty(0)
        return data.view(getattr(torch, dtype)).reshape(shape)
    import numpy
    return numpy.frombuffer(body[begin:end], dtype=dtype).reshape(shape).copy()


def of_part(value) -> dict | None:
    """The arrays of a state dictionary; None where it holds something else too."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    kinds = tuple(
        kind for kind in (getattr(torch, "Tensor", None), getattr(numpy, "ndarray", None)) if kind)
    if not isinstance(value, dict) or not value or not all(isinstance(item, kinds) for item in value.values()):
        return None
    return value
