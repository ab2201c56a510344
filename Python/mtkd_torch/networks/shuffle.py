"""ShuffleNet: version 1 and 2 for small images, version 2 for photographs."""
import torch
from torch import nn
from torch.nn import functional as F

from .parts import Network, conv, layer, norm, relu, shuffled


class Unit(nn.Module):
    """A unit of version 2: half of the channels goes through untouched; with a stride of 2 all go through two branches.

    - numbered: whether the convolutions and norms of both branches are numbered through, as they are in published
      checkpoints for small images; else branches have TorchVision's names.
    """

    def __init__(self, inputs, outputs, stride, numbered):
        super().__init__()
        self.down, half = stride == 2, outputs // 2
        left = [*layer(inputs, inputs, 3, 2, inputs, None), *layer(inputs, half, 1)] if self.down else []
        right = [
            *layer(inputs if self.down else half, half, 1), *layer(half, half, 3, stride, half, None),
            *layer(half, half, 1)]
        # In a list, because what it holds is registered under other names.
        self.branches = [nn.Sequential(*left), nn.Sequential(*right)]
        if numbered:
            for index, part in enumerate(part for part in left + right if not isinstance(part, nn.ReLU)):
                self.add_module(f"{('conv', 'bn')[index % 2]}{index // 2 + 1}", part)
        else:
            self.branch1, self.branch2 = self.branches

    def forward(self, x):
        halves = (x, x) if self.down else x.chunk(2, 1)
        return shuffled(torch.cat([branch(half) for branch, half in zip(self.branches, halves)], 1), 2)


class SmallShuffleNetV2(Network):
    """`cifar_shufflenetv2`."""

    def __init__(self, channels_in, classes, channels, repeats=(3, 7, 3), stem=24, **_):
        super().__init__()
        self.conv1, self.bn1 = conv(channels_in, stem, 1), norm(stem)
        self.grow(
            ["layer1", "layer2", "layer3"], [1 + count for count in repeats], [stem, *channels], [2, 2, 2],
            lambda i, o, stride: Unit(i, o, stride, numbered=True))
        self.conv2, self.bn2 = conv(channels[2], channels[3], 1), norm(channels[3])
        self.linear = nn.Linear(channels[3], classes)

    def stages(self, images):
        *maps, last = super().stages(images)
        return [*maps, relu(self.bn2(self.conv2(last)))]


class PhotographShuffleNetV2(Network):
    """`tv_shufflenetv2`."""

    def __init__(self, channels_in, classes, repeats, channels, **_):
        super().__init__()
        self.conv1 = layer(channels_in, channels[0], 3, 2)
        self.grow(
            ["stage2", "stage3", "stage4"], repeats, channels, [2, 2, 2],
            lambda i, o, stride: Unit(i, o, stride, numbered=False))
        self.conv5 = layer(channels[3], channels[4], 1)
        self.fc = nn.Linear(channels[4], classes)

    def begin(self, images):
        return F.max_pool2d(self.conv1(images), 3, 2, 1)

    def stages(self, images):
        maps = super().stages(images)
        return [*maps, self.conv5(maps[-1])]


class GroupedUnit(nn.Module):
    """A unit of version 1: grouped convolutions, shuffled between. A stride of 2 keeps the input beside its branch."""

    def __init__(self, inputs, outputs, stride, groups):
        super().__init__()
        self.down, self.groups = stride == 2, 1 if inputs == 24 else groups
        made = outputs - inputs if self.down else outputs
        inner = made // 4
        self.conv1, self.bn1 = conv(inputs, inner, 1, groups=self.groups), norm(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3, stride, inner), norm(inner)
        self.conv3, self.bn3 = conv(inner, made, 1, groups=groups), norm(made)

    def forward(self, x):
        y = shuffled(relu(self.bn1(self.conv1(x))), self.groups)
        y = self.bn3(self.conv3(relu(self.bn2(self.conv2(y)))))
        return relu(torch.cat([y, F.avg_pool2d(x, 3, 2, 1)], 1) if self.down else y + x)


class SmallShuffleNetV1(Network):
    """`cifar_shufflenetv1`."""

    def __init__(self, channels_in, classes, channels, repeats, groups=3, **_):
        super().__init__()
        self.conv1, self.bn1 = conv(channels_in, 24, 1), norm(24)
        self.grow(
            ["layer1", "layer2", "layer3"], repeats, [24, *channels], [2, 2, 2],
            lambda i, o, stride: GroupedUnit(i, o, stride, groups))
        self.linear = nn.Linear(channels[2], classes)
