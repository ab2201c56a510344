"""Weights before training, drawn as mtkd-sweep's own trainer draws them: equal seeds begin with equal networks."""
import torch
from torch import nn

from .streams import Stream


def draw(module: nn.Module, seed: int, prefix: str = "") -> None:
    """Each array from the stream of its own path; what has no random start (norms, factors) stays as it was made."""
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            owner, _, name = path.rpartition(".")
            owner = module.get_submodule(owner)
            start = getattr(owner, "starts", {}).get(name)
            if start is None and isinstance(owner, (nn.Conv2d, nn.Linear)):
                start = "uniform", owner.weight[0].numel() ** -0.5
            if start is not None:
                parameter.copy_(_values(*start, parameter, Stream(seed, f"init/{prefix}{path}")))


def _values(kind: str, size: float, like: torch.Tensor, stream: Stream) -> torch.Tensor:
    if kind == "constant":
        return torch.full_like(like, size)
    numbers = size * stream.normals(like.numel()) if kind == "normal" else (
        -size + 2 * size * stream.uniforms(like.numel()))
    return torch.from_numpy(numbers).reshape(like.shape)
