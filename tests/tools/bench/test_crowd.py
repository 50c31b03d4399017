"""The commands of the crowd, with a real relay and few dolls. No figure is judged."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tools.bench.command import bench
from tools.faults.redis import find_redis


@pytest.mark.models
@pytest.mark.parametrize("codec", ["adpcm", "opus"])
def test_capacity_talks_with_dolls_and_counts(codec: str) -> None:
    result = CliRunner().invoke(
        bench, ["capacity", "--json", "--codec", codec, "--most", "10", "--check"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["name"] == "capacity"
    figures = report["result"]
    assert figures[f"{codec}_turns"] > 0
    assert figures[f"{codec}_closed"] == 0
    assert figures[f"{codec}_cpu_us_per_packet"] > 0
    assert report["baseline"][f"{codec}_cpu_us_per_packet"] > 0
    assert [goal["name"] for goal in report["goals"]] == [f"{codec}_dolls_on_one_core"]


@pytest.mark.models
def test_idle_weighs_dolls_that_rest_and_dolls_that_listen() -> None:
    result = CliRunner().invoke(bench, ["idle", "--json", "--dolls", "5", "--seconds", "1"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["result"]["connections_lost"] == 0
    assert report["result"]["packets_per_s_listening"] > 0
    assert {goal["name"] for goal in report["goals"]} == {
        "memory_per_resting_doll",
        "cpu_all_resting",
    }


@pytest.mark.models
def test_several_processes_are_compared_with_one() -> None:
    if find_redis() is None:
        pytest.skip("SEVERAL WORKERS ARE NOT MEASURED: no Redis-compatible server here")
    few = ["--workers", "2", "--dolls", "6", "--codec", "adpcm", "--check"]
    result = CliRunner().invoke(bench, ["capacity", "--json", *few])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["result"]["adpcm_dolls"] == 12
    assert report["result"]["adpcm_turns"] > 0
    assert report["baseline"]["adpcm_turns"] > 0
    assert report["result"]["adpcm_closed"] == 0
