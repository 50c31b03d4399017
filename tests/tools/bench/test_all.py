"""All benches in a row: one that fails is told, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tools.bench.all import BENCHES, measure, print_table
from tools.bench.command import bench


async def test_a_bench_that_fails_is_an_entry_with_its_error_and_the_next_one_runs() -> None:
    reports = await measure({"no-such-bench": (), "memory": ("--messages", "1000")})
    broken, memory = reports
    assert broken["name"] == "no-such-bench"
    assert broken["error"].startswith("exit 2: ")
    assert memory["name"] == "memory"
    assert memory["goals"]
    assert memory["settings"] == "--messages 1000"
    assert memory["took_s"] > 0


async def test_a_bench_that_does_not_end_is_ended() -> None:
    (report,) = await measure({"memory": ("--messages", "100000000")}, limit_s=0.01)
    assert report["error"] == "not done in 0.01 s"


def test_every_bench_is_among_them() -> None:
    names = set(get_command(bench).commands)  # type: ignore[attr-defined]
    assert set(BENCHES) == names - {"all"}


def test_the_help_lists_them_by_purpose() -> None:
    shown = CliRunner().invoke(bench, ["--help"]).output
    for purpose in ("A turn", "A doll", "Load", "Hours and faults", "Days and memory"):
        assert purpose in shown


def test_the_table_shows_goals_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    goal = {"name": "quick", "value": 1.5, "limit": 2.0, "unit": "ms", "met": True}
    reports: list[dict[str, Any]] = [
        {"name": "one", "goals": [goal]},
        {"name": "two", "error": "exit 1: it broke"},
    ]
    print_table(reports)
    shown = capsys.readouterr().out
    assert "1.5 ms" in shown
    assert "met" in shown
    assert "it broke" in shown
