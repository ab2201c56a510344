"""Weights before training, drawn as mtkd-sweep's own trainer draws them: equal seeds begin with equal networks."""
from __future__ import annotations

import numpy
import torch
from torch import nn

from .streams import Stream


def draw(module: nn.Module, seed: int, prefix: str = "") -> None:
    """Each array from the stream of its own path; what has no random start (norms, factors) stays as it was made."""
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            owner, _, name = path.rpartition(".")
            start = _start(module.get_submodule(owner), name)
            if start is not None:
                parameter.copy_(_values(start, Stream(seed, f"init/{prefix}{path}"), parameter))


def _start(owner: nn.Module, name: str) -> tuple[str, float] | None:
    named = getattr(owner, "starts", {}).get(name)
    if named or not isinstance(owner, (nn.Conv2d, nn.Linear)):
        return named
    return "uniform", owner.weight[0].numel() ** -0.5


def _values(start: tuple[str, float], stream: Stream, like: torch.Tensor) -> torch.Tensor:
    kind, size = start
    if kind == "constant":
        return torch.full_like(like, size)
    numbers = -size + 2 * size * stream.uniforms(like.numel()) if kind == "uniform" else (
        size * stream.normals(like.numel()))
    return torch.from_numpy(numpy.ascontiguousarray(numbers)).reshape(like.shape).to(like)
