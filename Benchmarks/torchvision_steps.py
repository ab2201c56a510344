"""The rival of `mtkd-benchmarks downstream`: detectors and operations of torchvision,
segmentors of CIRKD's shape.

    torchvision_steps.py NAME [--seconds S] [--layout last|first]

Prints one line: milliseconds a call at one thread, median, then the largest resident memory in MiB. The
shapes are those of `DownstreamSpeed.swift`: two images of 256 x 341 with three classes, the stem and the
first stage frozen as in torchvision's recipe, or of 128 x 128. Start it with malloc told to keep memory, or
page faults are measured.
"""

import resource
import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.resnet import resnet18
from torchvision.ops import misc, nms, roi_align
from torchvision.ops.feature_pyramid_network import LastLevelP6P7


def detector(name):
    """As torchvision builds them: frozen norms, the stem and the first stage frozen."""
    trunk = resnet18(weights=None, norm_layer=misc.FrozenBatchNorm2d)
    sizes = {"min_size": 256, "max_size": 341}
    if name.startswith("retinanet"):
        backbone = _resnet_fpn_extractor(
            trunk, 3, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(512, 256))
        anchors = AnchorGenerator(
            tuple((side, int(side * 2 ** (1 / 3)), int(side * 2 ** (2 / 3))) for side in [32, 64, 128, 256, 512]),
            ((0.5, 1.0, 2.0),) * 5)
        return RetinaNet(backbone, 3, anchor_generator=anchors, **sizes)
    build = MaskRCNN if name.startswith("mask") else FasterRCNN
    # Proposals as in the recipe.
    return build(
        _resnet_fpn_extractor(trunk, 3), 4, rpn_pre_nms_top_n_train=2000, rpn_post_nms_top_n_train=2000, **sizes)


def unit(inputs, outputs, kernel, **options):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, bias=False, **options), nn.BatchNorm2d(outputs), nn.ReLU(True))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, dilations):
        super().__init__()
        first, second = dilations
        self.first = unit(inputs, outputs, 3, stride=stride, padding=first, dilation=first)
        self.second = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, padding=second, dilation=second, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x), True)


class Segmentor(nn.Module):
    """A ResNet-34 at output stride 8 (`dilation: both`) with a head and an auxiliary head."""

    def __init__(self, name, classes):
        super().__init__()
        self.stem = nn.Sequential(unit(3, 64, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, 1))
        stages, inputs = [], 64
        plan = [(3, 64, 1, 1, 1), (4, 128, 2, 1, 1), (6, 256, 1, 1, 2), (3, 512, 1, 2, 4)]
        for count, outputs, stride, first, others in plan:
            blocks = [Block(inputs, outputs, stride, (first, others))]
            blocks += [Block(outputs, outputs, 1, (others, others)) for _ in range(count - 1)]
            stages.append(nn.Sequential(*blocks))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        self.is_psp = name.startswith("pspnet")
        if self.is_psp:
            self.pools = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(s), unit(512, 128, 1)) for s in (1, 2, 3, 6))
            self.block = nn.Sequential(unit(1024, 128, 3, padding=1), nn.Dropout(0.1), nn.Conv2d(128, classes, 1))
        else:
            self.branches = nn.ModuleList(
                [unit(512, 512, 1)] + [unit(512, 512, 3, padding=d, dilation=d) for d in (2, 4, 6)])
            self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), unit(512, 512, 1))
            self.block = nn.Sequential(
                unit(2560, 512, 1), nn.Dropout(0.5), unit(512, 512, 3, padding=1), nn.Dropout(0.1),
                nn.Conv2d(512, classes, 1))
        self.aux = nn.Sequential(unit(256, 64, 3, padding=1), nn.Dropout(0.1), nn.Conv2d(64, classes, 1))

    def forward(self, x):
        x = self.stem(x)
        for place, stage in enumerate(self.stages):
            x = stage(x)
            if place == 2:
                fourth = x
        size = x.shape[-2:]
        up = lambda maps: F.interpolate(maps, size, mode="bilinear", align_corners=True)
        if self.is_psp:
            joined = torch.cat([x] + [up(pool(x)) for pool in self.pools], 1)
        else:
            joined = torch.cat([branch(x) for branch in self.branches] + [up(self.pooled(x))], 1)
        return self.block(joined), self.aux(fourth)


def boxes(count, side):
    corner = torch.rand(count, 2) * side
    return torch.cat([corner, corner + 20 + 160 * torch.rand(count, 2)], 1)


def step_of(model, losses):
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.001, momentum=0.9, weight_decay=1e-4)

    def step():
        optimizer.zero_grad()
        losses().backward()
        optimizer.step()
    return lambda: step


def detection(name, layout):
    model = detector(name).to(memory_format=layout).train()
    images = [torch.rand(3, 256, 341) for _ in range(2)]
    targets = []
    for _ in images:
        found = boxes(3, 100)
        target = {"boxes": found, "labels": torch.randint(1 if "retinanet" not in name else 0, 3, (3,))}
        if name.startswith("mask"):
            target["masks"] = torch.zeros(3, 256, 341, dtype=torch.uint8)
            for mask, box in zip(target["masks"], found.int().tolist()):
                mask[box[1]:box[3], box[0]:box[2]] = 1
        targets.append(target)
    return step_of(model, lambda: sum(model(images, targets).values()))


def segmentation(name, layout):
    model = Segmentor(name, 4).to(memory_format=layout).train()
    images = torch.rand(2, 3, 128, 128).to(memory_format=layout)
    labels = torch.randint(0, 4, (2, 128, 128))

    def losses():
        terms = [
            F.cross_entropy(F.interpolate(maps, (128, 128), mode="bilinear", align_corners=True), labels, ignore_index=255)
            for maps in model(images)]
        return terms[0] + 0.4 * terms[1]
    return step_of(model, losses)


def operation(name, layout):
    if name.startswith("roi-align"):
        maps = torch.randn(2, 256, 64, 86).to(memory_format=layout).requires_grad_(name.endswith("backward"))
        regions = torch.cat([(torch.arange(512) % 2)[:, None].float(), boxes(512, 256)], 1)
        forward = lambda: roi_align(maps, regions, 7, 0.25, 2, False)
        if name == "roi-align":
            return lambda: forward
        upstream = torch.randn(512, 256, 7, 7)

        def prepare():
            pooled = forward()
            return lambda: torch.autograd.grad(pooled, maps, upstream)
        return prepare
    if name == "nms-2000":
        found, scores = boxes(2000, 4000), torch.rand(2000)
        return lambda: lambda: nms(found, scores, 0.7)
    x = torch.randn(128, 256, 14, 14).to(memory_format=layout)
    weight, bias = torch.randn(256, 256, 2, 2).to(memory_format=layout), torch.randn(256)
    return lambda: lambda: F.conv_transpose2d(x, weight, bias, 2)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    name = sys.argv[1]
    given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
    seconds = float(given.get("--seconds", 3))
    layout = torch.contiguous_format if given.get("--layout") == "first" else torch.channels_last
    if "rcnn" in name or "retinanet" in name:
        prepare = detection(name, layout)
    elif name.startswith(("pspnet", "deeplabv3")):
        prepare = segmentation(name, layout)
    else:
        prepare = operation(name, layout)
    times, end = [], None
    with torch.set_grad_enabled("resnet" in name or name.endswith("backward")):
        for _ in range(2):
            prepare()()
        end = time.process_time() + seconds
        while time.process_time() < end or len(times) < 3:
            body = prepare()
            start = time.process_time()
            body()
            times.append(time.process_time() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name} {1000 * sorted(times)[len(times) // 2]:.3f} {memory}")


if __name__ == "__main__":
    main()
