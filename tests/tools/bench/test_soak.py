"""The soak: its arithmetic, its census, a short life in virtual time and one over sockets."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from relay.errors import ProviderError
from tools.bench.command import bench
from tools.bench.soak_census import Growers
from tools.bench.soak_flat import slope
from tools.bench.soak_life import trouble
from tools.bench.soak_real import ALLOCATOR
from tools.bench.soak_virtual import soak

ROOT = Path(__file__).parents[3]


def test_the_relay_that_is_soaked_has_the_allocator_of_those_that_are_deployed() -> None:
    names = ("Dockerfile", "tools/deploy/templates/doll-relay.service")
    for text in ((ROOT / name).read_text(encoding="utf-8") for name in names):
        assert all(f"{key}={value}" in text for key, value in ALLOCATOR.items())


def test_a_straight_line_has_its_slope_and_no_doubt() -> None:
    found = slope(range(12), [3.0 * x + 5 for x in range(12)])
    assert found.mean == pytest.approx(3)
    assert found.upper == pytest.approx(3)
    assert found.samples == 8


def test_the_warm_up_does_not_count() -> None:
    found = slope(range(15), [*(1000.0 * x for x in range(5)), *[5000.0] * 10])
    assert found.mean == pytest.approx(0)


def test_the_bound_is_student_s() -> None:
    # By hand: residuals of ±1 around a level, 8 samples, t(6) = 1.943.
    y = [0.0] * 4 + [1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0]
    found = slope(range(12), y)
    assert found.mean == pytest.approx(0)
    assert found.upper == pytest.approx(1.943 * (8 / 6 / 42) ** 0.5, rel=0.01)


def test_too_few_samples_tell_nothing() -> None:
    with pytest.raises(ValueError, match="5 are needed"):
        slope(range(6), [0.0] * 6)
    with pytest.raises(ValueError, match="nothing happened"):
        slope([1.0] * 12, [0.0] * 12)


class Keeper:
    """Keeps everything."""

    def __init__(self) -> None:
        self.kept: dict[int, str] = dict.fromkeys(range(20), "")
        self.steady: list[int] = list(range(20))


def test_a_container_that_only_grows_is_found_by_its_owner() -> None:
    keeper, growers = Keeper(), Growers()
    for number in range(4):
        growers.look()
        keeper.kept[100 + number] = "leak"
    found = growers.found(50)
    assert any("Keeper.kept: 20 to 23" in line for line in found)
    assert not any("steady" in line for line in found)


def test_trouble_comes_by_chance_and_is_counted() -> None:
    counts: Counter[str] = Counter()
    fail = trouble(Random(1), 0.5, counts)
    errors = [error for error in (fail() for _ in range(200)) if error is not None]
    assert len(errors) == counts["failures of providers"]
    assert 60 < len(errors) < 140
    kinds = {error.kind for error in errors if isinstance(error, ProviderError)}
    assert len(kinds) == 7
    assert any(isinstance(error, RuntimeError) for error in errors)


def test_a_short_life_leaves_nothing_behind() -> None:
    with capture_logs():  # to write down what fails on purpose would take most of the time
        soaked = soak(0.008, round_s=14.4)
    first, last = soaked.samples[0], soaked.samples[-1]
    assert soaked.counts["connections"] > 0
    assert soaked.turns[-1] > 5
    assert last.tasks <= first.tasks
    assert last.files <= first.files
    assert (soaked.sessions, soaked.streams_open) == (0, 0)


@pytest.mark.models
def test_minutes_are_lived_over_real_sockets() -> None:
    options = ["soak", "--json", "--minutes", "0.1", "--virtual-hours", "0.01"]
    result = CliRunner().invoke(bench, options)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["name"] == "soak"
    goals = {goal["name"]: goal["met"] for goal in report["goals"]}
    assert goals["real_streams_left_open"]
    assert goals["virtual_sessions_left_over"]
