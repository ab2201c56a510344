"""MobileNetV2: for small images and for photographs."""
from __future__ import annotations

from torch import nn

from .parts import Network, chain, conv, norm, start_fan_out, start_linear


class SmallInverted(nn.Module):
    """Expand, depthwise, project; ReLU and not ReLU6, and an expansion even by 1."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            conv(inputs, inner, 1), norm(inner), nn.ReLU(inplace=True), conv(inner, inner, 3, stride, inner), norm(inner),
            nn.ReLU(inplace=True), conv(inner, outputs, 1), norm(outputs))

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class SmallMobileNetV2(Network):
    """`cifar_mobilenetv2`. F is the last block's output, before the last convolution."""

    classifier_name = "classifier.0"

    def __init__(self, channels, classes, expansion=6, width=1.0, **_):
        super().__init__()
        scale = float(width)
        rows = [
            (1, 16, 1, 1), (expansion, 24, 2, 1), (expansion, 32, 3, 2), (expansion, 64, 4, 2), (expansion, 96, 3, 1),
            (expansion, 160, 3, 2), (expansion, 320, 1, 1)]
        inputs = int(32 * scale)
        self.conv1 = nn.Sequential(conv(channels, inputs, 3, 2), norm(inputs), nn.ReLU(inplace=True))
        self.blocks = nn.ModuleList()
        for factor, outputs, repeats, stride in rows:
            blocks = nn.ModuleList()
            for index in range(repeats):
                blocks.append(SmallInverted(inputs, int(outputs * scale), stride if index == 0 else 1, factor))
                inputs = int(outputs * scale)
            self.blocks.append(blocks)
        last = 1280 if scale <= 1 else int(1280 * scale)
        self.conv2 = nn.Sequential(conv(inputs, last, 1), norm(last), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.Linear(last, classes))
        start_fan_out(self)
        start_linear(self, 0.01)

    def stages(self, images):
        x, maps = self.conv1(images), []
        for index, blocks in enumerate(self.blocks):
            x = chain(blocks, x)
            if index in (1, 2, 4, 6):
                maps.append(x)
        return maps

    def embed(self, map):
        return self.conv2(map).mean((2, 3))


def divisible(value: float) -> int:
    """The nearest multiple of 8, half up, not below 0.9 of the value."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        expand = [nn.Sequential(conv(inputs, inner, 1), norm(inner), nn.ReLU6(inplace=True))] if expansion != 1 else []
        depthwise = nn.Sequential(conv(inner, inner, 3, stride, inner), norm(inner), nn.ReLU6(inplace=True))
        self.conv = nn.Sequential(*expand, depthwise, conv(inner, outputs, 1), norm(outputs))

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class PhotographMobileNetV2(Network):
    """`tv_mobilenetv2`."""

    classifier_name = "classifier.1"

    def __init__(self, channels, classes, width=1.0, **_):
        super().__init__()
        scale = float(width)
        rows = [
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
        inputs = divisible(32 * scale)
        layers = [nn.Sequential(conv(channels, inputs, 3, 2), norm(inputs), nn.ReLU6(inplace=True))]
        for expansion, outputs, repeats, stride in rows:
            for index in range(repeats):
                layers.append(Inverted(inputs, divisible(outputs * scale), stride if index == 0 else 1, expansion))
                inputs = divisible(outputs * scale)
        last = divisible(1280 * max(1.0, scale))
        layers.append(nn.Sequential(conv(inputs, last, 1), norm(last), nn.ReLU6(inplace=True)))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, classes))
        start_fan_out(self)
        start_linear(self, 0.01)

    def stages(self, images):
        x, maps = images, []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in (3, 6, 13, 17, 18):
                maps.append(x)
        return maps

    def classify(self, embedding):
        return self.classifier(embedding)
