"""Residual networks: for small images, for photographs, and wide ones."""
from __future__ import annotations

from torch import nn
from torch.nn import functional as F

from .parts import Network, chain, conv, norm, relu, start_fan_out


class Block(nn.Module):
    """ReLU of a branch of two or three convolutions plus a shortcut. The stride is on the 3 x 3 one."""

    def __init__(self, inputs, inner, outputs, stride, bottleneck, groups=1):
        super().__init__()
        self.bottleneck = bottleneck
        first, second = (1, 3) if bottleneck else (3, 3)
        self.conv1 = conv(inputs, inner, first, 1 if bottleneck else stride)
        self.bn1 = norm(inner)
        self.conv2 = conv(inner, inner, second, stride if bottleneck else 1, groups)
        self.bn2 = norm(inner)
        if bottleneck:
            self.conv3, self.bn3 = conv(inner, outputs, 1), norm(outputs)
        self.downsample = (
            nn.Sequential(conv(inputs, outputs, 1, stride), norm(outputs))
            if stride != 1 or inputs != outputs else None)

    def forward(self, x):
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.bottleneck:
            y = self.bn3(self.conv3(relu(y)))
        return relu(y + (x if self.downsample is None else self.downsample(x)))


class SmallResNet(Network):
    """`cifar_resnet`."""

    def __init__(self, channels, classes, depth, widths, block="basic", **_):
        super().__init__()
        bottleneck = block == "bottleneck"
        expansion, each = (4, 9) if bottleneck else (1, 6)
        if (depth - 2) % each:
            raise ValueError(f"a depth of {depth} is not 2 more than a multiple of {each}")
        self.conv1, self.bn1 = conv(channels, widths[0], 3), norm(widths[0])
        width = widths[0]
        for stage in (1, 2, 3):
            blocks = nn.ModuleList()
            for index in range((depth - 2) // each):
                outputs = widths[stage] * expansion
                blocks.append(Block(width, widths[stage], outputs, 2 if stage > 1 and index == 0 else 1, bottleneck))
                width = outputs
            self.add_module(f"layer{stage}", blocks)
        self.fc = nn.Linear(width, classes)
        start_fan_out(self)

    def stages(self, images):
        x, maps = relu(self.bn1(self.conv1(images))), []
        for stage in (self.layer1, self.layer2, self.layer3):
            x = chain(stage, x)
            maps.append(x)
        return maps


class PreActivation(nn.Module):
    """A unit of a wide network. Where channels change, the shortcut reads the activated input."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = norm(inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = norm(outputs), conv(outputs, outputs, 3)
        self.convShortcut = conv(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x):
        a = relu(self.bn1(x))
        y = self.conv2(relu(self.bn2(self.conv1(a))))
        return y + (x if self.convShortcut is None else self.convShortcut(a))


class Group(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.layer = nn.ModuleList(units)

    def forward(self, x):
        return chain(self.layer, x)


class WideResNet(Network):
    """`cifar_wrn`."""

    def __init__(self, channels, classes, depth, widen, dropout=0, **_):
        super().__init__()
        if (depth - 4) % 6:
            raise ValueError(f"a depth of {depth} is not 4 more than a multiple of 6")
        if float(dropout):
            raise ValueError("dropout inside the units is not implemented: no published network uses it")
        self.conv1 = conv(channels, 16, 3)
        width = 16
        for stage in range(3):
            outputs, units = (16 << stage) * widen, []
            for index in range((depth - 4) // 6):
                units.append(PreActivation(width, outputs, 2 if stage > 0 and index == 0 else 1))
                width = outputs
            self.add_module(f"block{stage + 1}", Group(units))
        self.bn1, self.fc = norm(width), nn.Linear(width, classes)
        start_fan_out(self)
        self.fc.starts = {"bias": ("constant", 0.0)}

    def stages(self, images):
        first = self.block1(self.conv1(images))
        second = self.block2(first)
        return [first, second, relu(self.bn1(self.block3(second)))]


class PhotographResNet(Network):
    """`tv_resnet`, ResNeXt and wide bottlenecks included."""

    def __init__(self, channels, classes, block, repeats, groups=1, width_per_group=64, **_):
        super().__init__()
        bottleneck = block == "bottleneck"
        self.conv1, self.bn1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False), norm(64)
        width = 64
        for stage in range(4):
            planes, blocks = 64 << stage, nn.ModuleList()
            inner = int(planes * width_per_group / 64) * groups
            for index in range(repeats[stage]):
                outputs = 4 * planes if bottleneck else planes
                blocks.append(Block(width, inner, outputs, 2 if stage > 0 and index == 0 else 1, bottleneck, groups))
                width = outputs
            self.add_module(f"layer{stage + 1}", blocks)
        self.fc = nn.Linear(width, classes)
        start_fan_out(self)

    def stages(self, images):
        x, maps = F.max_pool2d(relu(self.bn1(self.conv1(images))), 3, 2, 1), []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = chain(stage, x)
            maps.append(x)
        return maps
