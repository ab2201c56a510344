"""VGG for small images."""
from torch import nn
from torch.nn import functional as F

from .parts import Network, conv, norm, start


class VGG(Network):
    """`cifar_vgg`: five blocks, each tapped before its pooling."""

    def __init__(self, channels, classes, stages, batch_norm=True, **_):
        super().__init__()
        width = channels
        for index, widths in enumerate(stages):
            parts = []
            for outputs in widths:
                normed = [norm(outputs)] if batch_norm else []
                parts += [conv(width, outputs, 3, bias=True), *normed, nn.ReLU(inplace=True)]
                width = outputs
            self.add_module(f"block{index}", nn.Sequential(*parts))
        self.classifier = nn.Linear(width, classes)
        start(self, linear=0.01)

    def stages(self, images):
        x, maps = images, []
        for index in range(5):
            x = self.get_submodule(f"block{index}")(x)
            maps.append(x)
            if index < 3 or index == 3 and images.shape[2] == 64:
                x = F.max_pool2d(x, 2)
        return maps
