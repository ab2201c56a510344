"""The rival: the same networks in PyTorch, written down once more, and images per CPU second at one thread.

    torch_steps.py NETWORK train|infer [--batch N] [--seconds S]
    torch_steps.py mtkd-rl train [--student NETWORK]        # a student's step with four live teachers

Prints one line: images per CPU second, median over steps, then the largest resident memory in MiB. Eager mode, channels_last, 3 x 32 x 32 (NAME@SIDE
for other sides), 100 classes, SGD with momentum. Start it with malloc told to keep memory, or page faults are measured:

    MALLOC_TRIM_THRESHOLD_=-1 MALLOC_MMAP_MAX_=0 MALLOC_TOP_PAD_=268435456
"""

import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_norm(inputs, outputs, kernel, stride=1, groups=1, relu=True):
    parts = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*parts, nn.ReLU(inplace=True)) if relu else nn.Sequential(*parts)


class Classifier(nn.Module):
    """Features, mean over positions, linear layer."""

    def __init__(self, features, width):
        super().__init__()
        self.features = features
        self.classifier = nn.Linear(width, 100)

    def forward(self, x):
        self.map = self.features(x)
        self.embedding = self.map.mean((2, 3))
        return self.classifier(self.embedding)


class Residual(nn.Module):
    def __init__(self, branch, shortcut, relu=True):
        super().__init__()
        self.branch, self.shortcut, self.relu = branch, shortcut, relu

    def forward(self, x):
        y = self.branch(x)
        y += self.shortcut(x) if self.shortcut else x
        return F.relu(y, inplace=True) if self.relu else y


def resnet(depth, widths):
    layers, width = [conv_norm(3, widths[0], 3)], widths[0]
    for stage, outputs in enumerate(widths[1:]):
        for index in range((depth - 2) // 6):
            stride = 2 if stage > 0 and index == 0 else 1
            branch = nn.Sequential(conv_norm(width, outputs, 3, stride), conv_norm(outputs, outputs, 3, relu=False))
            shortcut = conv_norm(width, outputs, 1, stride, relu=False) if stride > 1 or width != outputs else None
            layers.append(Residual(branch, shortcut))
            width = outputs
    return Classifier(nn.Sequential(*layers), width)


class PreActivation(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x):
        a = F.relu(self.bn1(x), inplace=True)
        y = self.conv2(F.relu(self.bn2(self.conv1(a)), inplace=True))
        return (self.shortcut(a) if self.shortcut else x) + y


def wide_resnet(depth, widen):
    layers, width = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)], 16
    for stage in range(3):
        for index in range((depth - 4) // 6):
            outputs = (16 << stage) * widen
            layers.append(PreActivation(width, outputs, 2 if stage > 0 and index == 0 else 1))
            width = outputs
    layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return Classifier(nn.Sequential(*layers), width)


def mobilenet(scale):
    rows = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    width = int(32 * scale)
    layers = [conv_norm(3, width, 3, 2)]
    for expansion, channels, repeats, stride in rows:
        for index in range(repeats):
            outputs, inner, step = int(channels * scale), width * expansion, stride if index == 0 else 1
            branch = nn.Sequential(
                conv_norm(width, inner, 1), conv_norm(inner, inner, 3, step, inner), conv_norm(inner, outputs, 1, relu=False))
            layers.append(Residual(branch, None, relu=False) if step == 1 and width == outputs else branch)
            width = outputs
    layers.append(conv_norm(width, 1280, 1))
    return Classifier(nn.Sequential(*layers), 1280)


def shuffled(x):
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class ShuffleUnit(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            conv_norm(half, half, 1), conv_norm(half, half, 3, 1, half, relu=False), conv_norm(half, half, 1))

    def forward(self, x):
        kept, changed = x.chunk(2, 1)
        return shuffled(torch.cat([kept, self.branch(changed)], 1))


class ShuffleDown(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(conv_norm(inputs, inputs, 3, 2, inputs, relu=False), conv_norm(inputs, half, 1))
        self.right = nn.Sequential(
            conv_norm(inputs, half, 1), conv_norm(half, half, 3, 2, half, relu=False), conv_norm(half, half, 1))

    def forward(self, x):
        return shuffled(torch.cat([self.left(x), self.right(x)], 1))


def shufflenet(channels):
    layers, width = [conv_norm(3, 24, 1)], 24
    for outputs, repeats in zip(channels, (3, 7, 3)):
        layers += [ShuffleDown(width, outputs)] + [ShuffleUnit(outputs) for _ in range(repeats)]
        width = outputs
    layers.append(conv_norm(width, channels[3], 1))
    return Classifier(nn.Sequential(*layers), channels[3])


class Excitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.squeeze, self.expand = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        return x * self.expand(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()


def regnet(depths, widths, group, squeeze):
    layers, width = [conv_norm(3, 64, 3)], 64
    for stage, (repeats, outputs) in enumerate(zip(depths, widths)):
        for index in range(repeats):
            stride = (1, 1, 2, 2)[stage] if index == 0 else 1
            parts = [conv_norm(width, outputs, 1), conv_norm(outputs, outputs, 3, stride, outputs // group)]
            if squeeze:
                parts.append(Excitation(outputs, round(width * squeeze)))
            parts.append(conv_norm(outputs, outputs, 1, relu=False))
            shortcut = conv_norm(width, outputs, 1, stride, relu=False) if stride > 1 or width != outputs else None
            layers.append(Residual(nn.Sequential(*parts), shortcut))
            width = outputs
    return Classifier(nn.Sequential(*layers), width)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.projection = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.projection(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, c))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, side, width, depth, heads, patch=16):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, (side // patch) ** 2 + 1, width) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm, self.classifier = nn.LayerNorm(width, 1e-6), nn.Linear(width, 100)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.classifier(self.norm(self.blocks(x))[:, 0])


NETWORKS = {
    "resnet8": lambda: resnet(8, (16, 16, 32, 64)),
    "resnet20": lambda: resnet(20, (16, 16, 32, 64)),
    "resnet56": lambda: resnet(56, (16, 16, 32, 64)),
    "resnet8x4": lambda: resnet(8, (32, 64, 128, 256)),
    "resnet32x4": lambda: resnet(32, (32, 64, 128, 256)),
    "wrn-16-2": lambda: wide_resnet(16, 2),
    "wrn-28-4": lambda: wide_resnet(28, 4),
    "mobilenetv2": lambda: mobilenet(1.0),
    "shufflenetv2": lambda: shufflenet((116, 232, 464, 1024)),
    "regnetx-200mf": lambda: regnet((1, 1, 4, 7), (24, 56, 152, 368), 8, 0),
    "regnetx-400mf": lambda: regnet((1, 2, 7, 12), (32, 64, 160, 384), 16, 0),
    "regnety-400mf": lambda: regnet((1, 2, 7, 12), (32, 64, 160, 384), 16, 0.25),
    "deit-tiny@64": lambda: Transformer(64, 192, 12, 3),
    "deit-tiny@224": lambda: Transformer(224, 192, 12, 3),
}
TEACHERS = ["regnety-400mf", "resnet32x4", "wrn-28-4", "regnetx-400mf"]


class Regressor(nn.Module):
    """The student's map in the form of a teacher's: its size, its channels."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs)

    def forward(self, map, side):
        if map.shape[2] < side:
            map = F.interpolate(map, (side, side), mode="bilinear")
        elif map.shape[2] > side:
            map = F.adaptive_avg_pool2d(map, side)
        return F.relu(self.norm(self.conv(map)), inplace=True)


def distillation(student, optimizer, batch):
    """A step of MTKD-RL: live teachers, weighted logit losses and losses of maps, two small policies and a second student pass for the reward."""
    teachers = [NETWORKS[name]().to(memory_format=torch.channels_last).eval() for name in TEACHERS]
    widths = [teacher.classifier.in_features for teacher in teachers]
    regressors = nn.ModuleList([Regressor(student.classifier.in_features, width) for width in widths]).to(memory_format=torch.channels_last)
    policies = nn.ModuleList([nn.Sequential(nn.Linear(width + 103, 64), nn.ReLU(), nn.Linear(64, 2)) for width in widths])
    optimizer.add_param_group({"params": list(regressors.parameters())})
    policy_optimizer = torch.optim.SGD(policies.parameters(), 0.01)

    def step(images, labels):
        with torch.no_grad():
            taught = [(teacher(images), teacher.embedding, teacher.map) for teacher in teachers]

        def losses():
            """Per sample: cross entropy; of each teacher the divergence and the distance of maps; and the cosine of their means."""
            logits = student(images)
            task = F.cross_entropy(logits, labels, reduction="none")
            own = F.log_softmax(logits / 4, 1)
            kl = [F.kl_div(own, F.softmax(t / 4, 1), reduction="none").sum(1) * 16 for t, _, _ in taught]
            maps = [regressor(student.map, m.shape[2]) for regressor, (_, _, m) in zip(regressors, taught)]
            mse = [(x - m).square().mean((1, 2, 3)) for x, (_, _, m) in zip(maps, taught)]
            cosine = [F.cosine_similarity(x.detach().mean((2, 3)), e) for x, (_, e, _) in zip(maps, taught)]
            return task, torch.stack(kl, 1), torch.stack(mse, 1), cosine

        task, kl, mse, cosine = losses()
        states = [
            torch.cat([e, t, F.cross_entropy(t, labels, reduction="none")[:, None], cosine[m][:, None], kl[:, m : m + 1].detach()], 1)
            for m, (t, e, _) in enumerate(taught)
        ]
        weights = torch.stack([policy(state) for policy, state in zip(policies, states)], 1).softmax(1)
        loss = (task + (weights[..., 0].detach() * kl).sum(1) + 5 * (weights[..., 1].detach() * mse).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            task, kl, mse, _ = losses()
            rewards = task + kl.sum(1) + mse.sum(1)
        objective = -(weights.log().sum((1, 2)) * -(rewards - rewards.mean())).mean()
        policy_optimizer.zero_grad()
        objective.backward()
        policy_optimizer.step()

    return step


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    name, mode = sys.argv[1], sys.argv[2]
    options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
    batch, seconds = int(options.get("--batch", 64)), float(options.get("--seconds", 3))
    network = NETWORKS[options.get("--student", "shufflenetv2") if name == "mtkd-rl" else name]().to(memory_format=torch.channels_last)
    side = int(name.partition("@")[2] or 32)
    images = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 100, (batch,))
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    distill = distillation(network, optimizer, batch) if name == "mtkd-rl" else None
    network.train(mode == "train")

    def step():
        if distill:
            return distill(images, labels)
        if mode == "infer":
            with torch.inference_mode():
                network(images)
            return
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()

    step()
    step()
    speeds, end = [], time.process_time() + seconds
    while time.process_time() < end or len(speeds) < 3:
        start = time.process_time()
        step()
        speeds.append(batch / (time.process_time() - start))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{sorted(speeds)[len(speeds) // 2]:.1f} {memory}")


if __name__ == "__main__":
    main()
