"""Values as bytes: one encoding for the checkpoint on disk and for the digest of a state.

Equal values have equal bytes, whatever made them, and reading runs no code, which pickle would. The layout is the length
of a JSON tree as a little-endian 64-bit number, the tree, and behind it the raw bytes of strings of bytes, arrays and
tensors, in the order in which the tree names them.
"""
from __future__ import annotations

import collections
import json
import struct
import sys

from .errors import TrainerError

_LENGTH = struct.Struct("<Q")


def encode(value, path: str = "state") -> bytes:
    """The bytes of a value: None, numbers, text, bytes, collections of these, numpy arrays and torch tensors.

    `path` names the value in the error for a type that has no encoding.
    """
    chunks: list[bytes] = []
    tree = json.dumps(_node(value, path, chunks), separators=(",", ":"), ensure_ascii=True).encode()
    return b"".join([_LENGTH.pack(len(tree)), tree, *chunks])


def decode(data: bytes):
    """The value of bytes that `encode` made. Arrays and tensors own their memory; tensors are on the CPU."""
    try:
        (length,) = _LENGTH.unpack_from(data)
        tree = json.loads(data[8:8 + length])
        return _read(tree, _Cursor(memoryview(data)[8 + length:]))
    except TrainerError:
        raise
    except (struct.error, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise TrainerError(f"These bytes are not an encoded state ({error}).") from error


def _node(value, path, chunks):
    if value is None or isinstance(value, bool):
        return value
    # Exact types: a number of numpy is a subclass of float, and has to come back as what it was.
    if type(value) is int:
        return {"int": str(value)}
    if type(value) is float:
        return {"float": value.hex()}
    if isinstance(value, str):
        return {"str": str(value)}
    if isinstance(value, (bytes, bytearray)):
        chunks.append(bytes(value))
        return {"bytes": len(value)}
    if isinstance(value, (list, tuple, collections.deque)):
        items = [_node(item, f"{path}[{index}]", chunks) for index, item in enumerate(value)]
        if isinstance(value, collections.deque):
            return {"deque": items, "limit": value.maxlen}
        return {"list" if isinstance(value, list) else "tuple": items}
    if isinstance(value, (set, frozenset)):
        # Sets have no order of their own, and that of text differs from process to process.
        return {"set": [_node(item, path, chunks) for item in sorted(value, key=encode)]}
    if isinstance(value, dict):
        return _mapping(value, path, chunks)
    node = _array_node(value, path, chunks)
    if node is None:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TrainerError(
            f"{path} is a {kind}, which a checkpoint cannot hold. Give numbers, text, lists, dictionaries, arrays or "
            "tensors: in a state_dict() of your own, turn the rest into these.")
    return node


def _mapping(value, path, chunks):
    kind = "counter" if isinstance(value, collections.Counter) else "dict"
    pairs = [[_node(key, path, chunks), _node(item, f"{path}.{key}", chunks)] for key, item in value.items()]
    node = {kind: pairs}
    # What torch keeps beside a state dictionary: the versions of its modules.
    if getattr(value, "_metadata", None) is not None:
        node["metadata"] = _node(dict(value._metadata), path, chunks)
    return node


def _array_node(value, path, chunks):
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _tensor_node(torch, value, path, chunks)
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        array = numpy.asarray(value)
        if array.dtype.hasobject or array.dtype.names:
            raise TrainerError(f"{path} is an array of {array.dtype}, which a checkpoint cannot hold.")
        chunks.append(array.tobytes())
        kind = "array" if isinstance(value, numpy.ndarray) else "scalar"
        return {kind: array.dtype.str, "shape": list(array.shape), "size": array.nbytes}
    if torch is not None and isinstance(value, torch.dtype):
        return {"dtype": str(value).split(".")[1]}
    return None


def _tensor_node(torch, value, path, chunks):
    if value.layout != torch.strided or value.is_quantized:
        raise TrainerError(f"{path} is a sparse or quantized tensor, which a checkpoint cannot hold: make it dense.")
    # A conjugate or negative view is a flag over other bytes; a copy has its own.
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    size = plain.numel() * plain.element_size()
    chunks.append(_tensor_bytes(torch, plain, size))
    return {"tensor": str(plain.dtype).split(".")[1], "shape": list(plain.shape), "size": size}


def _tensor_bytes(torch, plain, size):
    if size == 0:
        return b""
    if "numpy" in sys.modules:
        return plain.reshape(-1).view(torch.uint8).numpy().tobytes()
    return bytes(plain.untyped_storage()[plain.storage_offset() * plain.element_size():][:size])


class _Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise TrainerError("These bytes are not an encoded state: they end too early.")
        self.at += size
        return self.data[self.at - size:self.at]


def _read(node, cursor):
    if node is None or isinstance(node, bool):
        return node
    if not isinstance(node, dict) or not node:
        raise TrainerError("These bytes are not an encoded state: a value has no kind.")
    kind = next(iter(node))
    content = node[kind]
    simple = {"int": int, "float": float.fromhex, "str": str}.get(kind)
    if simple is not None:
        return simple(content)
    if kind == "bytes":
        return bytes(cursor.take(content))
    if kind in ("list", "tuple", "set", "deque"):
        items = [_read(item, cursor) for item in content]
        if kind == "deque":
            return collections.deque(items, node["limit"])
        return {"list": list, "tuple": tuple, "set": set}[kind](items)
    if kind in ("dict", "counter"):
        pairs = [(_read(key, cursor), _read(item, cursor)) for key, item in content]
        if kind == "counter":
            return collections.Counter(dict(pairs))
        if "metadata" not in node:
            return dict(pairs)
        result = collections.OrderedDict(pairs)
        result._metadata = collections.OrderedDict(_read(node["metadata"], cursor))
        return result
    return _read_array(kind, node, cursor)


def _read_array(kind, node, cursor):
    if kind in ("array", "scalar"):
        import numpy
        array = numpy.frombuffer(cursor.take(node["size"]), dtype=node[kind]).reshape(node["shape"]).copy()
        return array if kind == "array" else array[()]
    if kind not in ("tensor", "dtype"):
        raise TrainerError(f"These bytes are not an encoded state: nothing is a {kind!r}.")
    import torch
    dtype = getattr(torch, node[kind], None)
    if not isinstance(dtype, torch.dtype):
        raise TrainerError(f"This torch ({torch.__version__}) has no {node[kind]}, which the checkpoint holds.")
    if kind == "dtype":
        return dtype
    data = bytearray(cursor.take(node["size"]))
    if not data:
        return torch.empty(node["shape"], dtype=dtype)
    return torch.frombuffer(data, dtype=torch.uint8).view(dtype).reshape(node["shape"])
