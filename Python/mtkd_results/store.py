"""A store of results, opened read-only: `open`."""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import sqlite3

from . import digests, statistics
from .metrics import preferences, selectors

_MARK = 0x6D746B64


class ResultsError(Exception):
    """Something about a store: the sentence says what, where and the next step."""


def open(path: str = "results") -> "Results":
    """The store of a folder, or a file that `mtkd-sweep backup` or `archive` made."""
    return Results(path)


class Results:
    """What a store holds. Every call reads it anew and in one piece, so a sweep may go on meanwhile."""

    def __init__(self, path: str):
        self.path = os.fspath(path)
        self.file = os.path.join(self.path, "store.sqlite") if os.path.isdir(self.path) else self.path
        if not os.path.isfile(self.file):
            raise ResultsError(f"There is no store at {self.path}: mtkd-sweep run makes one (--store says where).")
        with self._reading() as db:
            if db.execute("PRAGMA application_id").fetchone()[0] != _MARK:
                raise ResultsError(f"{self.file} is a database, and not a store of mtkd-sweep.")

    @contextlib.contextmanager
    def _reading(self):
        uri = pathlib.Path(os.path.abspath(self.file)).as_uri() + "?mode=ro"
        try:
            with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None)) as db:
                db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
                db.execute("BEGIN")
                yield db
        except sqlite3.DatabaseError as error:
            raise ResultsError(
                f"{self.file} cannot be read ({error}). If a process was killed while it wrote, mtkd-sweep status puts "
                "the file right; mtkd-sweep fsck says what is damaged.") from error

    # What is in it

    def sweeps(self) -> list[str]:
        """The names of the sweeps."""
        with self._reading() as db:
            return [name for (name,) in db.execute("SELECT name FROM sweep ORDER BY name")]

    def runs(self, sweep: str | None = None, metric: str | None = None, settings: bool = False):
        """The runs of a sweep in the order of its plan: labels, seed, key, state and why, and their numbers.

        `value` is the number that the report of the sweep's grid takes, `last` that of the last
        epoch, `best` the best of any epoch. With `settings`, every setting of a run is a column too,
        such as `recipe.learningRate`.
        """
        with self._reading() as db:
            head = self._head(db, sweep, metric)
            return _frame([self._row(run, head, settings) for run in head.runs(db)])

    def epochs(self, sweep: str | None = None):
        """The epochs of all runs of a sweep, each with its metrics and the digest of the state after it.

        Epochs count from 1, as in tables and exports. A number that is not finite is NaN. A metric that is
        called like one of the other columns, such as `learningRate`, is `metric.learningRate`.
        """
        with self._reading() as db:
            head, rows = self._head(db, sweep, None), []
            for run in head.runs(db):
                found: dict[int, dict] = {}
                for epoch, step, state in db.execute(
                    "SELECT epoch, step, state FROM epoch WHERE stage = ? ORDER BY epoch", (run["stage"],)
                ):
                    found[epoch] = {
                        **dict(zip(head.columns, run["labels"])), "seed": run["seed"], "key": run["key"],
                        "epoch": epoch + 1, "step": step, "digest": state.hex()}
                for epoch, name, value in db.execute(
                    "SELECT m.epoch, n.name, m.value FROM metric m JOIN name n ON n.id = m.name "
                    "WHERE m.stage = ? AND m.epoch >= 0 ORDER BY m.epoch, n.name", (run["stage"],)
                ):
                    if epoch in found:
                        # A metric may be called like a setting.
                        name = f"metric.{name}" if name in head.taken else name
                        found[epoch][name] = float("nan") if value is None else value
                rows += found.values()
            return _frame(rows)

    def cells(self, sweep: str | None = None, metric: str | None = None, allow_mixed: bool = False):
        """The cells of a sweep's table: the columns of `mtkd-sweep report --format csv`
        but for the two of ranks.

        Where programs of different numerics made the numbers of a cell they are
        withheld, unless `allow_mixed`.
        """
        with self._reading() as db:
            head = self._head(db, sweep, metric)
            groups: dict[str, list] = {}
            for run in head.runs(db):
                groups.setdefault(json.dumps(run["labels"]), []).append(run)
            return _frame([_cell(runs, head, allow_mixed) for runs in groups.values()])

    def weights(self, key: str, which: str = "best", kind: str = "numpy") -> dict:
        """The weights of a run by their names: arrays of numpy, or tensors
        (`kind="torch"`), as a state dictionary.

        `key` is that of `runs()`, or its beginning; `which` is `best`, `last` or `final`. They come from the
        folder of the run and are compared with the store's digest.
        """
        from mtkd_trainer import read_safetensors
        with self._reading() as db:
            stages = db.execute(
                "SELECT id, lower(hex(key)) FROM stage WHERE lower(hex(key)) LIKE ? AND state = 'finished'",
                (key.lower().replace("%", "") + "%",)).fetchall()
            if len(stages) != 1:
                raise ResultsError(f"{len(stages)} finished runs have a key that begins with {key}; one is needed.")
            stage, whole = stages[0]
            folder = os.path.join(os.path.dirname(self.file), "stages", whole, "output")
            for name, wanted in (
                (f"{which}.safetensors", self._digest(db, stage, which)), ("weights.safetensors", None),
            ):
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    self._compare(path, wanted or _published(folder, name))
                    return _model(read_safetensors(path, kind))
        raise ResultsError(
            f"The weights of {whole[:10]} are not in {folder}. If gc has removed the folder, mtkd-sweep export weights "
            "takes them out of the database.")

    # How it reads

    def _digest(self, db, stage, which):
        row = db.execute(
            "SELECT c.digest FROM checkpoint k JOIN content c ON c.id = k.content WHERE k.stage = ? AND k.kind = ?",
            (stage, which)).fetchone()
        return row and row[0].hex()

    def _compare(self, path, wanted):
        with pathlib.Path(path).open("rb") as file:
            if wanted is None or hashlib.sha256(file.read()).hexdigest() != wanted:
                raise ResultsError(f"{path} is not what was published: its digest differs. mtkd-sweep fsck says more.")

    def _head(self, db, sweep, metric) -> "_Sweep":
        names = [name for (name,) in db.execute("SELECT name FROM sweep ORDER BY name")]
        if sweep is None and len(names) == 1:
            sweep = names[0]
        if sweep not in names:
            known = ", ".join(names) or "none"
            raise ResultsError(
                f"Which sweep of {self.path}? It has {known}." if sweep is None
                else f"There is no sweep {sweep!r} in {self.path}. It has {known}.")
        (number,) = db.execute("SELECT id FROM sweep WHERE name = ?", (sweep,)).fetchone()
        damages = digests.damages(db, number, sweep)
        if damages:
            raise ResultsError(
                f"{self.file} is not what was written, so its numbers are not shown:\n  " + "\n  ".join(damages)
                + "\nmtkd-sweep fsck checks all of it.")
        return _Sweep(db, number, metric)

    def _row(self, run, head, settings) -> dict:
        row = {
            **dict(zip(head.columns, run["labels"])), "seed": run["seed"], "key": run["key"], "state": run["word"],
            "reason": run["reason"], "metric": head.metric.name, "value": run["value"], "last": run["last"],
            "best": run["best"], "epochs": run["epochs"], "program": ", then ".join(run["programs"]) or None}
        if settings and run["spec"]:
            row.update(_flat(json.loads(run["spec"])["spec"]))
        return row


class _Sweep:
    """What of a sweep its table depends on, and its runs."""

    def __init__(self, db, number, metric):
        self.number = number
        columns, canonical = db.execute("SELECT columns, canonical FROM sweep WHERE id = ?", (number,)).fetchone()
        self.columns = json.loads(columns)
        self.taken = {*self.columns, "seed", "key", "epoch", "step", "digest"}
        self.report, declared = preferences(json.loads(canonical), metric)
        self.metric = declared.metric(self.report)
        known = {name: row for row, name in db.execute("SELECT id, name FROM name")}
        self._row = known.get(self.metric.name)
        self._selectors = [
            (known[selector.name], selector) for selector in selectors(declared, self.metric) if selector.name in known]

    def runs(self, db) -> list[dict]:
        runs = []
        for key, seed, labels, stage, spec, state, cause, reason in db.execute(
            "SELECT p.key, p.seed, p.labels, t.id, t.spec, t.state, t.cause, t.reason FROM point p "
            "LEFT JOIN stage t ON t.key = p.key WHERE p.sweep = ? ORDER BY p.ordinal", (self.number,)
        ).fetchall():
            run = {
                "key": key.hex(), "seed": seed, "labels": [_label(label) for label in json.loads(labels)], "stage": stage, "spec": spec,
                "word": "diverged" if cause == "diverged" else state or "open", "reason": reason}
            self._read(db, run)
            runs.append(run)
        return _counting_seals(db, runs)

    def _read(self, db, run) -> None:
        def first(sql, *arguments):
            return db.execute(sql, arguments).fetchone()

        stage, name = run["stage"], self._row
        end = first("SELECT epoch FROM epoch WHERE stage = ? ORDER BY epoch DESC LIMIT 1", stage)
        where = "SELECT epoch, value FROM metric WHERE stage = ? AND name = ? AND "
        total = first(where + "epoch = -1", stage, name)
        late = first(where + "epoch >= 0 ORDER BY epoch DESC LIMIT 1", stage, name)
        run["epochs"] = end[0] + 1 if end else 0
        takes_late = late and end and (late[0] == end[0] or self.report["epoch"] == "lastReported")
        run["last"] = total[1] if total else late[1] if takes_late else None
        direction = self.metric.is_higher_better
        best = None
        if direction is not None:
            order = "DESC" if direction else "ASC"
            best = first(
                where + f"epoch >= 0 AND value IS NOT NULL ORDER BY value {order}, epoch LIMIT 1", stage, name)
        run["best"] = best[1] if best else total[1] if total and direction is not None else None
        run["value"] = self._choice(run, self._validated(first, stage))
        run["programs"] = []
        for (text,) in db.execute(
            "SELECT provenance FROM attempt a WHERE stage = ? AND provenance IS NOT NULL AND EXISTS "
            "(SELECT 1 FROM epoch e WHERE e.stage = a.stage AND e.attempt = a.number) ORDER BY number", (stage,)
        ):
            program = numerics(json.loads(text))
            if program not in run["programs"]:
                run["programs"].append(program)

    def _validated(self, first, stage):
        for row, selector in self._selectors:
            order = "DESC" if selector.is_higher_better else "ASC"
            found = first(
                "SELECT m.value FROM metric v JOIN metric m ON m.stage = v.stage AND m.epoch = v.epoch AND m.name = ? "
                "WHERE v.stage = ? AND v.name = ? AND v.epoch >= 0 AND v.value IS NOT NULL "
                f"ORDER BY v.value {order}, v.epoch LIMIT 1", self._row, stage, row)
            if found:
                return found[0]
        return None

    def _choice(self, run, validated):
        if run["word"] != "finished":
            return None
        choice = self.report["select"]
        if choice == "bestOnTest":
            return run["best"] if run["best"] is not None else run["last"]
        return validated if choice == "bestOnValidation" else run["last"]


def numerics(provenance: dict) -> str:
    """What may have decided the bits of a result: results with one text may stand in one cell."""
    commit = provenance.get("commit")
    program = commit if commit and not commit.endswith("-dirty") else (provenance.get("program") or "")[:10]
    return f"mtkd-sweep {provenance['version']} ({program or 'unknown build'}), {provenance['profile']}"


def _counting_seals(db, runs):
    """A run that was executed again under another program with the same bits counts as that program's."""
    if len({program for run in runs for program in run["programs"]}) < 2 or not digests.has(db, "verification"):
        return runs
    newest = {}
    for key, equal, text in db.execute(
        "SELECT s.key, v.equal, v.provenance FROM verification v JOIN stage s ON s.id = v.stage ORDER BY v.at"
    ):
        newest[key.hex()] = numerics(json.loads(text)) if equal else None
    counts: dict[str, int] = {}
    for run in runs:
        makers = set(run["programs"]) if len(run["programs"]) == 1 else set()
        for maker in makers | ({newest[run["key"]]} - {None} if run["key"] in newest else set()):
            counts[maker] = counts.get(maker, 0) + 1
    for run in runs:
        other = newest.get(run["key"])
        own = counts.get(run["programs"][0], 0) if len(run["programs"]) == 1 else 0
        if other and run["programs"] != [other] and counts.get(other, 0) > own:
            run["programs"] = [other]
    return runs


def _cell(runs, head, allow_mixed) -> dict:
    runs = sorted(runs, key=lambda run: run["seed"])
    taken = [run for run in runs if run["value"] is not None]
    mixed = len({", then ".join(run["programs"]) for run in taken}) > 1 or any(len(run["programs"]) > 1 for run in runs)
    values = [] if mixed and not allow_mixed else [run["value"] for run in taken]
    row = dict(zip(head.columns, runs[0]["labels"]))
    row.update(n=len(values), asked=len(runs), select=head.report["select"])
    sample = statistics.sample(values) or {}
    reach = statistics.interval(len(values), sample["mean"], sample["std"]) if sample else None
    boot = statistics.bootstrap(values)
    row.update(mean=sample.get("mean"), std=sample.get("std"), median=sample.get("median"))
    row["ci95_low"], row["ci95_high"] = reach or (None, None)
    row["boot95_low"], row["boot95_high"] = boot or (None, None)
    for name in ("last", "best"):
        beside = [run[name] for run in taken if run[name] is not None]
        # What stands beside the headline is of the same seeds, or of none.
        beside = statistics.sample(beside) if values and len(beside) == len(taken) else None
        row[f"{name}_mean"], row[f"{name}_std"] = (beside["mean"], beside["std"]) if beside else (None, None)
    row.update(metric=head.metric.name, ddof=1, gaps=[run["seed"] for run in runs if run["value"] is None])
    programs = list(dict.fromkeys(", then ".join(run["programs"]) for run in taken))
    row["programs"] = programs
    return row


def _published(folder, name):
    with contextlib.suppress(OSError, ValueError, KeyError):
        manifest = json.loads(pathlib.Path(folder, "manifest.json").read_text())
        return {file["name"]: file["digest"] for file in manifest["files"]}.get(name)
    return None


def _model(arrays):
    """Without what a snapshot of mtkd-sweep holds beside the network."""
    prefix = "model/"
    own = {name[len(prefix):]: value for name, value in arrays.items() if name.startswith(prefix)}
    return own or arrays


def _label(value):
    """A label as tables show it: numbers and words stay, a network is
    `cifar_resnet(depth=8,widths=[4,4,8])`."""
    return _title(value) if isinstance(value, (dict, list)) else value


def _title(value) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("family"), str):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    members = [f"{name}={_title(item)}" for name, item in sorted(value.items()) if name != "family"]
    return f"{value['family']}({','.join(members)})"


def _flat(value, path="") -> dict:
    flat = {}
    for name, item in value.items():
        place = f"{path}{name}"
        flat.update(_flat(item, f"{place}.") if isinstance(item, dict) else {place: item})
    return flat


def _frame(rows: list[dict]):
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows)
