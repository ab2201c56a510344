"""The policy of MTKD-RL: its network, what it is told, what it is paid (`methods.md` 2)."""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import losses

ENTRIES = ("feature", "logits", "ce", "cos", "kl")
_TIE = 1e-12


class PolicyNetwork(nn.Module):
    """From states to two scores a teacher: hidden width 128, ReLU, no bias in the first layer.

    `joint`: one network of all states with a head for each loss; else one network a teacher, of its own state.
    """

    def __init__(self, widths: list[int], joint: bool, mixes: int = 0, hidden: int = 128, normaliser="softmaxTeachers"):
        super().__init__()
        self.joint, self.normaliser = joint, normaliser
        if joint:
            self.fc1 = nn.Linear(sum(widths), hidden, bias=False)
            self.head_l, self.head_f = nn.Linear(hidden, len(widths)), nn.Linear(hidden, len(widths))
        else:
            for index, width in enumerate(widths):
                self.add_module(str(index), nn.ModuleDict({
                    "fc1": nn.Linear(width, hidden, bias=False), "fc2": nn.Linear(hidden, 2)}))
        self.rho_l, self.rho_f = (nn.Parameter(torch.ones(mixes)) if mixes else None for _ in range(2))

    def scores(self, states: list[Tensor]) -> tuple[Tensor, Tensor]:
        if self.joint:
            hidden = F.relu(self.fc1(torch.cat(states, 1)))
            return self.head_l(hidden), self.head_f(hidden)
        networks = [self.get_submodule(str(index)) for index in range(len(states))]
        both = torch.stack([n["fc2"](F.relu(n["fc1"](s))) for n, s in zip(networks, states)], 2)
        return both[:, 0], both[:, 1]

    def weights(self, scores: Tensor) -> Tensor:
        return scores.sigmoid() if self.normaliser == "sigmoid" else scores.softmax(1)


class ScalarNetwork(nn.Module):
    """One number a row: the critic of DPG and DDPG, the baseline of PPO."""

    def __init__(self, inputs: int, hidden: int = 128):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, 1)

    def forward(self, *parts: Tensor) -> Tensor:
        return self.fc2(F.relu(self.fc1(torch.cat(parts, 1)))).squeeze(1)


def state(entries, feature: Tensor, logits: Tensor, ce: Tensor, cos: Tensor, kl: Tensor) -> Tensor:
    """What the policy is told of one teacher, `[batch, width]`, in the order of `entries`; the last three are `[batch]`."""
    parts = {"feature": feature, "logits": logits, "ce": ce[:, None], "cos": cos[:, None], "kl": kl[:, None]}
    return torch.cat([parts[entry] for entry in entries], 1)


def width_of(entries, teacher, classes: int) -> int:
    return sum({"feature": teacher.embedding.shape[1], "logits": classes}.get(entry, 1) for entry in entries)


def cosines(transformed: list[Tensor], teachers) -> Tensor:
    """Of the student's mean map in each teacher's form and the teacher's embedding, `[batch, teachers]`."""
    columns = []
    for x, teacher in zip(transformed, teachers):
        mean = x.detach().mean((2, 3))
        # Where a teacher's map and embedding differ in width (MobileNetV2) the map's mean stands in.
        same = mean.shape == teacher.embedding.shape
        columns.append(losses.cosine(mean, teacher.embedding if same else teacher.map.mean((2, 3))))
    return torch.stack(columns, 1)


def reward_per_teacher(task, logit, feature, alpha, beta) -> Tensor:
    return -(task[:, None] + alpha * logit + beta * feature)


def reward_per_sample(task, logit, feature, action_l, action_f, alpha, beta) -> Tensor:
    return -(task + alpha * (action_l * logit).sum(1) + beta * (action_f * feature).sum(1))


def normalised(reward: Tensor, kind: str) -> Tensor:
    """`minmaxRaw` and `minmaxCentred` over teachers of a sample, `zscore` and `zscoreClamp` over a batch, in 64 bits."""
    if kind == "none":
        return reward
    r = reward.double()
    if kind.startswith("minmax"):
        low, high = r.min(1, keepdim=True).values, r.max(1, keepdim=True).values
        tied = ~(high - low > _TIE * torch.maximum(high.abs(), low.abs()).clamp_min(1))
        fractions = (r - low) / torch.where(tied, torch.ones_like(low), high - low)
        mean = (r if kind == "minmaxRaw" else fractions).mean(1, keepdim=True)
        return torch.where(tied, torch.zeros_like(r), fractions - mean).to(reward)
    low, high = r.min(), r.max()
    if len(r) < 2 or not high - low > _TIE * max(1.0, abs(high), abs(low)):
        return torch.zeros_like(reward)
    standard = (r - r.mean()) / r.std()
    return (standard.clamp(0, 1) if kind == "zscoreClamp" else standard).to(reward)


class RunningNormalisation:
    """Standardises each component of a state by mean and variance over all batches seen so far, in 64 bits.

    A sample is standardised by what came up to the end of its batch.
    """

    def __init__(self, width: int):
        self.count = 0.0
        self.mean, self.squares = torch.zeros(width, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)

    def __call__(self, states: Tensor) -> Tensor:
        rows = states.detach().double().cpu()
        count = self.count + len(rows)
        mean = rows.mean(0)
        shift = mean - self.mean
        self.squares = self.squares + (rows - mean).square().sum(0) + shift ** 2 * self.count * len(rows) / count
        self.mean = self.mean + shift * len(rows) / count
        self.count = count
        std = (self.squares / count).sqrt()
        # A component that has not varied yet is centred only.
        return ((rows - self.mean) / torch.where(std > 1e-12, std, torch.ones_like(std))).to(states)

    def state_dict(self) -> dict:
        return {"count": self.count, "mean": self.mean, "squares": self.squares}

    def load_state_dict(self, state: dict) -> None:
        self.count, self.mean, self.squares = state["count"], state["mean"], state["squares"]
