"""The random generators of a process, and the switches that decide which bits torch computes."""
from __future__ import annotations

import random
import sys

from . import encoding
from .errors import TrainerError


class Generators:
    """The generators of this process as one run uses them.

    One that nobody has drawn from since the run began is left out of its state: what it holds decides nothing, and where
    nobody seeds it, it is another in each process.
    """

    def __init__(self):
        self._unused: dict = {}

    def begin(self) -> None:
        """From here on, it counts who draws."""
        self._unused = saved()

    def used(self) -> dict:
        """The states of those that have been drawn from, or came later."""
        states = saved()
        for name, state in list(self._unused.items()):
            if encoding.encode(states[name]) == encoding.encode(state):
                del states[name]
            else:
                del self._unused[name]
        return states

    def whole(self, states: dict) -> dict:
        """Those that `used` returned, and the others as they were when the run began."""
        return {**self._unused, **states}

    def restore(self, states: dict) -> None:
        """Sets all generators to what `whole` says of them."""
        restore(self.whole(states))

    def resume(self, states: dict) -> None:
        """Sets the generators of a process that goes on with a run."""
        restore(states)
        self._unused = {name: state for name, state in saved().items() if name not in states}


def saved() -> dict:
    """The states of all generators of this process: Python's, numpy's and torch's on the CPU and on every CUDA device."""
    states = {"python": random.getstate()}
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        states["numpy"] = tuple(numpy.random.get_state())
    if torch is not None:
        states["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            states["cuda"] = list(torch.cuda.get_rng_state_all())
    return states


def restore(states: dict) -> None:
    """Sets generators to states that `saved` returned."""
    if "python" in states:
        random.setstate(states["python"])
    if "numpy" in states:
        import numpy
        numpy.random.set_state(states["numpy"])
    if "torch" in states:
        import torch
        torch.set_rng_state(states["torch"])
    if "cuda" in states:
        import torch
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count < len(states["cuda"]):
            raise TrainerError(
                f"The checkpoint holds generators of {len(states['cuda'])} CUDA devices, and this process sees {count}. "
                "Go on where it began, or remove the run's folder to begin again.")
        for index, state in enumerate(states["cuda"]):
            torch.cuda.set_rng_state(state, index)


# Name, how it is read, how it is set: whatever of it a version of torch does not have is left out.
def _switches(torch):
    backends = torch.backends
    for name, owner in (
        ("cudnn.enabled", backends.cudnn), ("cudnn.benchmark", backends.cudnn),
        ("cudnn.deterministic", backends.cudnn), ("cudnn.allow_tf32", backends.cudnn),
        ("cuda.matmul.allow_tf32", backends.cuda.matmul),
        ("cuda.matmul.allow_fp16_reduced_precision_reduction", backends.cuda.matmul),
    ):
        yield name, owner, name.rpartition(".")[2]


def switches() -> dict | None:
    """The settings of torch that decide bits; None where torch is not loaded."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    values = {name: getattr(owner, attribute) for name, owner, attribute in _switches(torch)}
    values["deterministic"] = torch.are_deterministic_algorithms_enabled()
    values["warn_only"] = torch.is_deterministic_algorithms_warn_only_enabled()
    # Sums are divided among threads, so their number decides bits as well.
    values["threads"] = torch.get_num_threads()
    return values


def set_switches(values: dict | None) -> None:
    """Sets what `switches` returned."""
    if values is None:
        return
    import torch
    for name, owner, attribute in _switches(torch):
        if name in values and getattr(owner, attribute) != values[name]:
            setattr(owner, attribute, values[name])
    torch.use_deterministic_algorithms(values["deterministic"], warn_only=values["warn_only"])
    if torch.get_num_threads() != values["threads"]:
        torch.set_num_threads(values["threads"])


def make_deterministic() -> None:
    """Asks torch for the algorithms that repeat to the bit; those that do not exist it reports as warnings."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    torch.backends.cudnn.benchmark = False
    if not torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(True, warn_only=True)
