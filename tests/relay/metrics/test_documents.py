"""The page about the metrics and Grafana's file know what there is, all of it, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from relay.metrics import failures, levels, refusals, registry, traffic, turns

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
BOARD: dict[str, Any] = json.loads(
    (ROOT / "docs" / "grafana" / "talking-doll.json").read_text(encoding="utf-8")
)

#: What the modules above have made; they are named so that they are loaded.
MODULES = (failures, levels, refusals, registry, traffic, turns)

_SUFFIXES = {
    Counter: ("_total",),
    Gauge: ("",),
    Histogram: ("_bucket", "_count", "_sum"),
}


def series() -> dict[str, set[str]]:
    """The name of each series that `/metrics` may hold, and its labels."""
    found: dict[str, set[str]] = {}
    for metric in registry.REGISTRY._collector_to_names:
        if isinstance(metric, MetricWrapperBase):
            for suffix in _SUFFIXES[type(metric)]:
                labels = {*metric._labelnames, *({"le"} if suffix == "_bucket" else ())}
                found[metric._name + suffix] = labels
    for family in registry.REGISTRY.collect():  # of the process: no metric of our own
        for sample in family.samples:
            found.setdefault(sample.name, set(sample.labels))
    return found


def expressions() -> Iterator[str]:
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def used(expression: str) -> tuple[set[str], set[str]]:
    """The series and the labels that a query names."""
    names = set(re.findall(r"\b(?:doll|process)_\w+", expression))
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", expression))
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        labels |= {label.strip() for label in by.split(",")}
    return names, labels


def test_the_board_asks_for_nothing_that_is_not_there() -> None:
    known = series()
    for expression in expressions():
        names, labels = used(expression)
        assert names, expression
        for name in names:
            assert name in known, f"{expression}: {name}"
            assert labels <= known[name], f"{expression}: {labels - known[name]}"


def test_a_legend_names_labels_that_its_query_keeps() -> None:
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            wanted = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            names, labels = used(target["expr"])
            if "by (" in target["expr"]:
                assert wanted <= labels, target
            else:
                assert all(wanted <= series()[name] for name in names), target


def test_the_board_shows_all_that_is_ours() -> None:
    shown = set().union(*(used(expression)[0] for expression in expressions()))
    for name in series():
        if name.startswith("doll_"):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert any(one.startswith(base) for one in shown), name


def test_panels_have_numbers_of_their_own_and_do_not_lie_on_each_other() -> None:
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def test_the_page_names_each_metric_with_its_labels_and_no_other() -> None:
    told = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(r"^\| `(doll_\w+)` \| ([^|]*) \|", PAGE, re.MULTILINE)
    }
    there: dict[str, set[str]] = {}
    for name, labels in series().items():
        if name.startswith("doll_"):
            there[re.sub(r"_(bucket|sum|count)$", "", name)] = labels - {"le"}
    assert told == there
