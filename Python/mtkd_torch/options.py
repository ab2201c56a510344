"""The options of methods by the names that a run has them under, with the values that they have without being named."""
from __future__ import annotations

from typing import NamedTuple

from .methods.agreement import AEKD
from .methods.amtml import AMTML
from .methods.confidence import ConfidenceKD, EntropyKD
from .methods.fixed import AttentionTransfer, Average, Baseline
from .methods.meta import MetaKD
from .methods.reward import MTKDRL

_LOSSES = {
    "alpha": 1.0, "beta": 5.0, "temperature": 4.0, "featureLoss": "fitnet", "logitLoss": "kd", "distTemperature": 4.0,
    "ndMode": "off", "ndWeight": 1.0}
_SCALED = _LOSSES | {"scaling": "eq2"}
_AGREEING = _SCALED | {"cmax": 0.6, "aekdSolver": "exact"}
_POLICY = _LOSSES | {
    "policy": "pg", "policyNetwork": "perTeacher", "weightNormaliser": "softmaxTeachers", "mixing": "static",
    "actionTerms": ["policy", "confidence", "divergence"], "divergenceSign": "released",
    "stateEntries": ["feature", "logits", "ce", "cos", "kl"], "stateNorm": "none", "rewardScope": "perTeacher",
    "rewardNorm": "minmaxCentred", "rewardTiming": "preUpdate", "objective": "linear", "policyInterval": "epoch",
    "policyRate": 0.1, "warmupEpochs": 1, "warmupWeight": "one"}


class Entry(NamedTuple):
    kind: type
    options: dict
    features: bool = False
    """Whether teachers' feature maps have a term in the loss."""
    released: dict = {}
    """What `"scaling": "released"` sets, whatever else is asked for."""


METHODS = {
    "baseline": Entry(Baseline, {}),
    "aver-kd": Entry(Average, _LOSSES),
    "aver-kd-fitnet": Entry(Average, _LOSSES, True),
    "at": Entry(AttentionTransfer, {"attentionBeta": 1000.0}),
    "amtml-kd": Entry(AMTML, _SCALED | {"angleWeight": 0.0, "adapterEpochs": "all"}, True, {"features": False}),
    "aekd": Entry(AEKD, _AGREEING, False, {"alpha": 1}),
    "aekd-hint": Entry(AEKD, _AGREEING, True, {"alpha": 1, "beta": 100}),
    "eb-kd": Entry(EntropyKD, _SCALED | {"ebkdVariant": "complement"}, False, {"alpha": 1}),
    "ca-mkd": Entry(ConfidenceKD, _SCALED | {"camkdWeightGradient": "scaling"}, True, {"alpha": 1, "beta": 50}),
    "mmkd": Entry(MetaKD, _SCALED, True, {"alpha": 1, "beta": 100}),
    "mtkd-rl": Entry(MTKDRL, _POLICY, True),
}


def make(name: str, options: dict, training):
    """A method with the options of a run; what they leave out has its default."""
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}; known: {', '.join(METHODS)}")
    entry = METHODS[name]
    unknown = sorted(options.keys() - entry.options.keys())
    if unknown:
        raise ValueError(f"{name} has no option {unknown[0]!r}; known: {', '.join(sorted(entry.options))}")
    chosen = {"features": entry.features} | entry.options | options
    return entry.kind(chosen | (entry.released if chosen.get("scaling") == "released" else {}), training)
