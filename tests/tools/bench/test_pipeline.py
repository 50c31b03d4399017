"""The bench of a whole turn: its arithmetic, its exact half, and the real one once. No figure of
the real one is judged."""

from __future__ import annotations

import pytest

from relay.hearing.endpointing import EndpointSettings
from tools.bench.pipeline import Heard, report, talk
from tools.bench.pipeline_http import scripted_server
from tools.bench.pipeline_script import (
    ANSWER,
    Latencies,
    critical_path,
    first_clause,
    tokens,
    tokens_to_first_clause,
)
from tools.bench.pipeline_virtual import Exact, measure
from tools.bench.turn import spoken_question


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
async def test_the_real_part_talks_interrupts_and_sees_the_streams_closed() -> None:
    async with scripted_server(Latencies()) as server:
        heard = await talk(server, await spoken_question(), 1, early=True)
    assert heard.interrupted == 2
    assert len(heard.held) == len(heard.free) == 1
    assert min(heard.held) > Latencies().first_token  # the providers took their time
    assert len(heard.last_frames) == 2
    assert heard.closed  # the server has seen clients hang up


def test_the_report_tells_what_is_beyond_the_critical_path_and_what_missed_its_goal() -> None:
    path = critical_path(Latencies(), EndpointSettings())
    exact = Exact(path, path.held, path.plain, path.speculative)
    beyond = [0.01, 0.01, 0.01]
    plain = Heard(
        held=[path.held + late for late in beyond],
        free=[path.plain + 0.03 for _ in beyond],
        last_frames=[0.0, 0.05, 0.05],
        closed=[0.002] * 6,
        interrupted=3,
    )
    early = Heard(free=[path.speculative] * 3)
    told = report(path, exact, {}, plain, early)
    assert told.result["push_to_talk_beyond_p50_ms"] == 10.0
    goals = {goal.name: goal.met for goal in told.goals}
    assert goals["push_to_talk_p50_beyond_critical_path"]
    assert not goals["hands_free_p50_beyond_critical_path"]
    assert goals["speculative_p50_of_the_non_speculative_critical_path"]
    assert not goals["last_frame_after_abort_p95"]
    assert goals["streams_closed_per_interruption"]
