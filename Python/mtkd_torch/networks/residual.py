"""Residual networks: for small images, for photographs, and wide ones."""
from collections import OrderedDict

from torch import nn
from torch.nn import functional as F

from .parts import Network, conv, norm, relu, shortcut, stage, start, taps


class Block(nn.Module):
    """ReLU of a branch of two or three convolutions plus a shortcut. The stride is on the first 3 x 3 one."""

    def __init__(self, inputs, outputs, stride, bottleneck, groups=1, width_per_group=64):
        super().__init__()
        self.bottleneck = bottleneck
        if bottleneck:
            inner = int(outputs // 4 * width_per_group / 64) * groups
            self.conv1, self.bn1 = conv(inputs, inner, 1), norm(inner)
            self.conv2, self.bn2 = conv(inner, inner, 3, stride, groups), norm(inner)
            self.conv3, self.bn3 = conv(inner, outputs, 1), norm(outputs)
        else:
            self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), norm(outputs)
            self.conv2, self.bn2 = conv(outputs, outputs, 3), norm(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.bottleneck:
            y = self.bn3(self.conv3(relu(y)))
        return relu(y + self.downsample(x))


class SmallResNet(Network):
    """`cifar_resnet`."""

    def __init__(self, channels, classes, depth, widths, block="basic", **_):
        super().__init__()
        bottleneck = block == "bottleneck"
        expansion, each = (4, 9) if bottleneck else (1, 6)
        if (depth - 2) % each:
            raise ValueError(f"a depth of {depth} is not 2 more than a multiple of {each}")
        stem, *outputs = widths[0], *(expansion * width for width in widths[1:])
        self.conv1, self.bn1 = conv(channels, stem, 3), norm(stem)
        self.grow(
            ["layer1", "layer2", "layer3"], [(depth - 2) // each] * 3, [stem, *outputs], [1, 2, 2],
            lambda i, o, stride: Block(i, o, stride, bottleneck))
        self.fc = nn.Linear(outputs[-1], classes)
        start(self)


class PhotographResNet(Network):
    """`tv_resnet`, ResNeXt and wide bottlenecks included."""

    def __init__(self, channels, classes, block, repeats, groups=1, width_per_group=64, **_):
        super().__init__()
        bottleneck = block == "bottleneck"
        outputs = [width * (4 if bottleneck else 1) for width in (64, 128, 256, 512)]
        self.conv1, self.bn1 = conv(channels, 64, 7, 2), norm(64)
        self.grow(
            ["layer1", "layer2", "layer3", "layer4"], repeats, [64, *outputs], [1, 2, 2, 2],
            lambda i, o, stride: Block(i, o, stride, bottleneck, groups, width_per_group))
        self.fc = nn.Linear(outputs[-1], classes)
        start(self)

    def begin(self, images):
        return F.max_pool2d(super().begin(images), 3, 2, 1)


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


class WideResNet(Network):
    """`cifar_wrn`."""

    def __init__(self, channels, classes, depth, widen, dropout=0, **_):
        super().__init__()
        if (depth - 4) % 6:
            raise ValueError(f"a depth of {depth} is not 4 more than a multiple of 6")
        if float(dropout):
            raise ValueError("dropout inside the units is not implemented: no published network uses it")
        self.conv1 = conv(channels, 16, 3)
        widths = [16, 16 * widen, 32 * widen, 64 * widen]
        self.block1, self.block2, self.block3 = (
            nn.Sequential(OrderedDict(layer=stage((depth - 4) // 6, inputs, outputs, stride, PreActivation)))
            for inputs, outputs, stride in zip(widths, widths[1:], (1, 2, 2)))
        self.bn1, self.fc = norm(widths[-1]), nn.Linear(widths[-1], classes)
        start(self)
        self.fc.starts = {"bias": ("constant", 0.0)}

    def stages(self, images):
        *maps, last = taps(self.conv1(images), self.block1, self.block2, self.block3)
        return [*maps, relu(self.bn1(last))]
