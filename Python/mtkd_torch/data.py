"""Training images in the order, and in the views, in which mtkd-sweep's own trainer shows them to a run of equal seed."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy
import torch
from torch import Tensor
from torch.nn import functional as F

from mtkd_trainer import PhotographDataset
from mtkd_trainer.streams import Stream

_PADDING = 4


class Images:
    """The images of a data set on a device; a subclass says where their pixels come from.

    - views: K views of an image that are the same for every run, or 0 for a new one in each epoch.
    """

    #: Of images that measure, how many make a batch.
    measured = 256

    def __init__(self, dataset, device: torch.device, dtype: torch.dtype, seed: int, views: int = 0):
        self.dataset, self.device, self.seed, self.views = dataset, device, seed, views
        values = [(numpy.arange(256) / 255 - mean) / std for mean, std in zip(dataset.mean, dataset.std)]
        # Of each channel, what a byte is once it is normalised.
        self.table = torch.from_numpy(numpy.array(values, numpy.float32)).to(device, dtype)
        self.answers = {
            name: torch.tensor(getattr(dataset, name).labels, dtype=torch.int64, device=device)
            for name in ("train", "test", "validation")}

    def shown(self, split: str, places: list[int], streams: list[Stream] | None) -> Tensor:
        """Bytes `[count, channels, height, width]`: each a view drawn from its stream, or without one as it is measured."""
        raise NotImplementedError

    def order(self, epoch: int) -> list[int]:
        return Stream(self.seed, "shuffle", epoch).shuffled(len(self.answers["train"]))

    def labels(self, samples: list[int]) -> Tensor:
        return self.answers["train"][samples]

    def images(self, samples: list[int], epoch: int) -> Tensor:
        if self.views:
            chosen = [Stream(self.seed, "view.choice", epoch, sample).below(self.views) for sample in samples]
            streams = [Stream(0, "view", *view, sample) for view, sample in zip(chosen, samples)]
        else:
            streams = [Stream(self.seed, "augment", epoch, sample) for sample in samples]
        return self._normalised(self.shown("train", samples, streams))

    def plain(self, samples: list[int]) -> Tensor:
        return self._normalised(self.shown("train", samples, None))

    def held_out(self, name: str):
        """Batches of the test or the validation images, as they are measured, with their labels."""
        labels = self.answers[name]
        for start in range(0, len(labels), self.measured):
            places = list(range(len(labels)))[start:start + self.measured]
            yield self._normalised(self.shown(name, places, None)), labels[places]

    def _normalised(self, pixels: Tensor) -> Tensor:
        channels = torch.arange(pixels.shape[1], device=self.device)[None, :, None, None]
        return self.table[channels, pixels.long()].contiguous(memory_format=torch.channels_last)


class Packed(Images):
    """Of a packed data set. A view is a crop out of the image with black pixels around it, mirrored every other time."""

    def __init__(self, dataset, device, dtype, seed, views=0):
        super().__init__(dataset, device, dtype, seed, views)
        self.pixels = {
            name: torch.from_numpy(getattr(dataset, name).arrays()[0].copy()).to(device) for name in self.answers}

    def shown(self, split, places, streams):
        pixels = self.pixels[split][places]
        if streams is None:
            return pixels
        height, width = pixels.shape[2:]
        views = []
        for image, stream in zip(F.pad(pixels, (_PADDING,) * 4), streams):
            down, right, is_flipped = stream.below(2 * _PADDING + 1, 2 * _PADDING + 1, 2)
            view = image[:, down:down + height, right:right + width]
            views.append(view.flip(2) if is_flipped else view)
        return torch.stack(views)


class Photographs(Images):
    """Of photographs, read now. A view is a random part resampled to the square, mirrored every other time.

    - jitter: how strongly colours of views change.
    """

    measured = 64

    def __init__(self, dataset: PhotographDataset, device, dtype, seed, views=0, jitter: float = 0.0):
        super().__init__(dataset, device, dtype, seed, views)
        self.jitter = jitter

    def shown(self, split, places, streams):
        photographs = getattr(self.dataset, split)
        # Which thread makes one changes no bit.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            squares = list(pool.map(
                lambda place, stream: photographs.view(place, stream, self.jitter), places,
                streams or [None] * len(places)))
        return torch.from_numpy(numpy.stack(squares)).to(self.device)
