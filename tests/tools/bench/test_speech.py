from __future__ import annotations

import json

import pytest

from tools.bench.report import Goal, Report
from tools.bench.speech import merged


def test_the_parts_make_one_report() -> None:
    hearing = Report("speech", "a", {"x_ms": 1}, {"y_ms": 2}, [Goal("y", 2, 3, "ms")])
    voice = Report("speech", "b", {}, {"z_ms": 4}, [Goal("z", 4, 3, "ms")])
    report = json.loads(merged([hearing, voice]).as_json())
    assert report["name"] == "speech"
    assert report["method"] == "a; b"
    assert report["baseline"] == {"x_ms": 1}
    assert report["result"] == {"y_ms": 2, "z_ms": 4}
    assert [(goal["name"], goal["met"]) for goal in report["goals"]] == [("y", True), ("z", False)]


@pytest.mark.parametrize(("value", "met"), [(0.97, False), (0.98, True), (1.0, True)])
def test_a_goal_can_be_the_least_that_a_figure_may_be(value: float, met: bool) -> None:
    assert Goal("precision", value, 0.98, "", at_least=True).met is met
