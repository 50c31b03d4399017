from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.metrics.stages import Stage, response_s, stages
from relay.turn.timeline import Timeline

MOMENTS = [field.name for field in fields(Timeline)]


def lengths(timeline: Timeline) -> dict[str, float]:
    return {stage.value: round(end - begin, 6) for stage, begin, end in stages(timeline)}


def test_a_whole_turn_is_taken_apart_with_no_gap_from_the_end_of_the_speech_to_the_answer() -> None:
    turn = Timeline(
        speech_start=0.0,
        speech_end=2.0,
        endpoint=2.6,
        transcript=2.7,
        granted=3.0,
        first_token=3.5,
        first_clause=3.6,
        first_audio=3.9,
        last_audio=6.0,
    )
    assert lengths(turn) == {
        "speech": 2.0,
        "endpoint": 0.6,
        "recognition": 0.1,
        "quota": 0.3,
        "model": 0.5,
        "clause": 0.1,
        "voice": 0.3,
        "speaking": 2.1,
    }
    waited = [end - begin for stage, begin, end in stages(turn) if stage not in _OUTSIDE]
    assert sum(waited) == pytest.approx(response_s(turn)[1] or 0)


_OUTSIDE = (Stage.SPEECH, Stage.SPEAKING)


def test_a_model_that_hears_is_asked_before_there_is_a_text() -> None:
    turn = Timeline(speech_end=1.0, endpoint=1.5, granted=1.7, transcript=2.4, first_token=2.5)
    assert lengths(turn) == {"endpoint": 0.5, "quota": 0.2, "recognition": 0.7, "model": 0.1}


def test_an_answer_that_was_asked_for_ahead_waited_for_no_quota() -> None:
    turn = Timeline(speech_end=1.0, granted=1.3, endpoint=1.6, transcript=1.6, first_token=1.7)
    assert "quota" not in lengths(turn)
    assert lengths(turn)["model"] == 0.1


def test_without_a_quota_the_model_began_with_the_text() -> None:
    turn = Timeline(endpoint=1.0, transcript=1.2, first_token=1.3)
    assert lengths(turn) == {"recognition": 0.2, "model": 0.1}


def test_a_recorded_line_has_no_time_of_the_voice() -> None:
    turn = Timeline(endpoint=1.0, transcript=1.2, first_audio=1.3, last_audio=2.3)
    assert lengths(turn) == {"recognition": 0.2, "speaking": 1.0}


def test_a_filler_is_the_first_sound_and_no_answer() -> None:
    turn = Timeline(speech_end=1.0, endpoint=1.5, first_filler=2.8, first_audio=5.0)
    assert response_s(turn) == pytest.approx((1.8, 4.0))
    assert response_s(Timeline(endpoint=1.0, first_filler=2.0)) == (1.0, None)
    assert response_s(Timeline(first_audio=2.0)) == (None, None)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(MOMENTS, st.floats(0, 1e6))))
def test_no_stage_takes_less_than_no_time_whatever_happened_when(moments: dict[str, float]) -> None:
    turn = Timeline(**moments)
    assert all(end >= begin for _, begin, end in stages(turn))
    assert all(seconds is None or seconds >= 0 for seconds in response_s(turn))
