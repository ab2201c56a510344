"""Whether the tables of a store hold what was written there.

The bytes that digests are over are those of `Sources/Storage/ResultStore+Digests.swift`: each value with its
type, and with its length where that varies.
"""
from __future__ import annotations

import hashlib
import struct


def value(item) -> bytes:
    """One value of SQLite as digests take it."""
    if item is None:
        return b"\x05"
    if isinstance(item, int):
        return b"\x01" + struct.pack("<q", item)
    if isinstance(item, float):
        return b"\x02" + struct.pack("<d", item)
    kind, data = (b"\x03", raw(item)) if isinstance(item, str) else (b"\x04", bytes(item))
    return kind + struct.pack("<Q", len(data)) + data


def raw(text: str) -> bytes:
    """The bytes of a text as the file has them."""
    return text.encode("utf-8", "surrogateescape")


def values(row) -> bytes:
    return b"".join(value(item) for item in row)


class _Fields:
    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, name: str, data: bytes) -> None:
        for part in (name.encode(), data):
            self._hash.update(struct.pack("<Q", len(part)) + part)

    def digest(self) -> bytes:
        return self._hash.digest()


def of_stage(db, stage: int) -> tuple[bytes, bytes]:
    """The digests of a stage by its rows as they are now: over all but its epochs, and over its epochs."""
    def rows(sql):
        return db.execute(sql, (stage,)).fetchall()

    summary, epochs = _Fields(), _Fields()
    summary.add("stage", b"".join(
        values(row) for row in rows(
            "SELECT key, kind, title, spec, state, cause, reason, epoch, step FROM stage WHERE id = ?")))
    totals, metrics = [], {}
    for name, epoch, number in rows(
        "SELECT n.name, m.epoch, m.value FROM metric m JOIN name n ON n.id = m.name WHERE m.stage = ? "
        "ORDER BY m.name, m.epoch"
    ):
        if epoch == -1:
            totals.append((name, value(number)))
        else:
            metrics.setdefault(name, []).append(values((epoch, number)))
    for name, number in sorted(totals, key=lambda total: raw(total[0])):
        summary.add("total", raw(name))
        summary.add("value", number)
    summary.add("attempts", b"".join(
        values(row) for row in rows(
            "SELECT number, step, provenance, outcome, reason FROM attempt WHERE stage = ? ORDER BY number")))
    summary.add("checkpoints", b"".join(
        values(row) for row in rows(
            "SELECT k.kind, k.epoch, k.step, c.digest, c.size FROM checkpoint k JOIN content c ON c.id = k.content "
            "WHERE k.stage = ? ORDER BY k.kind")))
    epochs.add("epochs", b"".join(
        values(row) for row in rows("SELECT epoch, step, attempt, state FROM epoch WHERE stage = ? ORDER BY epoch")))
    for name in sorted(metrics, key=raw):
        epochs.add("metric", raw(name))
        epochs.add("values", b"".join(metrics[name]))
    return summary.digest(), epochs.digest()


def of_points(db, sweep: int) -> bytes:
    data = b"".join(
        key + struct.pack("<q", seed) + raw(labels) + b"\0" for key, seed, labels in db.execute(
            "SELECT key, seed, labels FROM point WHERE sweep = ? ORDER BY ordinal", (sweep,)))
    return hashlib.sha256(data).digest()


def of_head(db, sweep: int) -> bytes:
    """Over all of a sweep but its points."""
    data = b"".join(values(row) for row in db.execute(
        "SELECT name, grid, canonical, columns, asked, digest, created FROM sweep WHERE id = ?", (sweep,)))
    if has(db, "need"):
        data += b"".join(values(row) for row in db.execute(
            "SELECT key, spec FROM need WHERE sweep = ? ORDER BY key", (sweep,)))
    return hashlib.sha256(data).digest()


def has(db, table: str) -> bool:
    """Whether a store has a table: an older program's may lack it."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone() is not None


def damages(db, sweep: int, name: str) -> list[str]:
    """What of a sweep is not what was written; a sentence each. Stores from before digests
    have nothing to compare."""
    found = []
    (points,) = db.execute("SELECT digest FROM sweep WHERE id = ?", (sweep,)).fetchone()
    if of_points(db, sweep) != points:
        found.append(f"the sweep {name}: its runs, their seeds or their labels were changed after they were written")
    if not has(db, "stage_digest"):
        return found
    head = db.execute("SELECT digest FROM sweep_digest WHERE sweep = ?", (sweep,)).fetchone()
    if head and head[0] != of_head(db, sweep):
        found.append(f"the sweep {name}: its grid or its head was changed after it was written")
    stages = db.execute(
        "SELECT t.id, t.title, d.summary, d.epochs FROM stage t JOIN stage_digest d ON d.stage = t.id "
        "WHERE t.id IN (SELECT t.id FROM point p JOIN stage t ON t.key = p.key WHERE p.sweep = ?) ORDER BY t.key",
        (sweep,)).fetchall()
    for stage, title, summary, epochs in stages:
        was = of_stage(db, stage)
        if was[0] != summary:
            found.append(
                f"{title}: its specification, state, final numbers, attempts or checkpoints were changed after they "
                "were written")
        if was[1] != epochs:
            found.append(f"{title}: its epochs were changed after they were written")
    return found
