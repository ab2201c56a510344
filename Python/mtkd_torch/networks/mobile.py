"""MobileNetV2: for small images and for photographs."""
from torch import nn

from .parts import Network, layer, stage, start, taps


class Inverted(nn.Module):
    """Expand, depthwise, project.

    - small: ReLU and not ReLU6, an expansion even by 1, and layers that are numbered through.
    """

    def __init__(self, inputs, outputs, stride, expansion, small):
        super().__init__()
        inner, active = inputs * expansion, nn.ReLU if small else nn.ReLU6
        self.adds = stride == 1 and inputs == outputs
        expand = layer(inputs, inner, 1, activation=active)
        depthwise = layer(inner, inner, 3, stride, inner, active)
        project = layer(inner, outputs, 1, activation=None)
        if small:
            self.conv = nn.Sequential(*expand, *depthwise, *project)
        else:
            self.conv = nn.Sequential(*([expand] if expansion != 1 else []), depthwise, *project)

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


def parts(channels, scaled, last, expansion, small):
    """The first layer, the stages and the last layer. `scaled` says how many channels stand for so many."""
    active, inputs, stages = nn.ReLU if small else nn.ReLU6, scaled(32), []
    first = layer(channels, inputs, 3, 2, activation=active)
    for factor, outputs, repeats, stride in (
            (1, 16, 1, 1), (expansion, 24, 2, 1 if small else 2), (expansion, 32, 3, 2), (expansion, 64, 4, 2),
            (expansion, 96, 3, 1), (expansion, 160, 3, 2), (expansion, 320, 1, 1)):
        stages.append(stage(
            repeats, inputs, scaled(outputs), stride, lambda i, o, stride: Inverted(i, o, stride, factor, small)))
        inputs = scaled(outputs)
    return first, stages, layer(inputs, last, 1, activation=active)


class SmallMobileNetV2(Network):
    """`cifar_mobilenetv2`. F is the last block's output, before the last convolution."""

    def __init__(self, channels, classes, expansion=6, width=1.0, **_):
        super().__init__()
        scale = float(width)
        last = 1280 if scale <= 1 else int(1280 * scale)
        self.conv1, blocks, conv2 = parts(channels, lambda count: int(count * scale), last, expansion, small=True)
        self.blocks, self.conv2 = nn.ModuleList(blocks), conv2
        self.classifier = nn.Sequential(nn.Linear(last, classes))
        start(self, linear=0.01)

    def stages(self, images):
        maps = taps(self.conv1(images), *self.blocks)
        return [maps[index] for index in (1, 2, 4, 6)]

    def embed(self, map):
        return self.conv2(map).mean((2, 3))


def divisible(value: float) -> int:
    """The nearest multiple of 8, half up, not below 0.9 of the value."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class PhotographMobileNetV2(Network):
    """`tv_mobilenetv2`."""

    def __init__(self, channels, classes, width=1.0, **_):
        super().__init__()
        scale = float(width)
        last = divisible(1280 * max(1.0, scale))
        first, stages, end = parts(channels, lambda count: divisible(count * scale), last, 6, small=False)
        self.features = nn.Sequential(first, *(block for blocks in stages for block in blocks), end)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, classes))
        start(self, linear=0.01)

    def stages(self, images):
        maps = taps(images, *self.features)
        return [maps[index] for index in (3, 6, 13, 17, 18)]
