"""What networks are made of, and what each answers: maps at its taps, the embedding and the logits."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

norm = nn.BatchNorm2d


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

    A family grows its stages, or defines `stages` itself; the last of its parts is what classifies.
    """

    def grow(self, names: list[str], repeats, widths, strides, block) -> None:
        """Stages one behind the other.

        - widths: channels before the first stage, and behind each.
        - block: makes a block of (inputs, outputs, stride).
        """
        self.grown = names
        for name, count, inputs, outputs, stride in zip(names, repeats, widths, widths[1:], strides):
            self.add_module(name, stage(count, inputs, outputs, stride, block))

    def begin(self, images: Tensor) -> Tensor:
        return relu(self.bn1(self.conv1(images)))

    def stages(self, images: Tensor) -> list[Tensor]:
        return taps(self.begin(images), *map(self.get_submodule, self.grown))

    def embed(self, map: Tensor) -> Tensor:
        """The embedding of a map at the last stage."""
        return map.mean((2, 3))

    def classify(self, embedding: Tensor) -> Tensor:
        *_, classifier = self.children()
        return classifier(embedding)

    def classify_map(self, map: Tensor) -> Tensor:
        """Logits of a map at the last stage, for methods that send the student's map through a teacher's end."""
        return self.classify(self.embed(map))

    def forward(self, images: Tensor) -> Activations:
        stages = self.stages(images)
        embedding = self.embed(stages[-1])
        return Activations(stages, embedding, self.classify(embedding))


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=bias)


def layer(inputs, outputs, kernel, stride=1, groups=1, activation=nn.ReLU) -> nn.Sequential:
    """Convolution, norm and, where it is not None, an activation."""
    active = [activation(inplace=True)] if activation else []
    return nn.Sequential(conv(inputs, outputs, kernel, stride, groups), norm(outputs), *active)


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Around a branch that changes channels or resolution a convolution and a norm; else nothing."""
    changes = stride != 1 or inputs != outputs
    return layer(inputs, outputs, 1, stride, activation=None) if changes else nn.Identity()


def relu(x: Tensor) -> Tensor:
    """In place: for what nobody else reads."""
    return F.relu(x, inplace=True)


def stage(repeats: int, inputs: int, outputs: int, stride: int, block) -> nn.Sequential:
    """Blocks of which the first alone changes channels and resolution; `block(inputs, outputs, stride)` makes one."""
    first = block(inputs, outputs, stride)
    return nn.Sequential(first, *(block(outputs, outputs, 1) for _ in range(repeats - 1)))


def taps(x: Tensor, *stages: nn.Module) -> list[Tensor]:
    """What each stage makes of what the one before made."""
    maps = []
    for made in stages:
        x = made(x)
        maps.append(x)
    return maps


def two_layers(inputs, hidden, outputs, activation=nn.ReLU, bias=True, **behind: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(
        fc1=nn.Linear(inputs, hidden, bias), active=activation(), fc2=nn.Linear(hidden, outputs), **behind))


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Channel a (C / groups) + b becomes channel b groups + a."""
    batch, channels, height, width = x.shape
    return x.view(batch, groups, channels // groups, height, width).transpose(1, 2).reshape(x.shape)


def start(network: nn.Module, fan_out: bool = True, biases: bool = True, linear: float | None = None) -> None:
    """How arrays begin that do not begin as torch begins them: `starts` of a module, which `initial.draw` reads.

    - fan_out: convolutions are normal with std sqrt(2 / (outputs * kernel)), as He et al. 2015; biases 0, if `biases`.
    - linear: the std of linear layers; their biases are 0.
    """
    zero = {"bias": ("constant", 0.0)}
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and fan_out:
            std = (2 / module.weight[:, 0].numel()) ** 0.5
            module.starts = {"weight": ("normal", std)} | (zero if biases else {})
        elif isinstance(module, nn.Linear) and linear:
            module.starts = {"weight": ("normal", linear)} | zero
