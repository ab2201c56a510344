"""Training images in the order, and in the views, in which mtkd-sweep's own trainer shows them to a run of equal seed."""
from __future__ import annotations

import numpy
import torch
from torch import Tensor
from torch.nn import functional as F

from .streams import Stream, below

_PADDING = 4


class Packed:
    """The images of a packed data set on a device.

    - views: K views of an image that are the same for every run, or 0 for a new one in each epoch.
    """

    def __init__(self, dataset, device: torch.device, dtype: torch.dtype, seed: int, views: int):
        self.seed, self.views, self.device = seed, views, device
        values = (numpy.arange(256)[None] / 255 - numpy.array(dataset.mean)[:, None]) / numpy.array(dataset.std)[:, None]
        # Of each channel, what a byte is once it is normalised.
        self.table = torch.from_numpy(values.astype(numpy.float32)).to(device, dtype)
        self.train, self.test, self.validation = (
            self._loaded(split) for split in (dataset.train, dataset.test, dataset.validation))

    def _loaded(self, split) -> tuple[Tensor, Tensor]:
        images, labels = split.arrays()
        return torch.from_numpy(images.copy()).to(self.device), torch.from_numpy(labels.copy()).to(self.device)

    def order(self, epoch: int) -> list[int]:
        return Stream(self.seed, "shuffle", epoch).shuffled(len(self.train[1]))

    def labels(self, samples: list[int]) -> Tensor:
        return self.train[1][samples]

    def images(self, samples: list[int], epoch: int) -> Tensor:
        """Each cropped out of the image with black pixels around it, and mirrored every other time."""
        if self.views:
            chosen = below([Stream(self.seed, "view.choice", epoch, sample) for sample in samples], self.views)
            streams = [Stream(0, "view", int(view), sample) for view, sample in zip(chosen, samples)]
        else:
            streams = [Stream(self.seed, "augment", epoch, sample) for sample in samples]
        down, right, flips = (below(streams, bound) for bound in (2 * _PADDING + 1, 2 * _PADDING + 1, 2))
        pixels = F.pad(self.train[0][samples], (_PADDING,) * 4)
        height, width = (size - 2 * _PADDING for size in pixels.shape[2:])
        columns = numpy.where(flips[:, None] == 1, numpy.arange(width)[::-1], numpy.arange(width)) + right[:, None]
        rows = torch.from_numpy(numpy.arange(height) + down[:, None]).to(self.device)
        columns = torch.from_numpy(columns).to(self.device)
        places = torch.arange(len(samples), device=self.device)[:, None, None, None]
        channels = torch.arange(pixels.shape[1], device=self.device)[None, :, None, None]
        return self._normalised(pixels[places, channels, rows[:, None, :, None], columns[:, None, None, :]])

    def plain(self, samples: list[int]) -> Tensor:
        return self._normalised(self.train[0][samples])

    def held_out(self, name: str, size: int = 256):
        """Batches of the test or the validation images, as they are, with their labels."""
        images, labels = getattr(self, name)
        for start in range(0, len(labels), size):
            yield self._normalised(images[start:start + size]), labels[start:start + size]

    def _normalised(self, pixels: Tensor) -> Tensor:
        channels = torch.arange(pixels.shape[1], device=self.device)[None, :, None, None]
        return self.table[channels, pixels.long()].contiguous(memory_format=torch.channels_last)
