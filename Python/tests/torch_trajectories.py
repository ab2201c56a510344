"""Whole training runs of mtkd_torch against `runs/`: every number of every step, in double (TRAJECTORIES.md)."""
import json
import math
import os

import numpy
import torch
from torch.nn import functional as F

import fill_rule
from mtkd_torch import networks, options, training

_NAMES = {"camkd": "ca-mkd", "ebkd": "eb-kd", "amtml": "amtml-kd"}
_SPELLINGS = {"T": "temperature", "form": "scaling", "policyLr": "policyRate"}
_RECIPE = {
    "method", "batch", "epochs", "lr", "milestones", "gamma", "momentum", "nesterov", "weight_decay", "preset",
    "features", "skip_first_feature", "skip_incomplete"}
# In every file, whether or not the method has the term.
_TERMS = {"T", "alpha", "beta", "form"}
_REFERENCE = {
    "policyNetwork": "joint", "rewardScope": "perSample", "rewardNorm": "zscoreClamp", "objective": "bceOnes",
    "policyInterval": 1000}
_PER_SAMPLE = ("h", "kl", "ce", "dis", "cos", "ce_transformed", "dist", "nd", "choice_l", "choice_f", "density")


def cases(folder: str):
    with open(os.path.join(folder, "runs", "index.json"), encoding="utf-8") as file:
        return {f"runs/{name}": {"id": name} for name in json.load(file)["files"]}


class Source:
    """Recorded images in recorded order, as they are."""

    def __init__(self, data: dict, dtype):
        shape = (data["samples"], *data["shape"])
        self._images = torch.from_numpy(fill_rule.images(data["seed"], shape)).to(dtype)
        self._labels, self._order = torch.tensor(data["labels"]), data["order"]

    def order(self, epoch):
        return self._order[epoch]

    def images(self, samples, epoch):
        return self._images[samples]

    def plain(self, samples):
        return self._images[samples]

    def labels(self, samples):
        return self._labels[samples]


def check(folder: str, case: dict) -> dict:
    """Errors by quantity, each as a share of its limit."""
    with open(os.path.join(folder, "runs", f"{case['id']}.json"), encoding="utf-8") as file:
        truth = json.load(file)
    return Comparison(truth, torch.float64).run()


def method_of(config: dict) -> tuple[str, dict]:
    name = _NAMES.get(config["method"], config["method"])
    known, chosen = options.METHODS[name][1], {}
    if config.get("preset") == "reference":
        chosen |= _REFERENCE
    for entry, value in config.items():
        option = _SPELLINGS.get(entry, entry)
        if entry in _RECIPE:
            continue
        if option in known:
            chosen[option] = value
        elif entry not in _TERMS:
            raise AssertionError(f"nobody reads {entry} of the file's config")
    return name, chosen


class Comparison:
    def __init__(self, truth: dict, dtype):
        self.truth, self.dtype, self.errors = truth, dtype, {}
        self.limit = truth["tolerance"]["float64"]
        config = truth["config"]
        recipe = {
            "epochs": config["epochs"], "batchSize": config["batch"], "learningRate": config["lr"],
            "momentum": config["momentum"], "nesterov": config["nesterov"], "weightDecay": config["weight_decay"],
            "milestones": config["milestones"], "gamma": config["gamma"]}
        teachers = [self._network(record) for record in truth["teachers"]]
        name, chosen = method_of(config)
        self.source = Source(truth["data"], dtype)
        self.training = training.Training(
            self._network(truth["student"]), teachers,
            lambda training: options.make(name, chosen, training).to(dtype), recipe, self.source,
            truth.get("stream_seed", 0))
        self._fill(self.training.method)

    def _network(self, record):
        network = networks.build(record["family"], record["params"], record["shape"][0], record["classes"])
        fill_rule.fill(network.to(self.dtype), record["seed"])
        return network

    def _fill(self, method):
        if "regressor_seed" in self.truth:
            fill_rule.fill(method.trained, self.truth["regressor_seed"])
        if "policy_seed" not in self.truth:
            return
        with torch.no_grad():
            for path, parameter in method.learned.named_parameters():
                if "rho_" in path:
                    continue
                if "log_std_" in path:
                    # It was made in single precision.
                    parameter.fill_(math.log(0.5))
                    continue
                original = path.removeprefix("target.")
                values = fill_rule.values(self.truth["policy_seed"], original, tuple(parameter.shape))
                # The factor is exact; it keeps a softmax of Gram matrices from starting one-hot.
                scale = 2.0 ** -10 if original == "meta.feature.fc1.weight" else 1.0
                parameter.copy_(torch.from_numpy(values * scale))

    def _note(self, quantity, error):
        error = float("inf") if error != error else float(error)
        self.errors[quantity] = max(self.errors.get(quantity, 0.0), error / self.limit)

    def _must(self, name, equal):
        if not equal:
            self.errors[name] = float("inf")

    def run(self) -> dict:
        self._setup()
        records = iter(self.truth["steps"])
        for epoch, want in enumerate(self.truth["epochs"]):
            self._epoch(epoch, want, records)
        self._must("steps left over", next(records, None) is None)
        self._final()
        return self.errors

    # Before the first step

    def _setup(self):
        images = self.source.plain(list(range(self.truth["data"]["samples"])))
        pairs = [(f"teacher.{m}", t, self.truth["setup"]["teachers"][m]) for m, t in enumerate(self.training.teachers)]
        pairs.append(("student", self.training.student, self.truth["setup"]["student_eval"]))
        for name, network, want in pairs:
            network.eval()
            with torch.no_grad():
                seen = network(images)
            for tap in ("map", "embedding", "logits"):
                self._array("setup", getattr(seen, tap), want[tap], f"{name}.{tap}")
        self.training.student.train()

    def _array(self, quantity, tensor, want, name):
        self._must(f"shape of {name}", list(tensor.shape) == want["shape"])
        total, l2, probe = fill_rule.triple(tensor.detach().numpy(), name)
        count = max(1, tensor.numel())
        worst = max(abs(total - want["sum"]) / count ** 0.5, abs(l2 - want["l2"]), abs(probe - want["probe"]))
        self._note(quantity, worst / want["l2"] if want["l2"] else worst)
        first = tensor.detach().reshape(-1)[:len(want["first"])].double().numpy()
        scale = want["l2"] / count ** 0.5 or 1
        self._note("first", numpy.abs(first - want["first"]).max() / scale)

    # Steps and epochs

    def _epoch(self, epoch, want, records):
        made, sums, correct, samples = [], {}, 0, 0
        for index, batch in enumerate(self.training.batches(epoch)):
            loss, outcome = self.training.step(epoch, index, batch)
            trained = [*self.training.student.parameters(), *self.training.method.trained.parameters()]
            outcome["grad_l2"] = _norm(p.grad for p in trained if p.grad is not None)
            self._step(next(records), epoch, index, loss, outcome)
            made += outcome["policy"]
            samples += len(batch)
            correct += int((outcome["predicted"].argmax(1) == self.source.labels(batch)).sum())
            for name in ("task", "logit", "feature", "total"):
                value = getattr(loss, name)
                sums[name] = sums.get(name, 0.0) + (0 if value is None else value.item()) * len(batch)
        made += self.training.method.finish_epoch()
        self._must("policy steps", len(made) == len(want.get("policy", [])))
        for mine, record in zip(made, want.get("policy", [])):
            self._policy(mine, record)
        self._must("lr", want["lr"] == training.rate(self.training.recipe, epoch))
        self._must("samples", samples == want["samples"] and correct == want["train_correct"])
        for name, total in want["train"].items():
            self._relative("loss", sums[name] / samples, total, 1)
        student, trained = self.training.student, self.training.method.trained
        running = [b for n, b in student.named_buffers() if not n.endswith("num_batches_tracked")]
        for name, tensors in (
                ("student_l2", student.parameters()), ("regressor_l2", trained.parameters()), ("bn_l2", running)):
            if want.get(name) is not None:
                self._relative("norms", _norm(tensors), want[name], 0)
        logits = self._evaluated()
        labels = torch.tensor(self.truth["data"]["labels"])
        self._relative("loss", F.cross_entropy(logits, labels).item(), want["eval_loss"], 1)
        self._must("eval_correct", int((logits.argmax(1) == labels).sum()) == want["eval_correct"])

    def _evaluated(self):
        self.training.student.eval()
        with torch.no_grad():
            logits = self.training.student(self.source.plain(list(range(self.truth["data"]["samples"])))).logits
        self.training.student.train()
        return logits

    def _relative(self, quantity, got, want, floor):
        self._note(quantity, abs(got - want) / max(floor, abs(want)))

    def _step(self, want, epoch, index, loss, outcome):
        self._must("place", (want["epoch"], want["batch"]) == (epoch, index))
        for name in ("task", "logit", "feature", "total"):
            value = getattr(loss, name)
            self._must(f"presence of {name}", (value is None) == (want[name] is None))
            if value is not None:
                self._relative("loss", value.item(), want[name], 1)
        for name in ("penalty", "angle"):
            if want.get(name) is not None:
                self._relative("loss", loss.details[name].item(), want[name], 1)
        for name in _PER_SAMPLE:
            self._details("per_sample", name, loss, want, True)
        for name in ("action_l", "action_f", "policy_l", "policy_f"):
            self._details("weights", name, loss, want, False)
        self._details("reward", "reward", loss, want, True)
        self._details("reward_norm", "reward_norm", loss, want, False)
        self._must("overwritten", outcome.get("overwritten") == want.get("overwritten"))
        self._relative("grad_l2", outcome["grad_l2"], want["grad_l2"], 1e-3)

    def _details(self, quantity, name, loss, want, relative):
        if want.get(name) is None:
            return
        truth = numpy.array(want[name])
        got = loss.details[name].detach().numpy()
        self._must(f"shape of {name}", got.shape == truth.shape)
        error = numpy.abs(got - truth).max()
        self._note(quantity, error / max(1, numpy.abs(truth).max()) if relative else error)

    def _policy(self, mine, want):
        for name in ("batch", "rows", "drawn", "turn", "clipped"):
            if want.get(name) is not None:
                self._must(f"policy {name}", mine.get(name) == want[name])
        for quantity, name, floor in (
                ("policy_objective", "objective", 1), ("policy_objective", "value_loss", 1),
                ("policy_grad_l2", "grad_l2", 1e-3), ("policy_grad_l2", "value_grad_l2", 1e-3),
                ("norms", "param_l2", 0), ("norms", "value_l2", 0)):
            if want.get(name) is not None:
                self._relative(quantity, mine.get(name, float("nan")), want[name], floor)
        for name in ("rho_l", "rho_f", "log_std"):
            if want.get(name) is not None:
                for a, b in zip(mine[name], want[name], strict=True):
                    self._note("rho", abs(a - b))

    # After the last

    def _final(self):
        arrays, momenta = self._arrays()
        whole = sum(m ** 2 for m in momenta.values()) ** 0.5
        names = [want["name"] for want in self.truth["final"]["tensors"]]
        self._must("arrays", sorted(names) == sorted(arrays))
        for want in self.truth["final"]["tensors"]:
            name = want["name"]
            if name not in arrays:
                continue
            self._array("tensors", arrays[name], want, name)
            self._must(f"momentum of {name}", (want["momentum_l2"] is None) == (name not in momenta))
            if want["momentum_l2"] is not None:
                l2 = want["momentum_l2"]
                self._note("momentum", abs(momenta.get(name, float("nan")) - l2) / (l2 + 1e-6 * whole))
        truth = numpy.array(self.truth["final"]["eval_logits"])
        self._note("eval_logits", numpy.abs(self._evaluated().numpy() - truth).max() / numpy.abs(truth).max())
        counters = {n: int(b) for n, b in self.training.student.named_buffers() if n.endswith("num_batches_tracked")}
        batches = self.truth["final"]["bn_batches"]
        self._must("bn_batches", sorted(set(counters.values())) == batches["student"])
        for name, group in (("regressors", "regressor."), ("projectors", "nd.")):
            own = [int(b) for n, b in self.training.method.trained.named_buffers()
                   if n.startswith(group) and n.endswith("num_batches_tracked")]
            self._must(f"bn_batches of {name}", own == (batches.get(name) or []))

    def _arrays(self):
        method, state = self.training.method, self.training.optimizer.state
        modules = (("student.", self.training.student), ("", method.trained), ("", method.learned))
        arrays, momenta = {}, {}
        for prefix, module in modules:
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
                if name.endswith("num_batches_tracked"):
                    continue
                arrays[prefix + name] = tensor
                buffer = state.get(tensor, {}).get("momentum_buffer")
                if buffer is not None:
                    momenta[prefix + name] = _norm([buffer])
        return arrays, momenta


def _norm(tensors) -> float:
    return sum(t.detach().double().square().sum().item() for t in tensors) ** 0.5
