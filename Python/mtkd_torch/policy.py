"""The policy of MTKD-RL: its network, what it is told, what it is paid (`methods.md` 2)."""
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import losses
from .networks.parts import two_layers

ENTRIES = ("feature", "logits", "ce", "cos", "kl")
_TIE = 1e-12


class PolicyNetwork(nn.Module):
    """From states to two scores a teacher: ReLU, no bias in the first layer.

    - widths: of each teacher's state.
    - joint: one network of all states with a head for each loss; else one network a teacher, of its own state.
    - mixes: of how many terms the policy learns the shares.
    """

    def __init__(self, widths: list[int], joint: bool, mixes: int, hidden: int):
        super().__init__()
        self.joint, self.widths = joint, widths
        if joint:
            self.fc1 = nn.Linear(sum(widths), hidden, bias=False)
            self.head_l, self.head_f = nn.Linear(hidden, len(widths)), nn.Linear(hidden, len(widths))
        else:
            for index, width in enumerate(widths):
                self.add_module(str(index), two_layers(width, hidden, 2, bias=False))
        self.rho_l, self.rho_f = (nn.Parameter(torch.ones(mixes)) if mixes else None for _ in range(2))

    def scores(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """- states: of all teachers, side by side."""
        if self.joint:
            hidden = F.relu(self.fc1(states))
            return self.head_l(hidden), self.head_f(hidden)
        parts = states.split(self.widths, 1)
        both = torch.stack([self.get_submodule(str(index))(part) for index, part in enumerate(parts)], 2)
        return both[:, 0], both[:, 1]


def scalar_network(inputs: int, hidden: int) -> nn.Sequential:
    """One number a row: the critic of DPG and DDPG, the baseline of PPO."""
    return two_layers(inputs, hidden, 1, row=nn.Flatten(0))


def state(entries, feature: Tensor, logits: Tensor, ce: Tensor, cos: Tensor, kl: Tensor) -> Tensor:
    """What the policy is told of a teacher, `[batch, width]`, in the order of `entries`; the last three are `[batch]`."""
    parts = {"feature": feature, "logits": logits, "ce": ce[:, None], "cos": cos[:, None], "kl": kl[:, None]}
    return torch.cat([parts[entry] for entry in entries], 1)


def cosines(transformed: list[Tensor], teachers) -> Tensor:
    """Of the student's mean map in each teacher's form and the teacher's embedding, `[batch, teachers]`."""
    columns = []
    for x, teacher in zip(transformed, teachers):
        mean = x.detach().mean((2, 3))
        # Where a teacher's map and embedding differ in width (MobileNetV2) the map's mean stands in.
        same = mean.shape == teacher.embedding.shape
        columns.append(losses.cosine(mean, teacher.embedding if same else teacher.map.mean((2, 3))))
    return torch.stack(columns, 1)


def reward(task: Tensor, logit: Tensor, feature: Tensor, alpha: float, beta: float) -> Tensor:
    """By the teacher where all are `[batch, teachers]`, by the sample where teachers' losses are summed up: `[batch]`."""
    return -(task + alpha * logit + beta * feature)


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


class RunningNormalisation(nn.Module):
    """Standardises each component of a state by mean and variance over all batches seen so far, in 64 bits.

    A sample is standardised by what came up to the end of its batch.
    """

    def __init__(self, width: int):
        super().__init__()
        for name, shape in (("count", ()), ("mean", width), ("squares", width)):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def forward(self, states: Tensor) -> Tensor:
        rows = states.detach().double()
        count = self.count + len(rows)
        mean = rows.mean(0)
        shift = mean - self.mean
        self.squares = self.squares + (rows - mean).square().sum(0) + shift ** 2 * self.count * len(rows) / count
        self.mean = self.mean + shift * len(rows) / count
        self.count = count
        std = (self.squares / count).sqrt()
        # A component that has not varied yet is centred only.
        return ((rows - self.mean) / torch.where(std > 1e-12, std, torch.ones_like(std))).to(states)
