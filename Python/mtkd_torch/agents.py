"""Who decides on the teachers' weights in MTKD-RL, and learns from what that led to (`methods.md` 2.4, 3)."""
from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import streams, weights
from .policy import PolicyNetwork, scalar_network

# The logarithm's floor of the release, exp(-100).
_LEAST = 3.720075976020836e-44


@dataclass
class Experience:
    """One batch that a policy sees and learns from: constants, a row a sample. `reward` is normalised."""

    batch: int
    states: Tensor
    """Of all teachers, side by side."""
    confidence: Tensor
    far_l: Tensor
    far_f: Tensor
    reward: Tensor | None = None
    choice_l: Tensor | None = None
    """What an agent chose, before the heuristics came in: weights, or what weights are the softmax of (PPO)."""
    choice_f: Tensor | None = None
    density: Tensor | None = None
    is_warmup: bool = False

    def mapped(self, function) -> "Experience":
        """With something else in place of each tensor."""
        return replace(self, **{name: function(v) for name, v in vars(self).items() if isinstance(v, Tensor)})


class Action(NamedTuple):
    """What an agent wants of a batch, of logits and of features; `own` without noise and heuristics."""

    own: list[Tensor]
    weights: list[Tensor]
    choice: dict[str, Tensor]
    """What its experience keeps of it."""


def norm_of(tensors) -> float:
    return math.sqrt(sum(t.detach().double().square().sum().item() for t in tensors if t is not None))


def descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    """One step of a module down a loss. Returns the length of the gradient."""
    parameters = list(module.parameters())
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm_of(gradients)


class Agent(nn.Module):
    """- widths: of each teacher's state. `learners`, which each kind sets, are what learns, with their optimisers."""

    def __init__(self, widths: list[int], options: dict, seed: int, hidden: int, joint: bool = True, mixes: int = 0):
        super().__init__()
        self.widths, self.options, self.seed = widths, options, seed
        self.policy = PolicyNetwork(widths, joint, mixes, hidden)

    def mixed(self, scene: Experience, pair, factors=(None, None)) -> list[Tensor]:
        """Weights of logits and of features with the heuristics beside them."""
        terms, fars = self.options["actionTerms"], (scene.far_l, scene.far_f)
        return [weights.mixed(own, scene.confidence, far, terms, rho) for own, far, rho in zip(pair, fars, factors)]

    def get_extra_state(self):
        return {"optimizers": [optimizer.state_dict() for _, optimizer in self.learners]}

    def set_extra_state(self, state) -> None:
        for (_, optimizer), saved in zip(self.learners, state["optimizers"]):
            optimizer.load_state_dict(saved)


class PolicyGradient(Agent):
    """One plain SGD step a stored batch, oldest first (agent `pg`)."""

    def __init__(self, widths, options, seed, hidden=128):
        mixes = len(options["actionTerms"]) if options["mixing"] == "dynamic" else 0
        super().__init__(widths, options, seed, hidden, options["policyNetwork"] == "joint", mixes)
        self.learners = [(self.policy, torch.optim.SGD(self.policy.parameters(), options["policyRate"]))]

    def act(self, scene: Experience, samples: list[int], epoch: int) -> Action:
        with torch.no_grad():
            return self.action(scene, self.policy.scores(scene.states))

    def action(self, scene: Experience, scores) -> Action:
        """The weights of scores; gradients flow into them and into the mixing factors."""
        sigmoid = self.options["weightNormaliser"] == "sigmoid"
        own = [score.sigmoid() if sigmoid else score.softmax(1) for score in scores]
        return Action(own, self.mixed(scene, own, (self.policy.rho_l, self.policy.rho_f)), {})

    def value(self, action: Action, reward: Tensor) -> Tensor:
        """What is ascended (linear, log) or descended (bceOnes: the release's cross-entropy with every label 1)."""
        if self.options["objective"] == "linear":
            return (sum(action.weights) * reward).sum(1).mean()
        # log max(a, exp(-100)); the gradient of a floored entry is 0.
        logs = sum((F.relu(share - _LEAST) + _LEAST).log() for share in action.weights)
        if self.options["objective"] == "log":
            return (logs * reward).sum(1).mean()
        return -(logs * reward[:, None]).mean()

    def learn(self, history: list[Experience]) -> list[dict]:
        steps = []
        for scene in history:
            value = self.value(self.action(scene, self.policy.scores(scene.states)), scene.reward)
            loss = value if self.options["objective"] == "bceOnes" else -value
            step = {
                "batch": scene.batch, "objective": value.item(), "grad_l2": descend(loss, *self.learners[0]),
                "param_l2": norm_of(self.policy.parameters())}
            if self.options["mixing"] == "dynamic":
                step |= {"rho_l": self.policy.rho_l.tolist(), "rho_f": self.policy.rho_f.tolist()}
            steps.append(step)
        return steps


class Explorer(Agent):
    """An agent that acts with noise, and learns beside a network that says what rewards are to be expected.

    `learners` are that network and the actor. In warm-up epochs it learns alone.
    """

    def act(self, scene: Experience, samples: list[int], epoch: int) -> Action:
        with torch.no_grad():
            scores, drawn = self.policy.scores(scene.states), []
            for head, (score, std) in enumerate(zip(scores, self.stds)):
                normals = streams.rows(self.seed, self.noise, epoch, samples, head, score.shape[1], "normals")
                drawn.append(score + std * normals.to(score))
            chosen = [u.softmax(1) for u in drawn]
            own = [score.softmax(1) for score in scores]
            return Action(own, self.mixed(scene, chosen), self.choice(scores, drawn, chosen))

    def step(self, batch: int, loss: Tensor, is_warmup: bool, objective) -> dict:
        """Down the loss of the network beside the actor; then the actor climbs `objective()`, which sees it changed."""
        (beside, _), (actor, _) = self.learners
        step = {"batch": batch, "objective": 0.0, "grad_l2": 0.0, "value_loss": loss.item()}
        step["value_grad_l2"] = descend(loss, *self.learners[0])
        if not is_warmup:
            value = objective()
            step |= {"objective": value.item(), "grad_l2": descend(-value, *self.learners[1])}
        return step | {"param_l2": norm_of(actor.parameters()), "value_l2": norm_of(beside.parameters())}


class DeterministicPolicy(Explorer):
    """A deterministic actor that climbs what a critic says (agent `dpg`)."""

    noise, critic_rate, actor_rate, stds = "dpg noise", 0.01, 0.1, (0.1, 0.1)

    def __init__(self, widths, options, seed, hidden=128):
        super().__init__(widths, options, seed, hidden)
        self.critic = scalar_network(sum(widths) + 2 * len(widths), hidden)
        self.learners = [
            (self.critic, torch.optim.SGD(self.critic.parameters(), self.critic_rate)),
            (self.policy, torch.optim.SGD(self.policy.parameters(), self.actor_rate))]

    def choice(self, scores, drawn, chosen):
        return {"choice_l": chosen[0], "choice_f": chosen[1]}

    def critic_loss(self, states, logit, feature, reward) -> Tensor:
        return (self.critic(torch.cat([states, logit, feature], 1)) - reward).square().mean()

    def objective(self, score_l: Tensor, score_f: Tensor, states: Tensor) -> Tensor:
        """The mean of Q(s, mu(s))."""
        return self.critic(torch.cat([states, score_l.softmax(1), score_f.softmax(1)], 1)).mean()

    def learn(self, history: list[Experience]) -> list[dict]:
        return [
            self._step(s.batch, s.is_warmup, s.states, s.choice_l, s.choice_f, s.reward) for s in history]

    def _step(self, batch, is_warmup, states, logit, feature, reward) -> dict:
        return self.step(
            batch, self.critic_loss(states, logit, feature, reward), is_warmup,
            lambda: self.objective(*self.policy.scores(states), states))


def follow(target: nn.Module, online: nn.Module, tau: float) -> None:
    """target <- tau online + (1 - tau) target."""
    with torch.no_grad():
        for copied, own in zip(target.parameters(), online.parameters()):
            copied.mul_(1 - tau).add_(own, alpha=tau)


class ReplayPolicy(DeterministicPolicy):
    """DPG with a replay memory, target copies and Adam (agent `ddpg`). Transitions are numbered by age.

    With one-step episodes the critic's target is the reward: the target copies do not influence training.
    """

    capacity, minibatch, tau = 20_000, 64, 0.005

    def __init__(self, widths, options, seed, hidden=128):
        super().__init__(widths, options, seed, hidden)
        online = nn.ModuleDict({"policy": self.policy, "critic": self.critic})
        self.target = copy.deepcopy(online).requires_grad_(False)
        self.learners = [
            (self.critic, torch.optim.Adam(self.critic.parameters(), 1e-3, weight_decay=1e-2)),
            (self.policy, torch.optim.Adam(self.policy.parameters(), 1e-4))]
        # States, weights of logits, of features, and rewards.
        self.memory: list[Tensor] | None = None
        self.draws = 0

    def copy_targets(self) -> None:
        """Target copies start as what they copy."""
        self._follow(1)

    def _follow(self, tau: float) -> None:
        follow(self.target.critic, self.critic, tau)
        follow(self.target.policy, self.policy, tau)

    def learn(self, history: list[Experience]) -> list[dict]:
        for scene in history:
            new = [scene.states, scene.choice_l, scene.choice_f, scene.reward]
            old = self.memory or [part[:0] for part in new]
            self.memory = [torch.cat(pair)[-self.capacity:] for pair in zip(old, new)]
        return [self._drawn_step(scene.batch, scene.is_warmup) for scene in history]

    def _drawn_step(self, batch: int, is_warmup: bool) -> dict:
        order = streams.Stream(self.seed, "ddpg minibatch", self.draws).shuffled(len(self.memory[0]))
        self.draws += 1
        rows = order[:self.minibatch]
        step = self._step(batch, is_warmup, *(part[rows] for part in self.memory))
        self._follow(self.tau)
        return step | {"rows": rows}

    def get_extra_state(self):
        return super().get_extra_state() | {"memory": self.memory, "draws": self.draws}

    def set_extra_state(self, state) -> None:
        super().set_extra_state(state)
        device = next(self.parameters()).device
        self.memory = state["memory"] and [part.to(device) for part in state["memory"]]
        self.draws = state["draws"]


class ProximalPolicy(Explorer):
    """A logistic-normal policy that is held near the policy that acted (agent `ppo`). Densities are taken in u."""

    noise, clip, entropy_share, passes, rate = "ppo noise", 0.2, 0.01, 4, 3e-4

    def __init__(self, widths, options, seed, hidden=128):
        super().__init__(widths, options, seed, hidden)
        self.baseline = scalar_network(sum(widths), hidden)
        self.spread = nn.ParameterDict({
            name: nn.Parameter(torch.full((1,), math.log(0.5))) for name in ("log_std_l", "log_std_f")})
        self.log_stds = self.spread["log_std_l"], self.spread["log_std_f"]
        actor = nn.ModuleList([self.policy, self.spread])
        self.learners = [(part, torch.optim.Adam(part.parameters(), self.rate)) for part in (self.baseline, actor)]

    @property
    def stds(self):
        return [log_std.exp() for log_std in self.log_stds]

    def choice(self, scores, drawn, chosen):
        return {"choice_l": drawn[0], "choice_f": drawn[1], "density": self._density(drawn, scores)}

    def _density(self, drawn, scores) -> Tensor:
        return sum(log_density(u, score, std) for u, score, std in zip(drawn, scores, self.log_stds))

    def learn(self, history: list[Experience]) -> list[dict]:
        with torch.no_grad():
            advantages = [scene.reward - self.baseline(scene.states) for scene in history]
        return [
            self._step(scene, advantage, turn) for turn in range(self.passes)
            for scene, advantage in zip(history, advantages)]

    def _step(self, scene: Experience, advantage: Tensor, turn: int) -> dict:
        told = {"turn": turn}

        def objective():
            scores = self.policy.scores(scene.states)
            ratio = (self._density([scene.choice_l, scene.choice_f], scores) - scene.density).exp()
            kept = surrogate(ratio, advantage, self.clip)
            told["clipped"] = int((ratio * advantage > kept).sum())
            spread = sum(entropy(std, len(self.widths)) for std in self.log_stds)
            return kept.mean() + self.entropy_share * spread
        loss = (self.baseline(scene.states) - scene.reward).square().mean()
        step = self.step(scene.batch, loss, scene.is_warmup, objective)
        return step | told | {"log_std": [std.item() for std in self.log_stds]}


def log_density(u: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Of a normal distribution with the std exp(log_std), summed over columns: `[batch]`."""
    squares = (u - mean).square().sum(1)
    width = u.shape[1]
    return -0.5 * squares * (-2 * log_std).exp() - width * log_std - 0.5 * width * math.log(2 * math.pi)


def surrogate(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """min(ratio A, clip(ratio) A). Where the clipped term is the smaller one nothing flows back."""
    plain, bound = ratio * advantage, ratio.detach().clamp(1 - clip, 1 + clip) * advantage
    return torch.where(plain.detach() <= bound, plain, bound)


def entropy(log_std: Tensor, width: int) -> Tensor:
    """In nats, of `width` independent normal numbers: shape []."""
    return width * log_std.sum() + 0.5 * width * (math.log(2 * math.pi) + 1)


AGENTS = {"pg": PolicyGradient, "dpg": DeterministicPolicy, "ddpg": ReplayPolicy, "ppo": ProximalPolicy}
