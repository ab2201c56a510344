"""ShuffleNet: version 1 and 2 for small images, version 2 for photographs."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .parts import Network, chain, conv, norm, relu, shuffled


class Unit(nn.Module):
    """Half of the channels goes through untouched."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.conv1, self.bn1 = conv(half, half, 1), norm(half)
        self.conv2, self.bn2 = conv(half, half, 3, 1, half), norm(half)
        self.conv3, self.bn3 = conv(half, half, 1), norm(half)

    def forward(self, x):
        kept, y = x.chunk(2, 1)
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(y)))))
        return shuffled(torch.cat([kept, relu(self.bn3(self.conv3(y)))], 1), 2)


class Down(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.conv1, self.bn1 = conv(inputs, inputs, 3, 2, inputs), norm(inputs)
        self.conv2, self.bn2 = conv(inputs, half, 1), norm(half)
        self.conv3, self.bn3 = conv(inputs, half, 1), norm(half)
        self.conv4, self.bn4 = conv(half, half, 3, 2, half), norm(half)
        self.conv5, self.bn5 = conv(half, half, 1), norm(half)

    def forward(self, x):
        left = relu(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        right = self.bn4(self.conv4(relu(self.bn3(self.conv3(x)))))
        return shuffled(torch.cat([left, relu(self.bn5(self.conv5(right)))], 1), 2)


class SmallShuffleNetV2(Network):
    """`cifar_shufflenetv2`."""

    classifier_name = "linear"

    def __init__(self, channels_in, classes, channels, repeats=(3, 7, 3), stem=24, **_):
        super().__init__()
        self.conv1, self.bn1 = conv(channels_in, stem, 1), norm(stem)
        width = stem
        for stage in range(3):
            units = nn.ModuleList([Down(width, channels[stage])])
            units.extend(Unit(channels[stage]) for _ in range(repeats[stage]))
            self.add_module(f"layer{stage + 1}", units)
            width = channels[stage]
        self.conv2, self.bn2 = conv(width, channels[3], 1), norm(channels[3])
        self.linear = nn.Linear(channels[3], classes)

    def stages(self, images):
        first = chain(self.layer1, relu(self.bn1(self.conv1(images))))
        second = chain(self.layer2, first)
        return [first, second, relu(self.bn2(self.conv2(chain(self.layer3, second))))]


class GroupedUnit(nn.Module):
    """A unit of version 1: grouped convolutions, shuffled between."""

    def __init__(self, inputs, outputs, stride, groups):
        super().__init__()
        inner = outputs // 4
        self.stride, self.groups = stride, 1 if inputs == 24 else groups
        self.conv1, self.bn1 = conv(inputs, inner, 1, groups=self.groups), norm(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3, stride, inner), norm(inner)
        self.conv3, self.bn3 = conv(inner, outputs, 1, groups=groups), norm(outputs)

    def forward(self, x):
        y = shuffled(relu(self.bn1(self.conv1(x))), self.groups)
        y = self.bn3(self.conv3(relu(self.bn2(self.conv2(y)))))
        if self.stride == 1:
            return relu(y + x)
        return relu(torch.cat([y, F.avg_pool2d(x, 3, 2, 1)], 1))


class SmallShuffleNetV1(Network):
    """`cifar_shufflenetv1`."""

    classifier_name = "linear"

    def __init__(self, channels_in, classes, channels, repeats, groups=3, **_):
        super().__init__()
        self.conv1, self.bn1 = conv(channels_in, 24, 1), norm(24)
        width = 24
        for stage in range(3):
            units = nn.ModuleList()
            for index in range(repeats[stage]):
                outputs = channels[stage] - width if index == 0 else channels[stage]
                units.append(GroupedUnit(width, outputs, 2 if index == 0 else 1, groups))
                width = channels[stage]
            self.add_module(f"layer{stage + 1}", units)
        self.linear = nn.Linear(width, classes)

    def stages(self, images):
        x, maps = relu(self.bn1(self.conv1(images))), []
        for stage in (self.layer1, self.layer2, self.layer3):
            x = chain(stage, x)
            maps.append(x)
        return maps


class PhotographUnit(nn.Module):
    """The same arithmetic as `Unit` and `Down` under TorchVision's names."""

    def __init__(self, inputs, outputs, down):
        super().__init__()
        half, self.down = outputs // 2, down
        if down:
            self.branch1 = nn.Sequential(
                conv(inputs, inputs, 3, 2, inputs), norm(inputs), conv(inputs, half, 1), norm(half), nn.ReLU(inplace=True))
        self.branch2 = nn.Sequential(
            conv(inputs if down else half, half, 1), norm(half), nn.ReLU(inplace=True),
            conv(half, half, 3, 2 if down else 1, half), norm(half), conv(half, half, 1), norm(half), nn.ReLU(inplace=True))

    def forward(self, x):
        kept, y = (self.branch1(x), x) if self.down else x.chunk(2, 1)
        return shuffled(torch.cat([kept, self.branch2(y)], 1), 2)


class PhotographShuffleNetV2(Network):
    """`tv_shufflenetv2`."""

    def __init__(self, channels_in, classes, repeats, channels, **_):
        super().__init__()
        self.conv1 = nn.Sequential(conv(channels_in, channels[0], 3, 2), norm(channels[0]), nn.ReLU(inplace=True))
        for stage in range(3):
            inputs, outputs = channels[stage], channels[stage + 1]
            units = [PhotographUnit(inputs if index == 0 else outputs, outputs, index == 0)
                     for index in range(repeats[stage])]
            self.add_module(f"stage{stage + 2}", nn.ModuleList(units))
        self.conv5 = nn.Sequential(conv(channels[3], channels[4], 1), norm(channels[4]), nn.ReLU(inplace=True))
        self.fc = nn.Linear(channels[4], classes)

    def stages(self, images):
        x, maps = F.max_pool2d(self.conv1(images), 3, 2, 1), []
        for stage in (self.stage2, self.stage3, self.stage4):
            x = chain(stage, x)
            maps.append(x)
        return [*maps, self.conv5(x)]
