"""Networks of mtkd_torch against the recorded evaluations of `models/`: outputs, gradients, running statistics."""
import json
import os

import numpy
import torch
from torch.nn import functional as F

import fill_rule
from mtkd_torch import networks
from mtkd_trainer import read_safetensors

# In double every quantity has to agree to this (README.md of the fixtures, section 5); the second is of the norm of
# all gradients.
_LIMIT, _SHARE = 1e-9, 1e-11


def cases(folder: str):
    with open(os.path.join(folder, "models", "index.json"), encoding="utf-8") as file:
        return {f"models/{case['id']}": case for case in json.load(file)["cases"]}


def check(folder: str, case: dict) -> dict:
    """Errors by quantity, each as a share of its limit: up to 1 is right."""
    truth = read_safetensors(os.path.join(folder, "models", f"{case['id']}.safetensors"))
    network, images, labels = _built(case)
    errors: dict[str, float] = {"shape": 0.0 if _names_agree(folder, case, network) else float("inf")}
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    network.eval()
    seen = network(images)
    _outputs(errors, "eval", seen, truth)
    seen.logits.backward(torch.from_numpy(
        fill_rule.unit("probe:logits", seen.logits.numel()).reshape(seen.logits.shape)))
    _gradients(errors, "evalgrad", network, truth)
    if any(not torch.equal(before[name], tensor) for name, tensor in network.state_dict().items()):
        errors["evaluation changes the state"] = float("inf")

    network.train()
    network.zero_grad()
    images.requires_grad_()
    seen = network(images)
    loss = F.cross_entropy(seen.logits, labels)
    _outputs(errors, "train", seen, truth)
    wanted = float(truth["train.loss"][0])
    errors["train.loss"] = abs(loss.item() - wanted) / max(1, wanted) / _LIMIT
    loss.backward()
    _gradients(errors, "grad", network, truth)
    norms = fill_rule.triple(images.grad.numpy(), "input")
    _note(errors, "grad.input", float(numpy.abs(norms - truth["grad.input.checks"]).max() / norms[1]))
    if "bn.checks" in truth:
        running = [(n, b) for n, b in network.named_buffers() if not n.endswith("num_batches_tracked")]
        for (name, buffer), want in zip(running, truth["bn.checks"], strict=True):
            got = fill_rule.triple(buffer.numpy(), name)[1:]
            _note(errors, "bn", float(numpy.abs(got - want).max() / want[0]))
    return errors


def _built(case):
    channels, height, width = case["shape"]
    network = networks.build(case["family"], case["params"], channels, case["classes"]).double()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    fill_rule.fill(network, case["seed"])
    images = torch.from_numpy(fill_rule.images(case["seed"], (case["batch"], channels, height, width)))
    labels = torch.from_numpy(fill_rule.labels(case["seed"], case["batch"], case["classes"]))
    return network, images, labels


def _names_agree(folder, case, network):
    if sum(p.numel() for p in network.parameters()) != case["parameters"]:
        return False
    truth = read_safetensors(os.path.join(folder, "models", f"{case['id']}.safetensors"))
    state = [(n, t) for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")]
    if len(state) != len(truth["state.checks"]):
        return False
    # In the order of storage: an array in another place has another triple.
    return all(
        numpy.allclose(fill_rule.triple(t.numpy(), n), want, rtol=1e-9, atol=1e-9)
        for (n, t), want in zip(state, truth["state.checks"]))


def _note(errors, name, error):
    errors[name] = max(errors.get(name, 0.0), error / _LIMIT)


def _outputs(errors, phase, seen, truth):
    for name, tensor in (("logits", seen.logits), ("embedding", seen.embedding), ("map", seen.map)):
        want = truth.get(f"{phase}.{name}", truth.get(f"{phase}.{name}.head")).reshape(-1)
        got = tensor.detach().numpy().reshape(-1)[:want.size]
        _note(errors, f"{phase}.{name}", float(numpy.abs(got - want).max() / numpy.abs(want).max()))


def _gradients(errors, kind, network, truth):
    want = truth[f"{kind}.checks"]
    whole = float((want[:, 1] ** 2).sum() ** 0.5)
    for (name, parameter), triple in zip(network.named_parameters(), want, strict=True):
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        got = fill_rule.triple(gradient.numpy(), name)
        difference = max(
            abs(got[1] - triple[1]), abs(got[2] - triple[2]), abs(got[0] - triple[0]) / parameter.numel() ** 0.5)
        limit = _LIMIT * triple[1] + _SHARE * whole
        errors[kind] = max(errors.get(kind, 0.0), float(difference / limit))
