from __future__ import annotations

import structlog

from relay.tts.unknown import _MOST, ASK_AGAIN_S, UnknownVoices


def test_a_voice_is_told_once_and_again_only_after_it_was_there() -> None:
    unknown = UnknownVoices("cloud", "doll voice list")
    with structlog.testing.capture_logs() as logs:
        for now in (0.0, 1.0, 10_000.0):
            unknown.missed("jinju", now)
        assert "jinju" in unknown
        unknown.found("jinju")
        assert "jinju" not in unknown
        unknown.missed("jinju", 20_000.0)
    assert len(logs) == 2
    assert (logs[0]["tts"], logs[0]["voice"], logs[0]["help"]) == (
        "cloud",
        "jinju",
        "doll voice list",
    )


def test_a_voice_that_was_missed_is_worth_asking_for_after_a_while() -> None:
    unknown = UnknownVoices("cloud")
    assert unknown.worth_asking("jinju", 0.0)
    unknown.missed("jinju", 50.0)
    assert not unknown.worth_asking("jinju", 50.0 + ASK_AGAIN_S - 1)
    assert unknown.worth_asking("jinju", 50.0 + ASK_AGAIN_S)
    assert "jinju" in unknown  # until it was really there


def test_no_more_voices_are_kept_than_there_is_room_for() -> None:
    unknown = UnknownVoices("cloud")
    for number in range(_MOST + 10):
        unknown.missed(f"voice-{number}")
    kept = [number for number in range(_MOST + 10) if f"voice-{number}" in unknown]
    assert kept == list(range(10, _MOST + 10))
