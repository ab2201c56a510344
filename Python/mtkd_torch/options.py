"""The options of methods by the names that a run has them under, with the values that they have without being named."""
from __future__ import annotations

from .methods.agreement import AEKD, AEKDHint
from .methods.amtml import AMTML
from .methods.confidence import ConfidenceKD, EntropyKD
from .methods.fixed import AttentionTransfer, Average, AverageFitNet, Baseline
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

METHODS = {
    "baseline": (Baseline, {}), "aver-kd": (Average, _LOSSES), "aver-kd-fitnet": (AverageFitNet, _LOSSES),
    "at": (AttentionTransfer, {"attentionBeta": 1000.0}),
    "amtml-kd": (AMTML, _SCALED | {"angleWeight": 0.0, "adapterEpochs": "all"}), "aekd": (AEKD, _AGREEING),
    "aekd-hint": (AEKDHint, _AGREEING), "eb-kd": (EntropyKD, _SCALED | {"ebkdVariant": "complement"}),
    "ca-mkd": (ConfidenceKD, _SCALED | {"camkdWeightGradient": "scaling"}), "mmkd": (MetaKD, _SCALED),
    "mtkd-rl": (MTKDRL, _POLICY),
}


def make(name: str, options: dict, context):
    """A method with the options of a run; what they leave out has its default."""
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}; known: {', '.join(METHODS)}")
    kind, defaults = METHODS[name]
    unknown = sorted(options.keys() - defaults.keys())
    if unknown:
        raise ValueError(f"{name} has no option {unknown[0]!r}; known: {', '.join(sorted(defaults))}")
    return kind(defaults | options, context)
