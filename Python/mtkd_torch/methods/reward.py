"""MTKD-RL: weights are the actions of a policy that is paid for small losses (`methods.md` 2)."""
from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from .. import agents, policy
from ..agents import Experience
from ..distillation import Batch, Loss, Terms, Weighted
from ..weights import confidence


class MTKDRL(Weighted):
    def __init__(self, options, training):
        super().__init__(options, training)
        gradient = options["policy"] == "pg"
        # Agents other than the policy gradient are paid by the sample, standardised over the batch.
        self.per_teacher = gradient and options["rewardScope"] == "perTeacher"
        self.normalisation = options["rewardNorm"] if gradient else "zscore"
        self.entries = tuple(e for e in policy.ENTRIES if e in options["stateEntries"])
        self.far_sign = 1 if options["divergenceSign"] == "released" else -1
        teachers = training.example.teachers
        states = [policy.state(self.entries, t.embedding, t.logits, *torch.zeros(3, 1).to(t.logits)) for t in teachers]
        widths = [state.shape[1] for state in states]
        self.warmup_weight = 1.0 if options["warmupWeight"] == "one" else 1 / len(widths)
        self.learned = agents.AGENTS[options["policy"]](widths, options, training.seed)
        self.normaliser = (
            policy.RunningNormalisation(sum(widths)) if options["stateNorm"] == "running" else nn.Identity())
        self.history: list[Experience] = []
        self.pending: tuple[Experience, Tensor, Tensor] | None = None
        self.nonfinite = 0

    def loss(self, batch: Batch) -> Loss:
        terms = self.terms(batch)
        scene, cosine = self._observe(batch, terms)
        action = self.learned.act(scene, batch.samples, batch.epoch)
        (logit, feature), choice = action.weights, action.choice
        is_warmup = batch.epoch < self.options["warmupEpochs"]
        if is_warmup:
            logit = feature = torch.full_like(terms.kl, self.warmup_weight)
            equal = torch.full_like(terms.kl, 1 / terms.kl.shape[1])
            choice = {name: equal for name in ("choice_l", "choice_f") if choice}
        loss = self.weigh(terms, logit, feature)
        loss.details |= {"cos": cosine, "policy_l": action.own[0], "policy_f": action.own[1]} | choice
        scene = replace(scene, **choice, is_warmup=is_warmup)
        if self.options["rewardTiming"] == "preUpdate":
            loss.details["reward"], scene.reward = self._pay(terms, logit, feature)
            loss.details["reward_norm"] = scene.reward
        self.pending = scene, logit, feature
        return loss

    def _observe(self, batch: Batch, terms: Terms) -> tuple[Experience, Tensor]:
        cosine = policy.cosines(terms.transformed, batch.teachers)
        states = [
            policy.state(
                self.entries, t.embedding, t.logits, terms.teacher_entropy[:, m], cosine[:, m], terms.kl[:, m])
            for m, t in enumerate(batch.teachers)]
        return Experience(
            batch.index, self.normaliser(torch.cat(states, 1)), confidence(terms.teacher_entropy),
            (self.far_sign * terms.kl).softmax(1), cosine.softmax(1)), cosine

    def _pay(self, terms: Terms, logit: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
        """By the losses that the student is trained with, whatever they are."""
        task, costs = terms.task.detach(), [terms.logit.detach(), terms.feature.detach()]
        if self.per_teacher:
            task = task[:, None]
        else:
            costs = [(weights * cost).sum(1) for weights, cost in zip((logit, feature), costs)]
        reward = policy.reward(task, *costs, *self.scales)
        return reward, policy.normalised(reward, self.normalisation)

    def finish_step(self, batch, training):
        scene, logit, feature = self.pending
        self.pending = None
        if scene.reward is None:
            with torch.no_grad():
                _, scene.reward = self._pay(self.terms(training.again(batch)), logit, feature)
        self.history.append(scene)
        interval = self.options["policyInterval"]
        is_due = interval != "epoch" and batch.index > 0 and batch.index % interval == 0
        return {"policy": self.finish_epoch() if is_due else []}

    def finish_epoch(self):
        """One pass over the history, oldest first; then nothing is left. One teacher leaves nothing to choose."""
        history, self.history = self.history, []
        if not history or history[0].confidence.shape[1] == 1:
            return []
        kept = [scene for scene in map(self._finite, history) if scene is not None]
        return self.learned.learn(kept) if kept else []

    def _finite(self, scene: Experience) -> Experience | None:
        """Without the samples whose state or reward is not finite: the policy does not learn from them."""
        rows = [scene.states, scene.far_l, scene.far_f, scene.reward]
        fine = torch.stack([r.reshape(len(r), -1).isfinite().all(1) for r in rows]).all(0)
        self.nonfinite += int((~fine).sum())
        if fine.all():
            return scene
        return scene.mapped(lambda rows: rows[fine]) if fine.any() else None

    def get_extra_state(self):
        """Between epochs there is no history."""
        return {"nonfinite": self.nonfinite, "history": [vars(scene) for scene in self.history]}

    def set_extra_state(self, state) -> None:
        self.nonfinite = state["nonfinite"]
        device = next(self.learned.parameters()).device
        self.history = [Experience(**scene).mapped(lambda part: part.to(device)) for scene in state["history"]]
