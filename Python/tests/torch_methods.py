"""Operations of mtkd_torch against `methods.json`: every expected number of every case, in double."""
import json
import os
import types

import numpy
import torch
from torch import nn

from mtkd_results import statistics
from mtkd_torch import agents, distillation, losses, options, policy, training, weights
from mtkd_torch.methods import agreement, amtml, confidence, meta
from mtkd_torch.networks import Activations

_NORMS = {
    "minmax_centered": "minmaxCentred", "eq7_literal": "minmaxRaw", "zscore_clamp": "zscoreClamp", "zscore": "zscore"}


def cases(folder: str):
    with open(os.path.join(folder, "methods.json"), encoding="utf-8") as file:
        content = json.load(file)
    tolerance = content["tolerance"]
    for case in content["cases"]:
        limits = dict(tolerance["float64"])
        limits["abs"] = tolerance["overrides"].get(case["op"], limits["abs"])
        case["limits"] = limits
    return {f"methods/{case['id']}": case for case in content["cases"]}


def check(folder: str, case: dict) -> dict:
    """Errors by expected entry, each as a share of its limit."""
    got = _leaves(OPERATIONS[case["op"]](case["inputs"], case["params"]), "")
    want, errors = _leaves(case["expected"], ""), {}
    for name in got.keys() ^ want.keys():
        errors[f"{name} is missing or too much"] = float("inf")
    for name in got.keys() & want.keys():
        a, b = got[name], want[name]
        limit = case["limits"]["abs"] + case["limits"]["rel"] * numpy.abs(b)
        errors[name] = float((numpy.abs(a - b) / limit).max()) if a.size == b.size else float("inf")
    return errors


def _leaves(value, path) -> dict:
    def inner(name):
        return f"{path}.{name}" if path else str(name)
    if isinstance(value, dict):
        return {k: v for name, item in value.items() for k, v in _leaves(item, inner(name)).items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {k: v for index, item in enumerate(value) for k, v in _leaves(item, inner(index)).items()}
    return {path: numpy.array(list(_flat(value)))}


def _flat(value):
    if isinstance(value, torch.Tensor):
        yield from value.detach().double().reshape(-1).tolist()
    elif isinstance(value, (list, numpy.ndarray)):
        for item in value:
            yield from _flat(item)
    else:
        yield float(value)


def _t(value, leaf=False):
    tensor = torch.tensor(value, dtype=torch.float64)
    return tensor.requires_grad_() if leaf else tensor


def _ts(values):
    return [_t(value) for value in values]


def _grad(value, leaf):
    return torch.autograd.grad(value, leaf, retain_graph=True)[0]


def _activations(logits):
    empty = torch.zeros(len(logits), 1, 1, 1, dtype=torch.float64)
    return Activations([empty], empty[:, :, 0, 0], logits)


def _method(name, chosen, student, teachers):
    """The loss of a method without features, of logits alone; its labels do not matter."""
    seen = [_activations(z) for z in teachers]
    labels = torch.zeros(len(student), dtype=torch.int64)
    batch = distillation.Batch(list(range(len(student))), labels, _activations(student), seen, 0, 0)
    return options.make(name, chosen, types.SimpleNamespace(example=batch, seed=1)).loss(batch)


def _weighted(alpha=1.0, beta=1.0):
    one = _activations(torch.zeros(1, 2, dtype=torch.float64))
    example = distillation.Batch([0], torch.zeros(1, dtype=torch.int64), one, [one], 0, 0)
    return options.make("aver-kd-fitnet", {"alpha": alpha, "beta": beta}, types.SimpleNamespace(example=example, seed=1))


def _terms(task, logit, feature=None):
    return distillation.Terms(task, logit, logit, logit, feature, feature, None, [])


def cross_entropy(i, p):
    z = _t(i["logits"], True)
    h = losses.cross_entropy(z, torch.tensor(i["labels"]))
    return {"per_sample": h, "mean": h.mean(), "grad_logits": _grad(h.mean(), z)}


def kd_loss(i, p):
    z = _t(i["student_logits"], True)
    kl = losses.divergence(z, _t(i["teacher_logits"]), p["T"])
    return {"per_sample": kl, "mean": kl.mean(), "grad_student_logits": _grad(kl.mean(), z)}


def feature_mse(i, p):
    x = _t(i["student"], True)
    d = losses.feature_distance(x, _t(i["teacher"]))
    return {"per_sample": d, "mean": d.mean(), "grad_student": _grad(d.mean(), x)}


def feature_kl(i, p):
    d = losses.spatial_divergence(_t(i["student"]), _t(i["teacher"]), p["T"])
    return {"per_sample": d, "mean": d.mean()}


def align(i, p):
    return {"output": losses.aligned(_t(i["x"]), p["size"], p["size"])}


def regressor(i, p):
    weight = _t(i["weight"])
    module = distillation.regressor(weight.shape[1], weight.shape[0]).double()
    with torch.no_grad():
        module.conv.weight.copy_(weight[:, :, None, None])
        module.conv.bias.copy_(_t(i["bias"]))
        module.bn.weight.copy_(_t(i["gamma"]))
        module.bn.bias.copy_(_t(i["beta"]))
    return {"output": module(_t(i["x"]))}


def state_vector(i, p):
    logits, feature = _t(i["teacher_logits"]), _t(i["feature"])
    ce = losses.cross_entropy(logits, torch.tensor(i["labels"]))
    cos = losses.cosine(_t(i["regressed"]), feature)
    kl = losses.divergence(_t(i["student_logits"]), logits, p["T"])
    mask = p.get("mask", {})

    def state(order):
        return policy.state([e for e in order if mask.get(e, True)], feature, logits, ce, cos, kl)
    return {
        "ce": ce, "cos": cos, "kl": kl, "state": state(policy.ENTRIES),
        "state_reference_order": state(("cos", "kl", "ce", "feature", "logits"))}


def action(i, p):
    factors = _t(i["factors"]) if "factors" in i else None
    parts = [_t(i[name]) for name in weights.TERMS]
    mix = factors.softmax(0) if factors is not None else [1 / len(p["terms"])] * len(p["terms"])
    return {"mix": mix, "action": weights.mixed(*parts, p["terms"], factors)}


def total_loss(i, p):
    terms = _terms(_t(i["ce"]), _t(i["kl"]), _t(i["dis"]))
    loss = _weighted(p["alpha"], p["beta"]).weigh(terms, _t(i["wl"]), _t(i["wf"]))
    return {"task": loss.task, "logit": loss.logit, "feature": loss.feature, "total": loss.total}


def total_loss_grad(i, p):
    z = _t(i["student_logits"], True)
    kl = torch.stack([losses.divergence(z, t, p["T"]) for t in _ts(i["teacher_logits"])], 1)
    terms = _terms(losses.cross_entropy(z, torch.tensor(i["labels"])), kl)
    loss = _weighted(p["alpha"]).weigh(terms, _t(i["wl"]))
    return {"grad_student_logits": _grad(loss.total, z)}


def reward_per_teacher(i, p):
    return {"reward": policy.reward(_t(i["ce"])[:, None], _t(i["kl"]), _t(i["dis"]), p["alpha"], p["beta"])}


def reward_per_sample(i, p):
    costs = [(_t(i[a]) * _t(i[name])).sum(1) for a, name in (("action_l", "kl"), ("action_f", "dis"))]
    return {"reward": policy.reward(_t(i["ce"]), *costs, p["alpha"], p["beta"])}


def reward_norm(i, p):
    return {"normalised": policy.normalised(_t(i["reward"]), _NORMS[p["kind"]])}


def pg_step(i, p):
    params, states = i["params"], _ts(i["states"])
    joint = isinstance(params, dict)
    hidden = len((params if joint else params[0])["w1"])
    chosen = options.METHODS["mtkd-rl"].options | {
        "policyNetwork": "joint" if joint else "perTeacher", "mixing": "dynamic" if "factors" in i else "static",
        "objective": "bceOnes" if joint else "linear", "policyRate": p["lr"]}
    agent = agents.PolicyGradient([s.shape[1] for s in states], chosen, 0, hidden).double()
    own = dict(agent.policy.named_parameters())
    names = {f"{a}": b for a, b in (
        ("fc1.weight", "w1"), ("head_l.weight", "wl"), ("head_l.bias", "bl"), ("head_f.weight", "wf"),
        ("head_f.bias", "bf"))} if joint else {
        f"{m}.{a}": f"{m}.{b}" for m in range(len(states))
        for a, b in (("fc1.weight", "w1"), ("fc2.weight", "w2"), ("fc2.bias", "b2"))}
    flat = {k: v for k, v in _nested(params).items()}
    with torch.no_grad():
        for path, name in names.items():
            own[path].copy_(_t(flat[name]))
        if "factors" in i:
            agent.policy.rho_l.copy_(_t(i["factors"]["logit"]))
            agent.policy.rho_f.copy_(_t(i["factors"]["feature"]))
    scene = agents.Experience(
        0, torch.cat(states, 1), _t(i["confidence"]), _t(i["divergence_l"]), _t(i["divergence_f"]),
        _t(i["reward"] if joint else i["advantage"]))
    scores = agent.policy.scores(scene.states)
    chosen = agent.action(scene, scores)
    value = agent.value(chosen, scene.reward)
    result = {
        "head_l": scores[0], "head_f": scores[1], "policy_l": chosen.own[0], "policy_f": chosen.own[1],
        "action_l": chosen.weights[0], "action_f": chosen.weights[1], "loss" if joint else "objective": value,
        "grad_head_l": _grad(value, scores[0]), "grad_head_f": _grad(value, scores[1])}
    factors = {"rho_l": "logit", "rho_f": "feature"}
    slopes = {path: _grad(value, own[path]) for path in own}
    agent.learn([scene])
    for path in own:
        for kind, source in (("grad", slopes), ("new", own)):
            where = f"{kind}_factors.{factors[path]}" if path in factors else f"{kind}_params.{names[path]}"
            result[where] = source[path]
    return result


def _nested(params):
    if isinstance(params, dict):
        return params
    return {f"{m}.{name}": value for m, entry in enumerate(params) for name, value in entry.items()}


def ppo(i, p):
    u, head = _t(i["u"]), _t(i["head_new"], True)
    new, old = _t([p["log_std_new"]], True), _t([p["log_std_old"]])
    now, then = agents.log_density(u, head, new), agents.log_density(u, _t(i["head_old"]), old)
    ratio = (now - then).exp()
    kept, spread = agents.surrogate(ratio, _t(i["advantage"]), p["clip"]), agents.entropy(new, u.shape[1])
    value = kept.mean() + spread * p["entropy_coef"]
    return {
        "logp_new": now, "logp_old": then, "ratio": ratio, "surrogate": kept, "entropy": spread, "objective": value,
        "grad_head": _grad(value, head), "grad_log_std": _grad(value, new)}


def dpg(i, p):
    states, reward, critic = _t(i["state"]), _t(i["reward"]), i["critic"]
    count = len(i["action_l"][0])
    width = states.shape[1]
    # Widths of single states do not matter to a critic.
    agent = agents.DeterministicPolicy(
        [width] + [0] * (count - 1), options.METHODS["mtkd-rl"].options, 0, len(critic["w1"])).double()
    with torch.no_grad():
        agent.critic.fc1.weight.copy_(_t(critic["w1"]))
        agent.critic.fc1.bias.copy_(_t(critic["b1"]))
        agent.critic.fc2.weight.copy_(_t(critic["w2"])[None])
        agent.critic.fc2.bias.copy_(_t([critic["b2"]]))
    a_l, a_f = _t(i["action_l"]), _t(i["action_f"])
    loss = agent.critic_loss(states, a_l, a_f, reward)
    heads = _t(i["head_l"], True), _t(i["head_f"], True)
    value = agent.objective(*heads, states)
    chosen = torch.cat([h.softmax(1) for h in heads], 1).detach().requires_grad_()
    judged = agent.critic(torch.cat([states, chosen], 1))
    slopes = [_grad(loss, parameter) for parameter in agent.critic.parameters()]
    return {
        "q": agent.critic(torch.cat([states, a_l, a_f], 1)), "target": reward, "critic_loss": loss, "q_policy": judged,
        "critic_grads": dict(zip(("w1", "b1", "w2", "b2"), slopes)), "dq_daction": _grad(judged.sum(), chosen),
        "actor_objective": value, "actor_grad_head_l": _grad(value, heads[0]),
        "actor_grad_head_f": _grad(value, heads[1])}


def soft_update(i, p):
    online, target = (nn.ParameterList([nn.Parameter(_t(i[name]))]) for name in ("online", "target"))
    agents.follow(target, online, p["tau"])
    return {"target": target[0]}


def camkd_logit(i, p):
    teachers, labels = _ts(i["teacher_logits"]), torch.tensor(i["labels"])
    z = _t(i["student_logits"])
    ce = torch.stack([losses.cross_entropy(t, labels) for t in teachers], 1)
    kl = torch.stack([losses.divergence(z, t, p["T"]) for t in teachers], 1)
    shares = weights.confidence(ce)
    loss = _weighted().weigh(_terms(losses.cross_entropy(z, labels), kl), shares, divisor=len(teachers))
    return {"weights": shares, "loss": loss.logit}


def camkd_feature(i, p):
    labels, teachers = torch.tensor(i["labels"]), _ts(i["teacher_features"])
    heads = [
        lambda map, w=_t(w), b=_t(b): map.mean((2, 3)) @ w.t() + b
        for w, b in zip(i["head_weight"], i["head_bias"])]

    def measured(through):
        maps = [_t(x, True) for x in i["student_features"]]
        ce = confidence.transformed_entropy(maps if through else [m.detach() for m in maps], heads, labels)
        shares = weights.confidence(ce)
        mse = torch.stack([losses.feature_distance(a, b) for a, b in zip(maps, teachers)], 1)
        zeros = torch.zeros_like(mse)
        loss = _weighted().weigh(_terms(zeros[:, 0], zeros, mse), zeros, shares, divisor=len(maps))
        return ce, shares, mse, loss.feature, [_grad(loss.total, m) for m in maps]
    ce, shares, mse, loss, through = measured(True)
    return {
        "head_ce": ce, "weights": shares, "mse": mse, "loss": loss, "grad_stop": measured(False)[4],
        "grad_through": through}


def ebkd(i, p):
    teachers = _ts(i["teacher_logits"])
    chosen = {
        "complement": {"scaling": "released"}, "complement-normalised": {}, "inverse": {"ebkdVariant": "inverse"}}
    loss = _method("eb-kd", chosen[p["variant"]] | {"temperature": p["T"]}, _t(i["student_logits"]), teachers)
    return {"entropy": weights.entropies(teachers), "weights": loss.details["action_l"], "loss": loss.logit}


def min_norm_box(i, p):
    return {"weights": weights.minimum_norm(numpy.array(i["vectors"]), p["C"])}


def aekd(i, p):
    z, teachers = _t(i["student_logits"]), _ts(i["teacher_logits"])
    vectors = agreement.gradient_vectors(
        z, lambda leaf: torch.stack([losses.divergence(leaf, t, p["T"]) for t in teachers], 1))
    loss = _method("aekd", {"cmax": p["C"], "temperature": p["T"]}, z, teachers)
    return {
        "vectors": vectors, "weights": loss.details["action_l"][0], "teacher_losses": loss.details["kl"].mean(0),
        "loss": loss.logit}


def amtml_case(i, p):
    z, temperature = _t(i["student_logits"]), p["T"]
    latent, scores, shares, target = amtml.mix(
        _t(i["student_map"]), _ts(i["teacher_logits"]), _t(i["theta"]), _t(i["v"]), temperature, p["pool"] == "avg")
    ce = losses.cross_entropy(z, torch.tensor(i["labels"])).mean()
    unified = amtml.divergences(z, target, temperature).mean() * temperature ** 2
    ratio = p["kd_ratio"]
    return {
        "latent": latent, "scores": scores, "weights": shares, "soft_target": target, "kd_unified": unified, "ce": ce,
        "loss_reference": (1 - ratio) * ce + 2 * ratio * unified / z.shape[1], "angle": losses.relation(losses.angles, z, target)}


def _network(i, width):
    network = meta.weight_network(width, len(i["w2"])).double()
    with torch.no_grad():
        for path, name in (("fc1.weight", "w1"), ("fc1.bias", "b1"), ("fc2.weight", "w2"), ("fc2.bias", "b2")):
            network.get_parameter(path).copy_(_t(i[name]))
    return network


def mmkd_logit_weights(i, p):
    rows = torch.cat([*_ts(i["teacher_logits"]), _t(i["student_logits"])], 1)
    return {"weights": _network(i, rows.shape[1])(rows)}


def mmkd_feature_weights(i, p):
    rows = meta.similarities([*_ts(i["teacher_maps"]), _t(i["student_map"])])
    return {"weights": _network(i, rows.shape[1])(rows)}


def mmkd_meta_toy(i, p):
    """The steps of `training.Ahead`, on a student that is one vector."""
    omega, targets, y = _t(i["omega"], True), _t(i["targets"]), _t(i["y"])
    ahead = training.Ahead.__new__(training.Ahead)
    ahead.values, ahead.velocities = {"psi": _t(i["psi"], True)}, {"psi": _t(i["buffer"])}
    ahead.rate, ahead.momentum, ahead.nesterov = p["lr"], p["momentum"], p["nesterov"]
    ahead.decays = {"psi": p["weight_decay"]}
    trajectory = []

    def half(a):
        return 0.5 * (ahead.values["psi"] - a).square().sum()
    for _ in range(p["inner_steps"]):
        ahead.step((omega.softmax(0) * torch.stack([half(target) for target in targets])).sum())
        trajectory.append(ahead.values["psi"])
    ahead.step(half(y))
    trajectory.append(ahead.values["psi"])
    return {
        "weights": omega.softmax(0), "trajectory": trajectory, "outer_loss": half(y),
        "grad_omega": _grad(half(y), omega)}


def dist(i, p):
    z = _t(i["student_logits"], True)
    inter, intra = losses.dist_terms(z, (_t(i["teacher_logits"]) / p["tau"]).softmax(1), p["tau"])
    loss = p["beta"] * inter.mean() + p["gamma"] * intra
    return {"inter_per_sample": inter, "intra": intra, "loss": loss, "grad_student_logits": _grad(loss, z)}


def dist_weighted(i, p):
    z, teachers, tau = _t(i["student_logits"]), _ts(i["teacher_logits"]), p["tau"]
    pairs = [losses.dist_terms(z, (t / tau).softmax(1), tau) for t in teachers]
    costs = torch.stack([inter + intra for inter, intra in pairs], 1)
    loss = _weighted().weigh(_terms(torch.zeros(len(z), dtype=torch.float64), costs), _t(i["wl"]))
    return {
        "inter": torch.stack([inter for inter, _ in pairs], 1), "intra": [intra for _, intra in pairs],
        "per_teacher_cost": costs, "loss": loss.logit}


def nd(i, p):
    x = _t(i["student"], True)
    costs = losses.direct_norm(x, _t(i["teacher"]), losses.directions(_t(i["centers"]))[torch.tensor(i["labels"])])
    return {"per_sample": costs, "loss": costs.mean(), "grad_student": _grad(costs.mean(), x)}


def sgd(i, p):
    """As recipes make it."""
    student = nn.ParameterList([nn.Parameter(_t(i["param"]))])
    method = nn.Module()
    method.trained, method.undecayed = nn.Module(), ()
    recipe = {
        "learningRate": p["lrs"][0], "momentum": p["momentum"], "nesterov": p["nesterov"],
        "weightDecay": p["weight_decay"]}
    made, trajectory = training.optimizer(recipe, student, method), []
    for gradient, rate in zip(i["grads"], p["lrs"]):
        student[0].grad = _t(gradient)
        made.param_groups[0]["lr"] = rate
        made.step()
        trajectory.append(student[0].detach().clone())
    return {"trajectory": trajectory}


def lr_multistep(i, p):
    recipe = {"learningRate": p["base"], "gamma": p["gamma"], "milestones": p["milestones"]}
    return {"lr": [training.rate(recipe, epoch) for epoch in p["epochs"]]}


def mean_std(i, p):
    found = statistics.sample(i["values"])
    # A single value has no sample std; the file writes 0.
    std, count = found["std"] or 0.0, len(i["values"])
    return {"mean": found["mean"], "std_sample": std, "std_population": std * ((count - 1) / count) ** 0.5}


OPERATIONS = {
    "cross_entropy": cross_entropy, "kd_loss": kd_loss, "feature_mse": feature_mse, "feature_kl": feature_kl,
    "align": align, "regressor": regressor, "cosine": lambda i, p: {"value": losses.cosine(_t(i["a"]), _t(i["b"]))},
    "state_vector": state_vector,
    "confidence_weights": lambda i, p: {"weights": weights.confidence(_t(i["ce"]))},
    "divergence_weights": lambda i, p: {"weights": _t(i["value"]).softmax(1)}, "action": action,
    "total_loss": total_loss, "total_loss_grad": total_loss_grad, "reward_per_teacher": reward_per_teacher,
    "reward_per_sample": reward_per_sample, "reward_norm": reward_norm, "pg_step_paper": pg_step,
    "pg_step_reference": pg_step, "ppo": ppo, "dpg": dpg, "soft_update": soft_update, "camkd_logit": camkd_logit,
    "camkd_feature": camkd_feature, "ebkd": ebkd, "min_norm_box": min_norm_box, "aekd": aekd, "amtml": amtml_case,
    "mmkd_logit_weights": mmkd_logit_weights, "mmkd_feature_weights": mmkd_feature_weights,
    "mmkd_meta_toy": mmkd_meta_toy, "dist": dist, "dist_weighted": dist_weighted, "nd": nd, "sgd": sgd,
    "lr_multistep": lr_multistep, "mean_std": mean_std,
}
