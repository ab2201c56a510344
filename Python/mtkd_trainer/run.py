"""A run as a training loop sees it: `Run`."""
from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
import warnings

from . import encoding, environment, generators, parts, protocol, weights
from .checkpoint import Checkpoints, require_folder, write_whole
from .dataset import PackedDataset, PhotographDataset, read_dataset
from .errors import DataError, TrainerError
from .outputs import TeacherOutputs


class Stopped(SystemExit):
    """mtkd-sweep asked the trainer to leave, and the checkpoint from which it goes on is on disk."""

    def __init__(self):
        super().__init__(128 + signal.SIGTERM)


class State:
    """What a run goes on from: its parts, how far it is, and `kept`.

    `kept` is a dictionary for plain values of the loop itself, such as a running sum or the best accuracy so far.
    """

    def __init__(self, members: dict):
        self.parts = members
        self.epoch = 0
        self.step = 0
        self.kept: dict = {}
        #: Of the last batch, for displays, where the loop sets it.
        self.loss: float | None = None
        # Steps of the epoch that is under way; 0 between epochs.
        self.done = 0
        # What random numbers came from when the epoch under way began: needed to begin it again in its middle.
        self.begin: dict | None = None


class Run:
    """One run of a sweep: reads what mtkd-sweep asks for, saves, resumes, reports.

    - request: in place of the one on the standard input, such as `mtkd_trainer.alone(…)`.
    - deterministic: whether torch is asked for algorithms that repeat to the bit. What it has none for is named in the
      log.
    """

    def __init__(self, request: dict | None = None, deterministic: bool = True):
        if deterministic:
            # Read when CUDA starts, which is later.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        self.request = request if request is not None else protocol.read_request()
        self.settings = self.request["run"]
        self.recipe = self.settings["recipe"]
        self.seed = self.settings.get("seed", 0)
        self.folder = self.request["folder"]
        self.epoch_count = self.recipe["epochs"]
        self.slot = self.request.get("slot", 1)
        self.teachers = self.request.get("teachers", [])
        #: `teacher` for one that students of this trainer share.
        self.role = self.request.get("role", "student")
        #: A metric's history: (metrics, step, digest of the state) of each epoch so far.
        self.history: list = []
        require_folder(self.folder)
        self._checkpoints = Checkpoints(self.folder)
        self._records = protocol.Records(takes_over=request is None)
        self._deterministic = deterministic
        self._state: State | None = None
        self._resumed: bytes | None = None
        self._generators = generators.Generators()
        # Of them, where the next epoch begins.
        self._drawn: dict | None = None
        self._current: int | None = None
        self._stops = self._is_entered = self._is_over = self._is_checked = self._has_stepped = False
        self._files: list[str] = []
        self._told: set[str] = set()
        self._reported: dict = {}
        self._last_progress = 0.0
        self._listen()

    # What a loop calls

    def resume(self, **members) -> State:
        """The state of the run, with the parts that are given by name, as the newest checkpoint has it.

        A part has `state_dict` and `load_state_dict` (models, optimisers, schedulers, scalers, averaged weights), or is a
        generator of Python, numpy or torch, or a data loader. The generators of the process are always part of it.
        """
        if self._state is not None:
            raise TrainerError("resume(…) was called twice. Give it all parts at once.")
        state = self._state = State(members)
        if self._deterministic:
            generators.make_deterministic()
        for name, part in members.items():
            parts.save(name, part)
            for warning in parts.warnings(name, part):
                self._tell(warning)
        profile = environment.profile()
        if profile:
            self._records.write("environment", profile=profile)
        found = self._checkpoints.newest(self._tell)
        if found:
            self._resumed, beside = found
            self.history = beside["history"]
            generators.set_switches(beside["switches"])
            self._load()
            self._generators.resume(self._drawn)
            where = f"epoch {state.epoch}" + (f", step {state.done} of it" if state.done else "")
            print(f"going on from {where}", file=sys.stderr, flush=True)
        return state

    def epochs(self, state: State | None = None):
        """The numbers of the epochs that are left, from 0 on for a run that begins."""
        state = self._own(state)
        self._say_again()
        if self._resumed is None:
            self._generators.begin()
            self._write(state)
        self._current = -1
        while state.epoch < self.epoch_count:
            epoch = self._current = state.epoch
            self._leave_if_asked()
            self._begin_epoch(state)
            yield epoch
            if state.epoch == epoch:
                raise TrainerError(
                    f"Epoch {epoch} ended and run.report({epoch}, …) was not called. Every epoch is reported.")
        self._current = None
        if not self._is_entered:
            self.finish()

    def steps(self, loader, every: int | None = None, state: State | None = None):
        """The batches of a loader in one epoch, once an epoch: of training, not of a test.

        With `every`, a checkpoint is written each so many steps. Whether with it or not, a run that is asked to stop
        leaves after the step in hand and goes on from there. The loader is run through again up to that place, so it has
        to give the same batches again where generators are the same. Sums over an epoch belong in `state.kept`.
        """
        state = self._own(state)
        if self._current is None or self._has_stepped:
            raise TrainerError("run.steps(…) is for the one training loop inside each of run.epochs(…).")
        self._has_stepped = True
        batches = iter(loader)
        total = len(loader) if hasattr(loader, "__len__") else 0
        self._skip(batches, state)
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                break
            except Exception:
                # The signal to stop reaches a loader's processes as well, and their end is an error here.
                self._leave_if_asked()
                raise
            yield batch
            state.done += 1
            state.step += 1
            self._leave_if_asked()
            if every and state.done % every == 0:
                self._write(state)
            self._progress(state.step, total * self.epoch_count)
        state.done = 0

    def report(self, epoch: int, metrics: dict, state: State | None = None) -> None:
        """Ends an epoch: first the checkpoint is on disk, then the record says so. It is the last thing of an epoch.

        `metrics` are numbers by name; accuracies in percent, such as `{"test.acc1": 93.4}`.
        """
        state = self._own(state)
        if epoch != self._current or state.epoch != epoch:
            raise TrainerError(
                f"report({epoch}, …) was called where epoch {self._current} is under way. Each is reported once.")
        values = {name: protocol.number(name, value) for name, value in metrics.items()}
        state.epoch, state.done, state.begin = epoch + 1, 0, None
        state.step = max(state.step, epoch + 1)
        if self.request.get("protocol", 1) >= 2:
            self._put_weights(_weights_of(epoch))
        self._write(state, values)
        self._say(epoch)
        if state.epoch < self.epoch_count:
            self._leave_if_asked()

    def progress(self, step: int, steps: int, loss: float | None = None) -> None:
        """For displays: how far the run is, out of how many steps."""
        self._records.write("progress", step=step, steps=steps, loss=loss)

    def publish(self, *names: str) -> None:
        """Names files of `folder` that are published with the run."""
        self._files += [name for name in names if name not in self._files]

    def fail(self, reason: str, cause: str = "other") -> None:
        """Ends the run with a failure that would happen again: a result that the table shows.

        `cause` is `diverged`, `data` or `other`.
        """
        step = self._state.step if self._state else None
        self._records.write("failed", reason=reason, cause=cause, epoch=self._current, step=step)
        self._is_over = True
        raise SystemExit(0)

    def finish(self) -> None:
        """Says that the run is done. Leaving `with Run()` does it, or else the end of `epochs`."""
        if self._is_over:
            return
        if len(self.history) < self.epoch_count:
            raise TrainerError(
                f"The run is left after {len(self.history)} of {self.epoch_count} epochs. Its loop is over "
                "run.epochs(state); run.fail(reason) ends it early.")
        self._publish_weights()
        self._records.write("finished", metrics=self.history[-1][0] if self.history else {}, files=self._files)
        self._is_over = True

    def dataset(self) -> PackedDataset | PhotographDataset:
        """The data set of the run, as mtkd-sweep hands it out."""
        return read_dataset(self.request["dataset"])

    def teacher_outputs(self) -> list[TeacherOutputs | None]:
        """Of each teacher, in the order of `teachers`: what was written down of it, or None where it is to be asked."""
        found: list[TeacherOutputs | None] = []
        for folder in self.request.get("teacherOutputs") or [None] * len(self.teachers):
            outputs, here = TeacherOutputs(folder) if folder else None, environment.profile()
            if outputs and here and outputs.profile != here:
                self._tell(f"{folder} was written under {outputs.profile}, this is {here}: the teacher is asked.")
                outputs = None
            found.append(outputs)
        return found

    def __enter__(self) -> "Run":
        self._is_entered = True
        return self

    def __exit__(self, kind, error, trace) -> None:
        if error is None:
            self.finish()
        elif isinstance(error, Exception):
            self._take_error(error)

    # How it does it

    def _own(self, state: State | None) -> State:
        if self._state is None or state not in (None, self._state):
            raise TrainerError("The state of a run is what run.resume(…) returned.")
        return self._state

    def _begin_epoch(self, state: State) -> None:
        """Sets generators to what the last checkpoint says, so that what was drawn since then changes nothing."""
        self._check(state)
        if state.begin is not None:
            state.begin["generators"] = self._generators.whole(state.begin["generators"])
            self._generators.restore(state.begin["generators"])
            for name, value in state.begin["sources"].items():
                parts.load(name, state.parts[name], value)
        elif self._drawn is not None:
            self._generators.restore(self._drawn)
        if state.done == 0:
            state.begin = {
                "generators": self._generators.whole(self._generators.used()),
                "sources": {
                    name: parts.save(name, part) for name, part in state.parts.items() if parts.is_source(part)},
            }
        self._has_stepped = False

    def _skip(self, batches, state: State) -> None:
        if state.done == 0:
            return
        if self._resumed is None:
            raise TrainerError("The epoch before was left in the middle of run.steps(…): let it run to its end.")
        for index in range(state.done):
            try:
                next(batches)
            except StopIteration:
                raise TrainerError(
                    f"The checkpoint is {state.done} steps into the epoch, and the loader ended after {index}.") from None
        # What came before this loop in the epoch has run a second time.
        begin = state.begin
        self._load()
        state.begin = begin
        self._generators.restore(self._drawn)
        self._resumed = None

    def _load(self) -> None:
        state, value = self._state, encoding.decode(self._resumed)
        missing = sorted(value["parts"].keys() ^ state.parts.keys())
        if missing:
            raise TrainerError(
                f"The checkpoint and resume(…) have different parts: {', '.join(missing)}. A script that was changed begins "
                "anew: its file belongs beside the grid, where mtkd-sweep sees the change.")
        for name, part in state.parts.items():
            parts.load(name, part, value["parts"][name])
        state.epoch, state.step, state.done = value["epoch"], value["step"], value["done"]
        state.begin = value["begin"]
        state.kept.clear()
        state.kept.update(value["kept"])
        self._drawn = value["generators"]

    def _write(self, state: State, metrics: dict | None = None) -> None:
        """Puts a checkpoint on disk; with metrics, one at the end of an epoch, which the history has from then on."""
        used = self._generators.used()
        value = {
            "epoch": state.epoch, "step": state.step, "kept": state.kept, "done": state.done,
            "begin": state.begin and {
                "generators": {
                    name: kept for name, kept in state.begin["generators"].items() if name in used},
                "sources": state.begin["sources"]},
            "generators": used,
            "parts": {name: parts.save(name, part) for name, part in state.parts.items()},
        }
        data = encoding.encode(value)
        if metrics is not None:
            self.history.append((metrics, state.step, hashlib.sha256(data).hexdigest()))
            self._watch(value)
            self._drawn = value["generators"]
        self._checkpoints.write(data, {"history": self.history, "switches": generators.switches()})

    def _watch(self, value: dict) -> None:
        """Remembers what the parts were at the first report, for `_check` when the next epoch begins."""
        if not self._is_checked:
            self._reported = {name: _digest(part) for name, part in value["parts"].items()}

    def _check(self, state: State) -> None:
        """Once a process: whether a part has changed after it was reported, which a resume would lose."""
        if self._is_checked or not self._reported:
            return
        self._is_checked = True
        changed = [
            name for name, part in state.parts.items() if _digest(parts.save(name, part)) != self._reported[name]]
        if changed:
            raise TrainerError(
                f"{' and '.join(changed)} changed after run.report(…), which a resumed run would miss. Let run.report be "
                "the last line of an epoch, after scheduler.step() and the like.")

    def _say(self, epoch: int) -> None:
        metrics, step, digest = self.history[epoch]
        name = _weights_of(epoch)
        # mtkd-sweep takes them away once it has heard of them.
        named = {"weights": name} if os.path.exists(os.path.join(self.folder, name)) else {}
        self._records.write("epoch", epoch=epoch, step=step, metrics=metrics, state=digest, **named)

    def _say_again(self) -> None:
        """A run that was killed may have checkpoints that are further than its records."""
        for epoch in range(min(self.request["reported"], len(self.history)), len(self.history)):
            self._say(epoch)

    def _progress(self, step: int, steps: int) -> None:
        now = time.monotonic()
        if now - self._last_progress > 1:
            self._last_progress = now
            self.progress(step, steps, self._state.loss)

    def _publish_weights(self) -> None:
        if self._put_weights("weights.safetensors"):
            self.publish("weights.safetensors")

    def _put_weights(self, name: str) -> bool:
        """The weights of the part `model`, where there is one, as a file of the folder."""
        if self._state is None or "model" not in self._state.parts:
            return False
        arrays = weights.of_part(parts.save("model", self._state.parts["model"]))
        if arrays is None:
            return False
        write_whole(os.path.join(self.folder, name), weights.safetensors(arrays))
        return True

    def _listen(self) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_signal)
            # Whatever started this process may have held it back.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        _hook_warnings(self._tell)
        before = sys.excepthook

        def hook(kind, error, trace):
            if isinstance(error, Exception):
                try:
                    self._take_error(error)
                except SystemExit:
                    pass
            before(kind, error, trace)
        sys.excepthook = hook

    def _on_signal(self, number, frame) -> None:
        self._stops = True
        # Nothing is under way yet that would be lost.
        if self._current is None and not self._is_over:
            raise Stopped()

    def _leave_if_asked(self) -> None:
        if not self._stops:
            return
        if self._state.done:
            self._write(self._state)
        raise Stopped()

    def _take_error(self, error: Exception) -> None:
        if self._is_over:
            return
        if self._stops:
            print(f"asked to stop, and the loop ended with {error!r}", file=sys.stderr, flush=True)
            raise Stopped() from error
        if isinstance(error, DataError):
            self.fail(f"{error}", "data")
        # It would happen again on a device of this size.
        if type(error).__name__ == "OutOfMemoryError":
            self.fail(f"Out of device memory: {error}")

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            print(f"note: {sentence}", file=sys.stderr, flush=True)


def _weights_of(epoch: int) -> str:
    return f"epoch-{epoch}.safetensors"


def _digest(value) -> str:
    return hashlib.sha256(encoding.encode(value)).hexdigest()


def _hook_warnings(tell) -> None:
    """Says once and by name what torch has no algorithm for that repeats to the bit."""
    before = warnings.showwarning

    def show(message, category, filename, lineno, file=None, line=None):
        text = str(message)
        if "does not have a deterministic implementation" in text:
            tell(f"{text.split(' ')[0]} has no algorithm that repeats to the bit: its results, and what follows "
                 "from them, may differ after a resume and in verify.")
        else:
            before(message, category, filename, lineno, file, line)
    warnings.showwarning = show
