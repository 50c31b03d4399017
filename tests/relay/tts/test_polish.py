"""Pauses and fades are the same for every voice."""

from __future__ import annotations

import numpy as np
import pytest

from relay.tts.polish import fade, pause_after, ratio


def test_a_fade_rises_from_nothing_to_all() -> None:
    samples = np.ones(100)
    fade(samples)
    assert samples[0] == 0
    assert samples[-1] == 1
    assert (np.diff(samples) >= 0).all()


@pytest.mark.parametrize(("decibels", "amplitudes"), [(0.0, 1.0), (-20.0, 0.1), (6.0206, 2.0)])
def test_decibels_are_of_amplitudes(decibels: float, amplitudes: float) -> None:
    assert ratio(decibels) == pytest.approx(amplitudes, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("응,", 0.12), ("응.", 0.25), ('"응?"', 0.25), ("좋아!~", 0.25), ("응", 0.04), ("", 0.04)],
)
def test_the_pause_is_that_of_the_mark_at_the_end(text: str, seconds: float) -> None:
    assert pause_after(text) == seconds
