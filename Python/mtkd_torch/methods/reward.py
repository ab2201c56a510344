"""MTKD-RL: weights are the actions of a policy that is paid for small losses (`methods.md` 2)."""
from __future__ import annotations

import torch
from torch import Tensor

from .. import agents, policy, weights
from ..agents import Choice, Experience
from ..distillation import Batch, Loss, Terms, Weighted
from .base import Method


class MTKDRL(Method):
    def __init__(self, options, context):
        super().__init__(options, context)
        self.weighted = Weighted(options, context, self.trained, True)
        gradient = options["policy"] == "pg"
        # Agents other than the policy gradient are paid by the sample, standardised over the batch.
        self.per_teacher = gradient and options["rewardScope"] == "perTeacher"
        self.normalisation = options["rewardNorm"] if gradient else "zscore"
        self.entries = tuple(e for e in policy.ENTRIES if e in options["stateEntries"])
        self.far_sign = 1 if options["divergenceSign"] == "released" else -1
        count = len(context.teachers)
        self.warmup_weight = 1.0 if options["warmupWeight"] == "one" else 1 / count
        widths = [policy.width_of(self.entries, teacher, context.classes) for teacher in context.teachers]
        self.learned = agents.AGENTS[options["policy"]](agents.Settings(
            widths, tuple(t for t in weights.TERMS if t in options["actionTerms"]), context.seed,
            joint=options["policyNetwork"] == "joint", normaliser=options["weightNormaliser"],
            dynamic=options["mixing"] == "dynamic", objective=options["objective"], rate=options["policyRate"]))
        running = options["stateNorm"] == "running"
        self.normalisers = [policy.RunningNormalisation(width) for width in widths] if running else []
        self.history: list[Experience] = []
        self.pending: tuple[Experience, Tensor, Tensor] | None = None
        self.epoch = self.nonfinite = 0

    def loss(self, batch: Batch) -> Loss:
        terms = self.weighted.terms(batch)
        scene, cosine = self._observe(batch, terms)
        action = self.learned.act(scene, batch.samples, batch.epoch)
        is_warmup = batch.epoch < self.options["warmupEpochs"]
        fixed = torch.full_like(terms.kl, self.warmup_weight)
        logit, feature = (fixed, fixed) if is_warmup else (action.logit, action.feature)
        loss = self.weighted.loss(terms, logit, feature)
        scene.choice = action.choice
        if is_warmup and action.choice is not None:
            equal = torch.full_like(fixed, 1 / fixed.shape[1])
            scene.choice = Choice(equal, equal, is_warmup=True)
        loss.details |= {"cos": cosine, "policy_l": action.policy_l, "policy_f": action.policy_f}
        if scene.choice is not None:
            loss.details |= {
                "choice_l": scene.choice.logit, "choice_f": scene.choice.feature, "density": scene.choice.density}
        if self.options["rewardTiming"] == "preUpdate":
            loss.details["reward"], scene.reward = self._pay(terms, logit, feature)
            loss.details["reward_norm"] = scene.reward
        self.pending, self.epoch = (scene, logit, feature), batch.epoch
        return loss

    def _observe(self, batch: Batch, terms: Terms) -> tuple[Experience, Tensor]:
        cosine = policy.cosines(terms.transformed, batch.teachers)
        states = [
            policy.state(
                self.entries, t.embedding, t.logits, terms.teacher_entropy[:, m], cosine[:, m], terms.kl[:, m])
            for m, t in enumerate(batch.teachers)]
        if self.normalisers:
            states = [norm(state) for norm, state in zip(self.normalisers, states)]
        return Experience(
            batch.index, states, weights.confidence(terms.teacher_entropy), (self.far_sign * terms.kl).softmax(1),
            cosine.softmax(1)), cosine

    def _pay(self, terms: Terms, logit: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
        """By the losses that the student is trained with, whatever they are."""
        costs = [cost.detach() for cost in (terms.task, terms.logit, terms.feature)]
        alpha, beta = self.weighted.scales
        reward = (
            policy.reward_per_teacher(*costs, alpha, beta) if self.per_teacher
            else policy.reward_per_sample(*costs, logit, feature, alpha, beta))
        return reward, policy.normalised(reward, self.normalisation)

    def finish_step(self, batch, loss, after):
        scene, logit, feature = self.pending
        self.pending = None
        if scene.reward is None:
            with torch.no_grad():
                _, scene.reward = self._pay(self.weighted.terms(after.observed()), logit, feature)
        self.history.append(scene)
        interval = self.options["policyInterval"]
        is_due = interval != "epoch" and batch.index > 0 and batch.index % interval == 0
        return {"policy": self._learn() if is_due else []}

    def finish_epoch(self):
        return self._learn()

    def _learn(self) -> list[dict]:
        """One pass over the history, oldest first; then nothing is left. One teacher leaves nothing to choose."""
        history, self.history = self.history, []
        if not history or history[0].confidence.shape[1] == 1:
            return []
        kept = [scene for scene in map(self._finite, history) if scene is not None]
        return self.learned.learn(kept, self.epoch) if kept else []

    def _finite(self, scene: Experience) -> Experience | None:
        """Without the samples whose state or reward is not finite: the policy does not learn from them."""
        rows = [*scene.states, scene.far_l, scene.far_f, scene.reward]
        fine = torch.stack([r.reshape(len(r), -1).isfinite().all(1) for r in rows]).all(0)
        lost = int((~fine).sum())
        self.nonfinite += lost
        if lost == 0:
            return scene
        if lost == len(fine):
            return None

        def cut(value):
            return None if value is None else value[fine]
        choice = scene.choice
        if choice is not None:
            choice = Choice(cut(choice.logit), cut(choice.feature), cut(choice.density), choice.is_warmup)
        return Experience(
            scene.batch, [cut(s) for s in scene.states], cut(scene.confidence), cut(scene.far_l), cut(scene.far_f),
            cut(scene.reward), choice)

    def get_extra_state(self):
        """Between epochs there is no history."""
        return {
            "normalisers": [n.state_dict() for n in self.normalisers], "epoch": self.epoch,
            "nonfinite": self.nonfinite, "history": [scene.saved() for scene in self.history]}

    def set_extra_state(self, state) -> None:
        self.epoch, self.nonfinite = state["epoch"], state["nonfinite"]
        device = next(self.learned.parameters()).device
        self.history = [Experience.restored(scene, device) for scene in state["history"]]
        for normaliser, saved in zip(self.normalisers, state["normalisers"]):
            normaliser.load_state_dict(saved)
