"""RegNetX and RegNetY: for small images, and for photographs under other names."""
from collections import OrderedDict

from torch import nn

from .parts import Network, conv, layer, norm, relu, shortcut, stage, start, taps


class SqueezeExcitation(nn.Sequential):
    """Channels scaled by what their means say of each other."""

    def forward(self, x):
        return x * super().forward(x.mean((2, 3), keepdim=True))


def excitation(channels: int, inputs: int, ratio: float, squeeze: str, expand: str) -> nn.Module:
    """None for a ratio of 0. The squeezed width follows the block's input; its two convolutions have names."""
    if ratio == 0:
        return nn.Identity()
    squeezed = max(1, round(inputs * ratio))
    return SqueezeExcitation(OrderedDict({
        squeeze: conv(channels, squeezed, 1, bias=True), "active": nn.ReLU(inplace=True),
        expand: conv(squeezed, channels, 1, bias=True), "share": nn.Sigmoid()}))


class Block(nn.Module):
    """A grouped convolution between two of 1 x 1.

    - small: whether its parts have the names of published checkpoints for small images; else TorchVision's.
    """

    def __init__(self, inputs, width, stride, group_width, se_ratio, small, bottleneck=1.0):
        super().__init__()
        inner = round(width * bottleneck)
        a, b = layer(inputs, inner, 1), layer(inner, inner, 3, stride, inner // group_width)
        se = excitation(inner, inputs, se_ratio, *(("se1", "se2") if small else ("fc1", "fc2")))
        c, beside = layer(inner, width, 1, activation=None), shortcut(inputs, width, stride)
        branch = nn.Sequential(OrderedDict(a=a, b=b, se=se, c=c))
        # In a list, because what it holds is registered under other names.
        self.ways = [branch, beside]
        if small:
            self.conv1, self.bn1, self.conv2, self.bn2 = a[0], a[1], b[0], b[1]
            self.se, self.conv3, self.bn3, self.shortcut = se, c[0], c[1], beside
        else:
            self.proj, self.f = beside, branch

    def forward(self, x):
        branch, beside = self.ways
        return relu(branch(x) + beside(x))


class SmallRegNet(Network):
    """`cifar_regnet`. The authors tap nothing after the first of the four stages."""

    def __init__(
        self, channels, classes, depths, widths, group_width, strides=(1, 1, 2, 2), stem=64, bottleneck=1.0,
        se_ratio=0.0, **_,
    ):
        super().__init__()
        self.conv1, self.bn1 = conv(channels, stem, 3), norm(stem)
        self.grow(
            ["layer1", "layer2", "layer3", "layer4"], depths, [stem, *widths], strides,
            lambda i, o, stride: Block(i, o, stride, group_width, float(se_ratio), True, float(bottleneck)))
        self.linear = nn.Linear(widths[3], classes)

    def stages(self, images):
        return super().stages(images)[1:]


class PhotographRegNet(Network):
    """`tv_regnet`."""

    def __init__(self, channels, classes, depths, widths, group_widths, se_ratio=0.0, stem=32, **_):
        super().__init__()
        self.stem = layer(channels, stem, 3, 2, activation=None)
        trunk = OrderedDict()
        for index, inputs in enumerate([stem, *widths[:3]]):
            name = f"block{index + 1}"
            blocks = stage(
                depths[index], inputs, widths[index], 2,
                lambda i, o, stride: Block(i, o, stride, group_widths[index], float(se_ratio), False))
            trunk[name] = nn.Sequential(OrderedDict(
                (f"{name}-{place}", block) for place, block in enumerate(blocks)))
        self.trunk_output = nn.Sequential(trunk)
        self.fc = nn.Linear(widths[3], classes)
        # Biases of the excitation start as torch starts them.
        start(self, biases=False, linear=0.01)

    def stages(self, images):
        return taps(relu(self.stem(images)), *self.trunk_output)
