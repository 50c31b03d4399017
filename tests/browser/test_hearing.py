"""What the tests' ear forgives, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, RATE_HZ
from tests.browser.hearing import NotHeardError, follow, silences
from tests.fakes.relay import Sweep

SENT = np.concatenate(Sweep(2.5)._chunks()).astype(float)
SILENCE = np.zeros(RATE_HZ // 2)


def frames(first: int, last: int | None = None) -> np.ndarray:
    return SENT[first * FRAME_SAMPLES : last and last * FRAME_SAMPLES]


def dry(before: np.ndarray, seconds: float) -> np.ndarray:
    """What a page plays that has run dry."""
    return before[-1] * 0.97 ** np.arange(1, 1 + round(seconds * RATE_HZ))


def heard(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([SILENCE, *parts, SILENCE])


def test_what_was_sent_is_heard_in_one_go() -> None:
    assert silences(follow(heard(SENT), SENT)) == []


@pytest.mark.parametrize("seconds", [0.003, 0.02, 0.4])
def test_silence_where_it_ran_dry_is_forgiven(seconds: float) -> None:
    first, then, rest = frames(0, 20), frames(20, 31), frames(31)
    told = follow(heard(first, dry(first, seconds), then, dry(then, 0.1), rest), SENT)
    assert silences(told) == pytest.approx([seconds, 0.1], abs=0.001)


@pytest.mark.parametrize("speed", [0.995, 1.005])
def test_half_a_per_cent_of_speed_is_forgiven(speed: float) -> None:
    places = np.arange(round(len(SENT) / speed)) * speed
    slower = np.interp(places, np.arange(len(SENT)), SENT)
    assert silences(follow(heard(slower), SENT)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        heard(frames(0, 20), frames(21)),
        heard(frames(0, 20), SILENCE, frames(21)),
        heard(frames(0, 20), np.zeros(FRAME_SAMPLES), frames(21)),
        heard(frames(1)),
        heard(frames(0, 75)),
    ],
    ids=["cut out", "before a silence", "silence instead", "the first", "the last"],
)
def test_a_missing_frame_is_not_heard(wrong: np.ndarray) -> None:
    with pytest.raises(NotHeardError):
        follow(wrong, SENT)


@pytest.mark.parametrize(
    "wrong",
    [
        heard(frames(0, 21), frames(20)),
        heard(frames(0, 21), SILENCE, frames(20)),
        heard(frames(0, 21), SILENCE, frames(20, 21), SILENCE, frames(21)),
        heard(SENT, SILENCE, SENT),
    ],
    ids=["at once", "after a silence", "by itself", "all of it"],
)
def test_a_frame_that_is_heard_twice_is_found_out(wrong: np.ndarray) -> None:
    with pytest.raises(NotHeardError):
        follow(wrong, SENT)


def test_frames_in_the_wrong_order_are_found_out() -> None:
    with pytest.raises(NotHeardError):
        follow(heard(frames(0, 20), frames(30, 40), frames(20, 30), frames(40)), SENT)


def test_a_distorted_voice_is_found_out() -> None:
    with pytest.raises(NotHeardError):
        follow(heard(SENT + 400 * np.sin(np.arange(len(SENT)))), SENT)
