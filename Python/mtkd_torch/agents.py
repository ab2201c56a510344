"""Who decides on the teachers' weights in MTKD-RL, and learns from what that led to (`methods.md` 2.4, 3)."""
from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import streams, weights
from .policy import PolicyNetwork, ScalarNetwork

# The logarithm's floor of the release, exp(-100).
_LEAST = 3.720075976020836e-44


@dataclass
class Choice:
    """What an agent chose, before the heuristics came in: weights, or what weights are the softmax of (PPO)."""

    logit: Tensor
    feature: Tensor
    density: Tensor | None = None
    is_warmup: bool = False


@dataclass
class Experience:
    """One stored batch that a policy learns from: constants. `reward` is normalised."""

    batch: int
    states: list[Tensor]
    confidence: Tensor
    far_l: Tensor
    far_f: Tensor
    reward: Tensor | None = None
    choice: Choice | None = None

    def saved(self) -> dict:
        return vars(self) | {"choice": self.choice and vars(self.choice)}

    @staticmethod
    def restored(saved: dict, device) -> "Experience":
        def moved(value):
            if isinstance(value, dict):
                return Choice(**{name: moved(part) for name, part in value.items()})
            if isinstance(value, list):
                return [moved(part) for part in value]
            return value.to(device) if isinstance(value, Tensor) else value
        return Experience(**{name: moved(value) for name, value in saved.items()})


@dataclass
class Action:
    """What an agent wants of a batch; `policy_l` and `policy_f` are the policy's own weights, without noise."""

    policy_l: Tensor
    policy_f: Tensor
    logit: Tensor
    feature: Tensor
    choice: Choice | None = None


@dataclass
class Settings:
    widths: list[int]
    terms: tuple[str, ...]
    seed: int
    joint: bool = True
    normaliser: str = "softmaxTeachers"
    dynamic: bool = False
    objective: str = "linear"
    rate: float = 0.1
    hidden: int = 128


def norm_of(tensors) -> float:
    return math.sqrt(sum(t.detach().double().square().sum().item() for t in tensors if t is not None))


def descend(loss: Tensor, module: nn.Module, optimizer=None, rate: float = 0.0) -> float:
    """One step of a module down a loss: of `optimizer`, else of plain SGD. Returns the length of the gradient."""
    parameters = list(module.parameters())
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    length = norm_of(gradients)
    if optimizer is None:
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients):
                if gradient is not None:
                    parameter -= rate * gradient
    else:
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return length


class PolicyGradient(nn.Module):
    """One plain SGD step a stored batch, oldest first (agent `pg`)."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings
        mixes = len(settings.terms) if settings.dynamic else 0
        self.policy = PolicyNetwork(settings.widths, settings.joint, mixes, settings.hidden, settings.normaliser)

    def act(self, scene: Experience, samples: list[int], epoch: int) -> Action:
        with torch.no_grad():
            return self.action(scene, *self.policy.scores(scene.states))

    def action(self, scene: Experience, score_l: Tensor, score_f: Tensor) -> Action:
        """The weights of scores; gradients flow into them and into the mixing factors."""
        policy, terms = self.policy, self.settings.terms
        own_l, own_f = policy.weights(score_l), policy.weights(score_f)
        return Action(
            own_l, own_f, weights.mixed(own_l, scene.confidence, scene.far_l, terms, policy.rho_l),
            weights.mixed(own_f, scene.confidence, scene.far_f, terms, policy.rho_f))

    def value(self, action: Action, reward: Tensor) -> Tensor:
        """What is ascended (linear, log) or descended (bceOnes: the release's cross-entropy with every label 1)."""
        if self.settings.objective == "linear":
            return ((action.logit + action.feature) * reward).sum(1).mean()
        logs = _floored(action.logit) + _floored(action.feature)
        if self.settings.objective == "log":
            return (logs * reward).sum(1).mean()
        return -(logs * reward[:, None]).mean()

    def learn(self, history: list[Experience], epoch: int) -> list[dict]:
        steps = []
        for scene in history:
            value = self.value(self.action(scene, *self.policy.scores(scene.states)), scene.reward)
            loss = value if self.settings.objective == "bceOnes" else -value
            length = descend(loss, self.policy, rate=self.settings.rate)
            step = {
                "batch": scene.batch, "objective": value.item(), "grad_l2": length,
                "param_l2": norm_of(self.policy.parameters())}
            if self.settings.dynamic:
                step |= {"rho_l": self.policy.rho_l.tolist(), "rho_f": self.policy.rho_f.tolist()}
            steps.append(step)
        return steps


def _floored(a: Tensor) -> Tensor:
    """log max(a, exp(-100)); the gradient of a floored entry is 0."""
    return (F.relu(a - _LEAST) + _LEAST).log()


def _noise(purpose: str, settings: Settings, epoch: int, samples: list[int], head: int, like: Tensor) -> Tensor:
    return streams.rows(settings.seed, purpose, epoch, samples, head, like.shape[1], "normals", like)


class DeterministicPolicy(nn.Module):
    """A deterministic actor that climbs what a critic says (agent `dpg`). In warm-up epochs the critic alone learns."""

    critic_rate, actor_rate, std = 0.01, 0.1, 0.1

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings
        self.policy = PolicyNetwork(settings.widths, True, hidden=settings.hidden)
        self.critic = ScalarNetwork(sum(settings.widths) + 2 * len(settings.widths), settings.hidden)

    def act(self, scene: Experience, samples: list[int], epoch: int) -> Action:
        with torch.no_grad():
            score_l, score_f = self.policy.scores(scene.states)
            choice = Choice(*(
                (score + self.std * _noise("dpg noise", self.settings, epoch, samples, head, score)).softmax(1)
                for head, score in enumerate((score_l, score_f))))
            return _mixed(scene, self.settings, score_l, score_f, choice.logit, choice.feature, choice)

    def critic_loss(self, states, logit, feature, reward) -> Tensor:
        return (self.critic(states, logit, feature) - reward).square().mean()

    def objective(self, score_l: Tensor, score_f: Tensor, states: Tensor) -> Tensor:
        """The mean of Q(s, mu(s))."""
        return self.critic(states, score_l.softmax(1), score_f.softmax(1)).mean()

    def learn(self, history: list[Experience], epoch: int) -> list[dict]:
        return [
            self._step(scene.batch, scene.states, scene.choice.logit, scene.choice.feature, scene.reward,
                       scene.choice.is_warmup) for scene in history]

    def _step(self, batch, states, logit, feature, reward, is_warmup, critic_adam=None, actor_adam=None) -> dict:
        """The critic first; then the actor climbs the critic that has just moved."""
        whole = torch.cat(states, 1)
        loss = self.critic_loss(whole, logit, feature, reward)
        step = {"batch": batch, "objective": 0.0, "grad_l2": 0.0, "value_loss": loss.item()}
        step["value_grad_l2"] = descend(loss, self.critic, critic_adam, self.critic_rate)
        if not is_warmup:
            value = self.objective(*self.policy.scores(states), whole)
            step["objective"] = value.item()
            step["grad_l2"] = descend(-value, self.policy, actor_adam, self.actor_rate)
        step["param_l2"], step["value_l2"] = norm_of(self.policy.parameters()), norm_of(self.critic.parameters())
        return step


def _mixed(scene, settings, score_l, score_f, logit, feature, choice) -> Action:
    return Action(
        score_l.softmax(1), score_f.softmax(1), weights.mixed(logit, scene.confidence, scene.far_l, settings.terms),
        weights.mixed(feature, scene.confidence, scene.far_f, settings.terms), choice)


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

    def __init__(self, settings: Settings):
        super().__init__(settings)
        self.target = nn.ModuleDict({"policy": copy.deepcopy(self.policy), "critic": copy.deepcopy(self.critic)})
        self.target.requires_grad_(False)
        self.critic_adam = torch.optim.Adam(self.critic.parameters(), 1e-3, weight_decay=1e-2)
        self.actor_adam = torch.optim.Adam(self.policy.parameters(), 1e-4)
        self.memory: list[Tensor] | None = None
        self.draws = 0

    def copy_targets(self) -> None:
        """Target copies start as what they copy."""
        self.target.policy.load_state_dict(self.policy.state_dict())
        self.target.critic.load_state_dict(self.critic.state_dict())

    def learn(self, history: list[Experience], epoch: int) -> list[dict]:
        for scene in history:
            new = [torch.cat(scene.states, 1), torch.cat([scene.choice.logit, scene.choice.feature], 1), scene.reward]
            old = self.memory or [part[:0] for part in new]
            self.memory = [torch.cat(pair)[-self.capacity:] for pair in zip(old, new)]
        return [self._drawn_step(scene.batch, scene.choice.is_warmup) for scene in history]

    def _drawn_step(self, batch: int, is_warmup: bool) -> dict:
        order = streams.Stream(self.settings.seed, "ddpg minibatch", self.draws).shuffled(len(self.memory[0]))
        self.draws += 1
        rows = order[:self.minibatch]
        states, actions, rewards = (part[rows] for part in self.memory)
        logit, feature = actions.chunk(2, 1)
        step = self._step(
            batch, list(states.split(self.settings.widths, 1)), logit, feature, rewards, is_warmup, self.critic_adam,
            self.actor_adam)
        follow(self.target.critic, self.critic, self.tau)
        follow(self.target.policy, self.policy, self.tau)
        return step | {"rows": rows}

    def get_extra_state(self):
        return {
            "memory": self.memory, "draws": self.draws,
            "adam": [self.critic_adam.state_dict(), self.actor_adam.state_dict()]}

    def set_extra_state(self, state) -> None:
        device = next(self.parameters()).device
        self.memory = state["memory"] and [part.to(device) for part in state["memory"]]
        self.draws = state["draws"]
        self.critic_adam.load_state_dict(state["adam"][0])
        self.actor_adam.load_state_dict(state["adam"][1])


class ProximalPolicy(nn.Module):
    """A logistic-normal policy that is held near the policy that acted (agent `ppo`). Densities are taken in u."""

    clip, entropy_share, passes, rate = 0.2, 0.01, 4, 3e-4

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings
        self.policy = PolicyNetwork(settings.widths, True, hidden=settings.hidden)
        self.baseline = ScalarNetwork(sum(settings.widths), settings.hidden)
        self.spread = nn.ParameterDict({
            name: nn.Parameter(torch.full((1,), math.log(0.5))) for name in ("log_std_l", "log_std_f")})
        self.adams = [torch.optim.Adam(part.parameters(), self.rate) for part in (self.baseline, self._actor)]

    @property
    def _actor(self) -> nn.ModuleList:
        return nn.ModuleList([self.policy, self.spread])

    def act(self, scene: Experience, samples: list[int], epoch: int) -> Action:
        with torch.no_grad():
            scores, drawn = self.policy.scores(scene.states), []
            for head, (score, std) in enumerate(zip(scores, self._stds)):
                drawn.append(score + std.exp() * _noise("ppo noise", self.settings, epoch, samples, head, score))
            choice = Choice(*drawn, density=self._density(drawn, scores))
            return _mixed(scene, self.settings, *scores, *(u.softmax(1) for u in drawn), choice)

    @property
    def _stds(self):
        return self.spread["log_std_l"], self.spread["log_std_f"]

    def _density(self, drawn, scores) -> Tensor:
        return sum(log_density(u, score, std) for u, score, std in zip(drawn, scores, self._stds))

    def learn(self, history: list[Experience], epoch: int) -> list[dict]:
        with torch.no_grad():
            advantages = [scene.reward - self.baseline(*scene.states) for scene in history]
        return [
            self._step(scene, advantage, turn) for turn in range(self.passes)
            for scene, advantage in zip(history, advantages)]

    def _step(self, scene: Experience, advantage: Tensor, turn: int) -> dict:
        loss = (self.baseline(*scene.states) - scene.reward).square().mean()
        step = {"batch": scene.batch, "objective": 0.0, "grad_l2": 0.0, "value_loss": loss.item(), "turn": turn}
        step["value_grad_l2"] = descend(loss, self.baseline, self.adams[0])
        choice = scene.choice
        if not choice.is_warmup:
            scores = self.policy.scores(scene.states)
            ratio = (self._density([choice.logit, choice.feature], scores) - choice.density).exp()
            kept = surrogate(ratio, advantage, self.clip)
            step["clipped"] = int((ratio * advantage > kept).sum())
            value = kept.mean() + self.entropy_share * sum(entropy(std, scores[0].shape[1]) for std in self._stds)
            step["objective"] = value.item()
            step["grad_l2"] = descend(-value, self._actor, self.adams[1])
        step["param_l2"], step["value_l2"] = norm_of(self._actor.parameters()), norm_of(self.baseline.parameters())
        return step | {"log_std": [std.item() for std in self._stds]}

    def get_extra_state(self):
        return {"adams": [adam.state_dict() for adam in self.adams]}

    def set_extra_state(self, state) -> None:
        for adam, saved in zip(self.adams, state["adams"]):
            adam.load_state_dict(saved)


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
