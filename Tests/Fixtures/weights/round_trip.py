"""Loads exported weights into the same network written in PyTorch and prints its logits of images
of the fill rule as JSON.

    python3 round_trip.py WEIGHTS.safetensors SEED COUNT CHANNELS HEIGHT WIDTH

Networks: cifar_resnet with basic blocks. `load_state_dict(strict=True)` takes the names, the shapes
and the counters, or fails.
"""
import json
import sys

import torch
from torch import nn

import tensors


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        else:
            self.downsample = nn.Identity()

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self, depth, widths, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        inputs = widths[0]
        for stage, width in enumerate(widths[1:]):
            blocks = []
            for index in range((depth - 2) // 6):
                blocks.append(Block(inputs, width, 2 if stage > 0 and index == 0 else 1))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


path, seed, *shape = sys.argv[1:]
arrays, metadata = tensors.read(path)
network = json.loads(metadata["network"])
assert network["family"] == "cifar_resnet" and network["parameters"]["block"] == "basic", network
assert metadata["format"] == "pt" and metadata["run"] and metadata["method"], metadata
shape = [int(extent) for extent in shape]
model = ResNet(network["parameters"]["depth"], network["parameters"]["widths"], shape[1], len(arrays["fc.bias"]))
model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, strict=True)
model.double().eval()
with torch.no_grad():
    print(json.dumps(model(torch.from_numpy(tensors.images(int(seed), shape)).double()).tolist()))
