"""The bench of a whole turn: its arithmetic, its exact half, and the real one once. No figure of
the real one is judged."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from relay.hearing.endpointing import EndpointSettings
from tools.bench.command import bench
from tools.bench.pipeline_script import (
    ANSWER,
    Latencies,
    critical_path,
    first_clause,
    tokens,
    tokens_to_first_clause,
)
from tools.bench.pipeline_virtual import measure


def test_the_critical_path_is_the_sum_of_what_cannot_overlap() -> None:
    path = critical_path(Latencies(), EndpointSettings())
    assert path.silence == pytest.approx(19 * 0.032)  # 600 ms in whole frames
    clause = (tokens_to_first_clause() - 1) / 40
    assert path.held == pytest.approx(0.3 + 0.4 + clause + 0.2)
    assert path.plain == pytest.approx(path.silence + path.held)
    assert path.speculative == pytest.approx(7 * 0.032 + path.held)


def test_nothing_is_sooner_than_the_end_of_the_silence_and_the_voice() -> None:
    quick = Latencies(stt=0.01, first_token=0.01, tokens_per_s=10_000)
    path = critical_path(quick, EndpointSettings())
    assert path.speculative == pytest.approx(path.silence + quick.first_sound)


def test_the_tokens_are_the_answer() -> None:
    assert "".join(tokens()) == ANSWER
    assert first_clause() in "".join(tokens()[: tokens_to_first_clause()])


def test_a_turn_adds_no_wait_of_its_own_and_leaves_nothing_open_when_it_is_interrupted() -> None:
    exact = measure(step_ms=230)
    assert exact.held == pytest.approx(exact.path.held, abs=1e-6)
    assert exact.plain == pytest.approx(exact.path.plain, abs=1e-6)
    assert exact.speculative == pytest.approx(exact.path.speculative, abs=1e-6)
    cut = exact.interrupted
    assert cut.tried > 5
    assert cut.streams_cut > cut.tried  # brain and voice were both at work, in most of them
    assert (cut.last_frame, cut.streams_closed, cut.left_open) == (0.0, 0.0, 0)


@pytest.mark.models
def test_the_real_part_talks_interrupts_and_sees_the_streams_closed() -> None:
    result = CliRunner().invoke(bench, ["pipeline", "--json", "--turns", "2"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["name"] == "pipeline"
    assert report["result"]["interruptions"] == 8
    assert report["result"]["streams_closed"] > 0
    assert report["baseline"]["providers_as_sleeps_p50_ms"] >= 1075
