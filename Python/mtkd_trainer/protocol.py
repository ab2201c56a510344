"""The lines between a trainer and mtkd-sweep: one request in, records out (docs/trainers.md)."""
from __future__ import annotations

import json
import math
import os
import sys

from .errors import TrainerError

#: Environment variable that mtkd-sweep sets for every trainer.
MARK = "MTKD_SWEEP_TRAINER"


def alone(folder: str, epochs: int, seed: int = 0, **settings) -> dict:
    """A request for a run without mtkd-sweep, to try a script by hand: `Run(alone("runs/try", epochs=2))`.

    `settings` become the recipe, such as `learningRate=0.1`.
    """
    os.makedirs(folder, exist_ok=True)
    return {
        "protocol": 1, "folder": os.path.abspath(folder), "reported": 0, "key": "", "slot": 1, "dataset": None,
        "teachers": [], "run": {"seed": seed, "recipe": {"epochs": epochs, **settings}},
    }


_line: str | None = None


def _first_line() -> str:
    """The one line of the standard input, which `describe` and `Run` both look at."""
    global _line
    if _line is None:
        _line = sys.stdin.readline()
    return _line


def describe(methods: list, networks: list | None = None, metrics: dict | None = None, tasks: list | None = None,
             devices: list | None = None, teachers: bool = False, teacher_outputs: str | dict | None = None) -> None:
    """Says what this trainer can do and ends the process, where mtkd-sweep asks for that; else does nothing.

    It comes before `Run()` and before whatever takes long, for grids with `"protocol": 2`.

    - methods: names, or `{"name": …, "summary": …, "teachers": True, "options": {"temperature": {"kind": "number",
      "default": 4}}}`.
    - networks: names of students; None for any.
    - teachers: whether the teachers of its students are trained here too, as runs whose `role` is `teacher`.
    - teacher_outputs: what is written down of them where `outputs_asked()` asks: `"logits"`, or `{"features": N}` with the
      most numbers of features of one view.
    - metrics: `{"test.acc1": {"unit": "%", "direction": "higher", "headline": True}}`.
    """
    if MARK not in os.environ:
        return
    try:
        asked = json.loads(_first_line()).get("ask")
    except (ValueError, AttributeError):
        return
    if asked != "describe":
        return
    members = {
        "methods": methods, "networks": networks, "metrics": metrics, "tasks": tasks, "devices": devices,
        "teachers": True if teachers else None, "teacherOutputs": teacher_outputs}
    said = {name: value for name, value in members.items() if value is not None}
    print(json.dumps({"record": "description", **said}), flush=True)
    raise SystemExit(0)


def read_request() -> dict:
    """The request of mtkd-sweep, from the standard input."""
    if MARK not in os.environ:
        raise TrainerError(
            "This script was not started by mtkd-sweep: name it in a grid's \"trainer\" (docs/trainers.md). To try it "
            "by hand, write Run(mtkd_trainer.alone(\"a-folder\", epochs=2)).")
    line = _first_line()
    try:
        request = json.loads(line)
        if request.get("ask") == "outputs":
            raise TrainerError(
                "mtkd-sweep asks for the outputs of a teacher, which describe(teacher_outputs=…) promises: call "
                "mtkd_trainer.outputs_asked() before Run() and write them down.")
        if "ask" in request:
            raise TrainerError(
                "mtkd-sweep asks what this trainer can do (\"protocol\": 2 in the grid): call mtkd_trainer.describe(…) "
                "before Run().")
        version, _, _, _ = request["protocol"], request["run"]["recipe"]["epochs"], request["folder"], request["reported"]
    except (ValueError, KeyError, TypeError) as error:
        raise TrainerError(f"The standard input is not a request of mtkd-sweep: {line[:200]!r} ({error}).") from error
    if version not in (1, 2):
        raise TrainerError(
            f"mtkd-sweep speaks version {version} of the trainers' protocol, and this mtkd_trainer knows 1 and 2: "
            "install the one that came with it (pip install Python/).")
    return request


class Records:
    """The way back: whole lines on what was the standard output when the run began.

    From then on everything else that is printed goes to the standard error, which mtkd-sweep keeps as the run's log: a
    word without an end of line would otherwise swallow the record behind it.
    """

    def __init__(self, takes_over: bool):
        self._process = os.getpid()
        if takes_over:
            sys.stdout.flush()
            self._file = os.dup(1)
            os.dup2(2, 1)
        else:
            self._file = None

    def write(self, record: str, **members) -> None:
        """Writes one record; members that are None are left out."""
        if os.getpid() != self._process:
            raise TrainerError(
                "A process that was forked from the trainer reports for it. Only the one that made the Run does.")
        members = {name: value for name, value in members.items() if value is not None}
        line = json.dumps({"record": record, **members}) + "\n"
        if self._file is None:
            sys.stdout.write(line)
            sys.stdout.flush()
            return
        data = line.encode()
        while data:
            data = data[os.write(self._file, data):]


def number(name: str, value) -> float:
    """A metric as JSON has it: also a number of numpy or a tensor of one element."""
    try:
        value = float(value)
    except (TypeError, ValueError) as error:
        raise TrainerError(f"The metric {name} is {value!r}, which is no number ({error}).") from error
    return value if math.isfinite(value) else "nan"
