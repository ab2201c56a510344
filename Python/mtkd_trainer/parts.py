"""The parts of a run's state: whatever can say what it holds and take it back."""
from __future__ import annotations

import random
import sys

from .errors import TrainerError


def save(name: str, part):
    """What a part holds, as a value that a checkpoint can hold."""
    if _has(part, "state_dict"):
        return part.state_dict()
    if isinstance(part, random.Random):
        return part.getstate()
    if _is_numpy_generator(part):
        return part.bit_generator.state
    if _is_torch_generator(part):
        return part.get_state()
    if _is_loader(part):
        return {place: save(f"{name}.{place}", source) for place, source in _sources(part)}
    raise TrainerError(
        f"resume({name}=…) got a {type(part).__name__}, which has no state_dict() and is no generator or loader. Give it "
        "state_dict() and load_state_dict(), or keep what it holds in state.kept.")


def load(name: str, part, value) -> None:
    """Gives a part back what `save` returned."""
    try:
        if _has(part, "state_dict"):
            part.load_state_dict(value)
        elif isinstance(part, random.Random):
            part.setstate(value)
        elif _is_numpy_generator(part):
            part.bit_generator.state = value
        elif _is_torch_generator(part):
            part.set_state(value)
        else:
            for place, source in _sources(part):
                if place in value:
                    load(f"{name}.{place}", source, value[place])
    except TrainerError:
        raise
    except Exception as error:
        raise TrainerError(
            f"The checkpoint's {name} does not fit the {type(part).__name__} of this script: {error}. A script that was "
            "changed begins anew: its file belongs beside the grid, where mtkd-sweep sees the change.") from error


def is_source(part) -> bool:
    """Whether random numbers or the order of batches come from a part."""
    is_generator = isinstance(part, random.Random) or _is_numpy_generator(part) or _is_torch_generator(part)
    return is_generator or _is_loader(part)


def warnings(name: str, part) -> list[str]:
    """Sentences about what of a part cannot come back bit for bit."""
    if getattr(part, "persistent_workers", False) and getattr(part, "num_workers", 0) > 0:
        return [
            f"{name} keeps its workers from epoch to epoch (persistent_workers=True): their generators cannot be "
            "saved, so what they draw after a resume differs. persistent_workers=False repeats to the bit."]
    return []


def _has(part, method: str) -> bool:
    return callable(getattr(part, method, None)) and callable(getattr(part, f"load_{method}", None))


def _is_numpy_generator(part) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(part, (numpy.random.Generator, numpy.random.RandomState)) and hasattr(
        part, "bit_generator")


def _is_torch_generator(part) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(part, torch.Generator)


def _is_loader(part) -> bool:
    return hasattr(part, "dataset") and hasattr(part, "sampler")


def _sources(loader):
    """Where a loader keeps a state of its own: each once, by the first name that leads to it."""
    seen = set()
    batches = getattr(loader, "batch_sampler", None)
    candidates = [("generator", getattr(loader, "generator", None))]
    for place, sampler in (
        ("sampler", loader.sampler), ("batch_sampler", batches), ("batches", getattr(batches, "sampler", None)),
    ):
        candidates.append((place, sampler if _has(sampler, "state_dict") else None))
        candidates.append((f"{place}.generator", getattr(sampler, "generator", None)))
    for place, source in candidates:
        if source is not None and id(source) not in seen:
            seen.add(id(source))
            yield place, source
