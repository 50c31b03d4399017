from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.tts.flow import ClauseFlow, Level
from relay.tts.polish import TARGET_DBFS, ratio

RATE_HZ = 16_000


def tone(seconds: float, peak: int = 8_000) -> Pcm:
    samples = peak * np.sin(2 * np.pi * 300 / RATE_HZ * np.arange(round(seconds * RATE_HZ)))
    return samples.astype(np.int16)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def flow(*pieces: Pcm, gain: float = 1.0, pause_s: float = 0.0) -> Pcm:
    clause = ClauseFlow(RATE_HZ, gain)
    return np.concatenate([*(clause.push(piece) for piece in pieces), clause.finish(pause_s)])


def seconds(pcm: Pcm) -> float:
    return len(pcm) / RATE_HZ


def test_dead_air_around_the_voice_is_cut() -> None:
    heard = flow(silence(0.7), tone(0.5), silence(2))
    assert seconds(heard) == pytest.approx(0.5 + 0.02 + 0.05, abs=0.011)


def test_a_pause_inside_of_the_clause_is_kept() -> None:
    heard = flow(tone(0.3), silence(0.4), tone(0.3))
    assert seconds(heard) == pytest.approx(1.0, abs=0.02)
    assert not heard[round(0.32 * RATE_HZ) : round(0.68 * RATE_HZ)].any()


def test_silence_waits_until_the_voice_goes_on() -> None:
    clause = ClauseFlow(RATE_HZ)
    clause.push(tone(0.3))
    assert len(clause.push(silence(3))) == 0
    assert seconds(clause.push(tone(0.3))) == pytest.approx(3.3, abs=0.03)


def test_the_pause_that_belongs_behind_the_clause_follows() -> None:
    with_pause = flow(tone(0.5), pause_s=0.25)
    assert not with_pause[-round(0.25 * RATE_HZ) :].any()
    assert len(with_pause) - len(flow(tone(0.5))) == round(0.25 * RATE_HZ)


def test_it_begins_and_ends_without_a_click() -> None:
    loud = np.full(round(0.3 * RATE_HZ), 9_000, np.int16)
    heard = flow(loud).astype(int)
    assert abs(heard[0]) < 100
    assert abs(heard[-1]) < 100
    assert np.abs(np.diff(heard)).max() < 600


def test_nothing_but_silence_gives_nothing() -> None:
    hiss = np.random.default_rng(0).normal(0, 20, RATE_HZ).astype(np.int16)
    for quiet in (silence(1), hiss, silence(0)):
        clause = ClauseFlow(RATE_HZ)
        assert len(clause.push(quiet)) + len(clause.finish(0.25)) == 0
        assert not clause.sounded


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 3_000), max_size=12))
def test_it_does_not_matter_where_the_pieces_are_cut(sizes: list[int]) -> None:
    whole = np.concatenate([silence(0.1), tone(0.3), silence(0.3), tone(0.2, 500), silence(0.2)])
    cuts = np.cumsum(sizes, dtype=int)
    assert np.array_equal(flow(*np.split(whole, cuts[cuts < len(whole)])), flow(whole))


@pytest.mark.parametrize("peak", [900, 4_000, 30_000])
def test_the_second_clause_has_the_loudness_that_all_voices_have(peak: int) -> None:
    level = Level()
    first = ClauseFlow(RATE_HZ, level.gain)
    first.push(tone(1, peak))
    first.teach(level)
    heard = flow(tone(1, peak), gain=level.gain)[2_000:-2_000]
    loudness = np.sqrt(np.square(heard / 32768).mean())
    assert loudness == pytest.approx(ratio(TARGET_DBFS), rel=0.02)


def test_one_shout_changes_the_voice_only_half() -> None:
    level = Level()
    level.learn(0.1, 0.2)
    level.learn(0.3, 0.6)
    assert 1 / 3 < level.gain < 1.0


def test_samples_made_louder_never_wrap() -> None:
    heard = flow(tone(0.3, 30_000), gain=5.0)
    assert np.abs(heard.astype(int)).max() <= 0.89 * 32767
