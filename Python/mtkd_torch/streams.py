"""Random numbers by name as tensors."""
import numpy
import torch

from mtkd_trainer.streams import Stream


def rows(seed: int, purpose: str, epoch: int, samples: list[int], index: int, width: int, kind: str) -> torch.Tensor:
    """`[len(samples), width]` of `kind` (normals, uniforms): by where a sample is, not by its place in a batch."""
    values = [getattr(Stream(seed, purpose, epoch, sample, index), kind)(width) for sample in samples]
    return torch.from_numpy(numpy.stack(values))
