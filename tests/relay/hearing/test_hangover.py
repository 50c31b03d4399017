from __future__ import annotations

import dataclasses
import math

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.hearing.endpointing import EndpointSettings
from relay.hearing.finished import Reading
from relay.hearing.hangover import Hangover, KnownPauses, Pauses

SETTINGS = EndpointSettings()


def paused(
    reading: Reading | None = None,
    *,
    complete: bool = False,
    pauses: Pauses | None = None,
    settings: EndpointSettings = SETTINGS,
) -> Hangover:
    hangover = Hangover(settings, pauses)
    hangover.started(math.inf)
    hangover.pause()
    if reading is not None:
        hangover.read(reading)
    if complete:
        hangover.sounds_complete()
    return hangover


@pytest.mark.parametrize(
    ("reading", "complete", "ms"),
    [
        (None, False, 600),
        (None, True, 600),  # the melody never speaks alone
        (Reading.UNSURE, False, 750),
        (Reading.UNSURE, True, 507),
        (Reading.LIKELY, False, 507),
        (Reading.LIKELY, True, 320),
        (Reading.FINISHED, False, 320),
        (Reading.FINISHED, True, 320),
        (Reading.UNFINISHED, False, 960),
        (Reading.UNFINISHED, True, 960),  # nor against the words
    ],
)
def test_the_hangover_follows_what_was_said_and_how(
    reading: Reading | None, complete: bool, ms: float
) -> None:
    assert paused(reading, complete=complete).ms == pytest.approx(ms, abs=0.5)


def test_a_reading_holds_for_its_pause_alone() -> None:
    hangover = paused(Reading.FINISHED)
    hangover.resumed(210)
    hangover.read(Reading.FINISHED)  # it comes too late
    hangover.sounds_complete()
    assert hangover.ms == 600
    hangover.pause()
    assert hangover.ms == 600


def test_who_pauses_for_long_is_given_more_time_and_loses_it_again() -> None:
    hangover = paused()
    for _ in range(4):
        hangover.pause()
        hangover.resumed(580)
    slow = hangover.ms
    assert 650 < slow < 580 * 1.25
    for _ in range(20):
        hangover.pause()
        hangover.ended()
    assert hangover.ms == 600


def test_pauses_after_what_reads_as_finished_are_learned_apart() -> None:
    pauses = Pauses()
    for _ in range(5):
        paused(Reading.FINISHED, pauses=pauses).resumed(310)
    assert 340 < paused(Reading.FINISHED, pauses=pauses).ms < 400
    assert paused(pauses=pauses).ms == 600


def test_one_speaker_that_was_cut_off_is_believed_at_once() -> None:
    hangover = paused()
    hangover.ended()
    hangover.started(800)
    hangover.pause()
    assert hangover.ms == 1000


def test_speech_long_after_an_endpoint_was_not_cut_off() -> None:
    hangover = paused()
    hangover.ended()
    hangover.started(1300)
    assert hangover.pauses == Pauses()


def test_without_learning_the_hangover_is_the_configured_one() -> None:
    fixed = dataclasses.replace(SETTINGS, learned=False)
    for reading in Reading:
        assert paused(reading, pauses=Pauses(900, 900), settings=fixed).ms == 600


def test_a_doll_may_have_bounds_of_its_own() -> None:
    patient = dataclasses.replace(SETTINGS, min_ms=500, max_ms=800)
    assert paused(Reading.FINISHED, settings=patient).ms == 500
    assert paused(Reading.UNFINISHED, settings=patient).ms == 800


@pytest.mark.parametrize("silence_ms", [150, 3000])
def test_a_base_outside_of_the_bounds_widens_them(silence_ms: int) -> None:
    assert paused(settings=EndpointSettings(silence_ms=silence_ms)).ms == silence_ms


def test_each_doll_has_its_own_speaker_and_the_oldest_is_forgotten() -> None:
    known = KnownPauses(most=2)
    known.of("a").open_ms = 500
    known.of("b")
    assert known.of("a").open_ms == 500
    known.of("c")
    assert known.of("a").open_ms == 500
    known.of("b").open_ms = 1
    known.of("c")
    assert known.of("a") == Pauses()


happenings = st.lists(
    st.one_of(
        st.just(("pause",)),
        st.just(("ended",)),
        st.just(("sounds_complete",)),
        st.tuples(st.just("read"), st.sampled_from(Reading)),
        st.tuples(st.just("resumed"), st.floats(0, 60_000)),
        st.tuples(st.just("started"), st.one_of(st.floats(0, 60_000), st.just(math.inf))),
    ),
    max_size=60,
)


@hypothesis.settings(deadline=None)
@given(happenings, st.integers(100, 3000), st.integers(100, 900), st.integers(900, 5000))
def test_whatever_happens_the_hangover_stays_within_its_bounds(
    happened: list[tuple[object, ...]], silence_ms: int, min_ms: int, max_ms: int
) -> None:
    settings = EndpointSettings(silence_ms=silence_ms, min_ms=min_ms, max_ms=max_ms)
    hangover = Hangover(settings)
    for name, *arguments in happened:
        getattr(hangover, str(name))(*arguments)
        assert min(min_ms, silence_ms) <= hangover.ms <= max(max_ms, silence_ms)
