"""What networks are made of, and what each answers: maps at its taps, the embedding and the logits."""
from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass
class Activations:
    """One batch as a network saw it."""

    stages: list[Tensor]
    """Maps at the ends of stages, in the order of evaluation; the last is F of the papers."""
    embedding: Tensor
    """f, `[batch, width]`: what the classifier reads."""
    logits: Tensor

    @property
    def map(self) -> Tensor:
        return self.stages[-1]

    def to(self, dtype) -> "Activations":
        return Activations([x.to(dtype) for x in self.stages], self.embedding.to(dtype), self.logits.to(dtype))


class Network(nn.Module):
    """A classifier; names of its parameters and buffers are those of published checkpoints, in their order.

    A family defines `stages` and names its last layer in `classifier_name`.
    """

    classifier_name = "fc"

    def stages(self, images: Tensor) -> list[Tensor]:
        raise NotImplementedError

    def embed(self, map: Tensor) -> Tensor:
        """The embedding of a map at the last stage."""
        return map.mean((2, 3))

    def classify(self, embedding: Tensor) -> Tensor:
        return self.get_submodule(self.classifier_name)(embedding)

    def classify_map(self, map: Tensor) -> Tensor:
        """Logits of a map at the last stage, for methods that send the student's map through a teacher's end."""
        return self.classify(self.embed(map))

    def forward(self, images: Tensor) -> Activations:
        stages = self.stages(images)
        embedding = self.embed(stages[-1])
        return Activations(stages, embedding, self.classify(embedding))


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=bias)


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels)


def relu(x: Tensor) -> Tensor:
    """In place: for what nobody else reads."""
    return F.relu(x, inplace=True)


def chain(blocks: nn.ModuleList, x: Tensor) -> Tensor:
    for block in blocks:
        x = block(x)
    return x


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Channel a (C / groups) + b becomes channel b groups + a."""
    batch, channels, height, width = x.shape
    return x.view(batch, groups, channels // groups, height, width).transpose(1, 2).reshape(x.shape)


class SqueezeExcitation(nn.Module):
    """Channels scaled by what their means say of each other. `names` are those of its two convolutions."""

    def __init__(self, channels: int, squeezed: int, names: tuple[str, str]):
        super().__init__()
        self.names = names
        self.add_module(names[0], conv(channels, squeezed, 1, bias=True))
        self.add_module(names[1], conv(squeezed, channels, 1, bias=True))

    def forward(self, x: Tensor) -> Tensor:
        squeeze, expand = (self.get_submodule(name) for name in self.names)
        return x * expand(relu(squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()


def start_fan_out(network: nn.Module, biases: bool = True) -> None:
    """Convolutions normal with std sqrt(2 / (outputs * kernel)), as He et al. 2015; their biases 0, if `biases`.

    `starts` says how arrays begin that do not begin as torch begins them (`initial.draw`).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            kernel = module.kernel_size[0] * module.kernel_size[1]
            module.starts = {"weight": ("normal", (2 / (module.out_channels * kernel)) ** 0.5)}
            if biases:
                module.starts["bias"] = ("constant", 0.0)


def start_linear(network: nn.Module, std: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.starts = {"weight": ("normal", std), "bias": ("constant", 0.0)}
