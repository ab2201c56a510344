"""RegNetX and RegNetY: for small images, and for photographs under other names."""
from __future__ import annotations

from collections import OrderedDict

from torch import nn

from .parts import Network, SqueezeExcitation, chain, conv, norm, relu, start_fan_out, start_linear


class SmallBlock(nn.Module):
    def __init__(self, inputs, width, stride, group_width, bottleneck, se_ratio):
        super().__init__()
        inner = round(width * bottleneck)
        self.conv1, self.bn1 = conv(inputs, inner, 1), norm(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3, stride, inner // group_width), norm(inner)
        # The squeezed width follows the block's input.
        self.se = SqueezeExcitation(inner, max(1, round(inputs * se_ratio)), ("se1", "se2")) if se_ratio else None
        self.conv3, self.bn3 = conv(inner, width, 1), norm(width)
        self.shortcut = (
            nn.Sequential(conv(inputs, width, 1, stride), norm(width)) if stride != 1 or inputs != width else None)

    def forward(self, x):
        y = relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(y if self.se is None else self.se(y)))
        return relu(y + (x if self.shortcut is None else self.shortcut(x)))


class SmallRegNet(Network):
    """`cifar_regnet`. The authors tap nothing after the first of the four stages."""

    classifier_name = "linear"

    def __init__(
        self, channels, classes, depths, widths, group_width, strides=(1, 1, 2, 2), stem=64, bottleneck=1.0,
        se_ratio=0.0, **_,
    ):
        super().__init__()
        self.conv1, self.bn1 = conv(channels, stem, 3), norm(stem)
        width = stem
        for stage in range(4):
            blocks = nn.ModuleList()
            for index in range(depths[stage]):
                stride = strides[stage] if index == 0 else 1
                blocks.append(
                    SmallBlock(width, widths[stage], stride, group_width, float(bottleneck), float(se_ratio)))
                width = widths[stage]
            self.add_module(f"layer{stage + 1}", blocks)
        self.linear = nn.Linear(width, classes)

    def stages(self, images):
        x, maps = relu(self.bn1(self.conv1(images))), []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = chain(stage, x)
            maps.append(x)
        return maps[1:]


class PhotographBlock(nn.Module):
    def __init__(self, inputs, width, stride, group_width, se_ratio):
        super().__init__()
        self.proj = (
            nn.Sequential(conv(inputs, width, 1, stride), norm(width)) if stride != 1 or inputs != width else None)
        parts = OrderedDict(
            a=nn.Sequential(conv(inputs, width, 1), norm(width), nn.ReLU(inplace=True)),
            b=nn.Sequential(conv(width, width, 3, stride, width // group_width), norm(width), nn.ReLU(inplace=True)))
        if se_ratio:
            parts["se"] = SqueezeExcitation(width, max(1, round(inputs * se_ratio)), ("fc1", "fc2"))
        parts["c"] = nn.Sequential(conv(width, width, 1), norm(width))
        self.f = nn.Sequential(parts)

    def forward(self, x):
        return relu(self.f(x) + (x if self.proj is None else self.proj(x)))


class PhotographRegNet(Network):
    """`tv_regnet`."""

    def __init__(self, channels, classes, depths, widths, group_widths, se_ratio=0.0, stem=32, **_):
        super().__init__()
        self.stem = nn.Sequential(conv(channels, stem, 3, 2), norm(stem))
        width, trunk = stem, OrderedDict()
        for stage in range(4):
            blocks = OrderedDict()
            for index in range(depths[stage]):
                blocks[f"block{stage + 1}-{index}"] = PhotographBlock(
                    width, widths[stage], 2 if index == 0 else 1, group_widths[stage], float(se_ratio))
                width = widths[stage]
            trunk[f"block{stage + 1}"] = nn.Sequential(blocks)
        self.trunk_output = nn.Sequential(trunk)
        self.fc = nn.Linear(width, classes)
        # Biases of the excitation start as torch starts them.
        start_fan_out(self, biases=False)
        start_linear(self, 0.01)

    def stages(self, images):
        x, maps = relu(self.stem(images)), []
        for stage in self.trunk_output:
            x = stage(x)
            maps.append(x)
        return maps
