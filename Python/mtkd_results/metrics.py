"""Which metric a sweep's table is of, which of its values are the better ones, and
what may choose an epoch."""
from __future__ import annotations

import dataclasses

# Sweeps that were stored before metrics were declared are of the classification task.
_HEADLINE = {"name": "test.acc1", "direction": "higher", "headline": True}
_EARLY = [
    _HEADLINE, {"name": "test.loss", "direction": "lower"}, {"name": "validation.acc1", "direction": "higher"},
    {"name": "validation.loss", "direction": "lower"}]


@dataclasses.dataclass
class Metric:
    """`is_higher_better` is None where nobody said."""

    name: str
    is_higher_better: bool | None = None
    is_headline: bool = False
    is_of_trainer: bool = False

    @property
    def validation_name(self) -> str | None:
        is_test = self.name.startswith(("test.", "test/"))
        return "validation" + self.name[len("test"):] if is_test else None


class Declared:
    """The metrics that the runs of a sweep declare."""

    def __init__(self, members: list[dict]):
        self.values: dict[str, Metric] = {}
        for member in members:
            direction = {"higher": True, "lower": False}.get(member.get("direction"))
            metric = Metric(member["name"], direction, member.get("headline", False), member.get("trainer", False))
            known = self.values.setdefault(metric.name, metric)
            if None not in (direction, known.is_higher_better) and direction != known.is_higher_better:
                known.is_higher_better = None

    def __getitem__(self, name: str) -> Metric:
        if name in self.values:
            return self.values[name]
        is_cost = name.startswith("measured.") and ("seconds" in name.lower() or name.endswith("Megabytes"))
        return Metric(name, False if is_cost else None)

    @property
    def headline(self) -> Metric | None:
        return next((metric for metric in self.values.values() if metric.is_headline), None)

    def metric(self, report: dict) -> Metric:
        metric = self[report["metric"]] if report["metric"] else self.headline or Metric("test.acc1", True, True)
        direction = {"higher": True, "lower": False}.get(report.get("direction"))
        return metric if direction is None else dataclasses.replace(metric, is_higher_better=direction)


def preferences(canonical: dict, metric: str | None) -> tuple[dict, Declared]:
    """The report block of the grid that was last run, and the metrics of its runs."""
    report = {"select": "last", "epoch": "last", "metric": None, **canonical.get("report", {})}
    if metric is not None:
        if metric != report["metric"]:
            report.pop("direction", None)
        report["metric"] = metric
    return report, Declared(canonical.get("metrics") or _EARLY)


def selectors(declared: Declared, metric: Metric) -> list[Metric]:
    """The metrics whose best value may choose a run's epoch, the preferred one first."""
    def twin(of):
        if of is None or of.validation_name is None:
            return None
        found = declared[of.validation_name]
        return found if found.is_higher_better is not None else Metric(found.name, of.is_higher_better)

    known = declared.values.get(metric.name)
    order = (declared.headline, metric) if known and not known.is_of_trainer else (metric, declared.headline)
    found: list[Metric] = []
    for selector in map(twin, order):
        if selector and selector.is_higher_better is not None and selector not in found:
            found.append(selector)
    return found
