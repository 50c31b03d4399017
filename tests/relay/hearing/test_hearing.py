from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Awaitable, Iterator, Sequence
from itertools import pairwise

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.endpointing import EndpointSettings
from relay.hearing.hearing import (
    GATE_HANGOVER_FRAMES,
    SETTLING_FRAMES,
    EndLikely,
    Hearing,
    HearingEvent,
    SpeechResumed,
    SpeechStarted,
    Utterance,
    UtteranceEnded,
)
from relay.wire.blocks import Blocks
from tests.fakes.hearing import (
    END,
    LEAD_IN,
    LEAD_OUT,
    SETTINGS,
    SILENCE,
    VOICE,
    Known,
    LoudnessStream,
    audio,
    hear,
    kinds,
    result,
    started,
)

#: A busy machine is no failure.
patient = hypothesis.settings(deadline=None)


def assert_is(utterance: Utterance, pcm: Pcm, start: int, end: int) -> None:
    np.testing.assert_array_equal(utterance.pcm, pcm[start:end])


def test_an_utterance_has_a_lead_in_and_a_short_lead_out_and_says_when_it_was() -> None:
    pcm = audio((SILENCE, 50), (VOICE, 30), (SILENCE, 40))
    events = hear(started(ListenMode.AUTO), pcm)
    assert kinds(events) == [SpeechStarted, EndLikely, UtteranceEnded]
    assert events[0] == SpeechStarted(50 * 0.032)
    ended = events[-1]
    assert isinstance(ended, UtteranceEnded)
    assert ended.reason == "silence"
    assert_is(ended.utterance, pcm, 50 * FRAME_SAMPLES - LEAD_IN, 80 * FRAME_SAMPLES + LEAD_OUT)
    assert ended.utterance.speech_start_s == pytest.approx(50 * 0.032)
    assert ended.utterance.speech_end_s == pytest.approx(80 * 0.032)
    assert ended.utterance.decided_s == pytest.approx((80 + END) * 0.032)


@pytest.mark.parametrize("mode", list(ListenMode))
def test_what_a_likely_end_hands_out_is_what_the_end_hands_out(mode: ListenMode) -> None:
    hearing = started(mode)
    pcm = audio((VOICE, 30), (SILENCE, 12), (VOICE, 10), (SILENCE, END))
    events = hear(hearing, pcm)
    likely = [event.utterance for event in events if isinstance(event, EndLikely)]
    last = events[-1].utterance if isinstance(events[-1], UtteranceEnded) else hearing.stop()
    assert last is not None
    assert len(likely) == 2
    assert any(isinstance(event, SpeechResumed) for event in events)
    np.testing.assert_array_equal(likely[-1].pcm, last.pcm)
    assert likely[-1].speech_end_s == last.speech_end_s
    assert len(likely[0].pcm) < len(last.pcm)


@pytest.mark.parametrize("mode", [ListenMode.AUTO, ListenMode.REALTIME])
def test_it_goes_on_listening_for_the_next_utterance(mode: ListenMode) -> None:
    pcm = audio((VOICE, 20), (SILENCE, 60), (VOICE, 20), (SILENCE, 60))
    hearing = started(mode)
    ended = [event for event in hear(hearing, pcm) if isinstance(event, UtteranceEnded)]
    assert [event.utterance.speech_start_s for event in ended] == pytest.approx([0, 80 * 0.032])
    assert hearing.listening
    assert hearing.stop() is None


def test_speech_without_an_end_is_handed_out_in_pieces_that_miss_and_repeat_nothing() -> None:
    settings = EndpointSettings(max_utterance_s=3)
    pcm = audio((VOICE, 300))
    hearing = started(ListenMode.AUTO, settings)
    events = [event for event in hear(hearing, pcm) if isinstance(event, UtteranceEnded)]
    assert {event.reason for event in events} == {"too_long"}
    rest = hearing.stop()
    assert rest is not None
    pieces = [event.utterance.pcm for event in events] + [rest.pcm]
    np.testing.assert_array_equal(np.concatenate(pieces), pcm)


def test_held_an_utterance_is_all_from_the_first_voice_to_the_last() -> None:
    pcm = audio((SILENCE, 100), (VOICE, 10), (SILENCE, 100), (VOICE, 10), (SILENCE, 30))
    hearing = started(ListenMode.MANUAL)
    events = hear(hearing, pcm)
    assert kinds(events) == [SpeechStarted, EndLikely, SpeechResumed, EndLikely]
    utterance = hearing.stop()
    assert utterance is not None
    assert_is(utterance, pcm, 100 * FRAME_SAMPLES - LEAD_IN, 220 * FRAME_SAMPLES + LEAD_OUT)


def test_held_speech_up_to_the_release_is_kept_to_its_last_sample() -> None:
    pcm = audio((SILENCE, 2), (VOICE, 20))
    hearing = started(ListenMode.MANUAL)
    hear(hearing, pcm)
    utterance = hearing.stop()
    assert utterance is not None
    assert_is(utterance, pcm, 0, len(pcm))


@pytest.mark.parametrize("mode", list(ListenMode))
@pytest.mark.parametrize("frames", [0, 1, 2000])
def test_a_silent_room_is_no_turn(mode: ListenMode, frames: int) -> None:
    hearing = started(mode)
    assert hear(hearing, audio((SILENCE, frames))) == []
    assert hearing.stop() is None


def test_held_for_too_long_it_hands_out_what_it_has_and_listens_no_more() -> None:
    settings = EndpointSettings(max_utterance_s=2)
    pcm = audio((SILENCE, 40), (VOICE, 20), (SILENCE, 200))
    hearing = started(ListenMode.MANUAL, settings)
    events = hear(hearing, pcm)
    assert kinds(events) == [SpeechStarted, EndLikely, UtteranceEnded]
    assert isinstance(events[-1], UtteranceEnded)
    assert events[-1].reason == "too_long"
    assert_is(
        events[-1].utterance, pcm, 40 * FRAME_SAMPLES - LEAD_IN, 60 * FRAME_SAMPLES + LEAD_OUT
    )
    assert not hearing.listening
    assert hearing.stop() is None


def test_a_button_held_in_silence_for_an_hour_still_hears() -> None:
    hearing = started(ListenMode.MANUAL)
    hear(hearing, audio((SILENCE, 4000)))
    hear(hearing, audio((VOICE, 10)))
    utterance = hearing.stop()
    assert utterance is not None
    assert len(utterance.pcm) == LEAD_IN + 10 * FRAME_SAMPLES


def test_what_was_said_before_start_or_after_stop_is_not_heard() -> None:
    hearing = Hearing(LoudnessStream(), SETTINGS)
    assert hear(hearing, audio((VOICE, 50))) == []
    hearing.start(ListenMode.MANUAL)
    hear(hearing, audio((VOICE, 10)))
    hearing.start(ListenMode.MANUAL)
    hear(hearing, audio((VOICE, 20)))
    utterance = hearing.stop()
    assert utterance is not None
    assert len(utterance.pcm) == 20 * FRAME_SAMPLES
    assert hear(hearing, audio((VOICE, 50))) == []
    assert hearing.stop() is None


def test_the_detector_is_not_asked_about_a_room_that_stays_quiet() -> None:
    stream = LoudnessStream()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(ListenMode.AUTO)
    hear(hearing, audio((SILENCE, 200)))
    settled = stream.looked
    hear(hearing, audio((SILENCE, 1000)))
    assert stream.looked == settled
    hear(hearing, audio((VOICE, 20), (SILENCE, GATE_HANGOVER_FRAMES)))
    assert stream.looked == settled + 20 + GATE_HANGOVER_FRAMES - 1


def test_the_detector_is_asked_about_every_frame_of_a_pause() -> None:
    stream = LoudnessStream()
    hearing = Hearing(stream, EndpointSettings(silence_ms=3000))
    hearing.start(ListenMode.AUTO)
    hear(hearing, audio((SILENCE, 200)))
    before = stream.looked
    hear(hearing, audio((VOICE, 20), (SILENCE, 80)))
    assert stream.looked == before + 100


def test_the_detector_settles_soon_in_a_room_that_is_known() -> None:
    stream = LoudnessStream()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(ListenMode.AUTO)
    hear(hearing, audio((SILENCE, 200)))
    before = stream.looked
    hearing.start(ListenMode.AUTO)
    hear(hearing, audio((SILENCE, 200)))
    assert stream.looked == before + SETTLING_FRAMES - 1


def test_a_frame_of_nothing_is_silence_whatever_the_detector_says() -> None:
    class Sure(LoudnessStream):
        def probability(self, frame: Pcm, *, patient: bool = False) -> Awaitable[float]:
            return Known(1.0)

    hearing = Hearing(Sure(), SETTINGS)
    hearing.start(ListenMode.AUTO)
    events = hear(hearing, np.concatenate((audio((VOICE, 10)), np.zeros(10_240, np.int16))))
    assert isinstance(events[-1], UtteranceEnded)
    assert events[-1].utterance.speech_end_s == pytest.approx(10 * 0.032)


@pytest.mark.parametrize("again", [False, True])
async def test_a_frame_that_the_detector_answers_after_stop_is_dropped(again: bool) -> None:
    class Slow(LoudnessStream):
        answer: asyncio.Future[float] | None = None

        def probability(self, frame: Pcm, *, patient: bool = False) -> Awaitable[float]:
            return self.answer or Known(0.9)

    stream = Slow()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(ListenMode.AUTO)
    hear(hearing, audio((VOICE, 2)))
    stream.answer = asyncio.get_running_loop().create_future()
    assert await hearing.push(audio((VOICE, 1))) is None  # nobody waits for the answer …
    push = asyncio.create_task(hearing.push(audio((VOICE, 1))))  # … until the next frame is there
    await asyncio.sleep(0)
    assert not push.done()
    assert hearing.stop() is None
    if again:
        hearing.start(ListenMode.AUTO)
    stream.answer.set_result(0.9)
    assert await push is None  # speech would have started with it
    assert hearing.stop() is None


def test_listening_to_a_silent_room_holds_a_second_of_it() -> None:
    quarter_of_an_hour = [audio((SILENCE, 40))] * 700
    hearing = started(ListenMode.MANUAL)
    gc.collect()
    tracemalloc.start()
    try:
        for pcm in quarter_of_an_hour:
            hear(hearing, pcm)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 50_000


def test_a_doll_that_does_not_listen_holds_less_than_ten_kilobytes() -> None:
    def turn() -> Hearing:
        hearing = started(ListenMode.AUTO)
        hear(hearing, pcm)
        hearing.stop()
        return hearing

    pcm = audio((VOICE, 100), (SILENCE, 30))
    turn()
    gc.collect()
    tracemalloc.start()
    try:
        idle = [turn() for _ in range(20)]
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / len(idle) < 10_000


runs = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=12)
settings = st.builds(
    EndpointSettings,
    silence_ms=st.integers(100, 1000),
    lead_in_ms=st.integers(0, 500),
    max_utterance_s=st.floats(1, 4),
)


def utterances(events: Sequence[HearingEvent]) -> Iterator[Utterance]:
    return (event.utterance for event in events if isinstance(event, UtteranceEnded))


@patient
@given(runs, settings, st.sampled_from(ListenMode))
def test_utterances_are_parts_of_what_was_heard_in_order_and_within_the_limit(
    said: list[tuple[bool, int]], settings: EndpointSettings, mode: ListenMode
) -> None:
    hearing = started(mode, settings)
    pcm = audio(*said)
    heard = list(utterances(hear(hearing, pcm)))
    last = hearing.stop()
    if last is not None:
        heard.append(last)
    for utterance in heard:
        assert len(utterance.pcm) <= settings.max_utterance_s * RATE_HZ
        assert utterance.speech_start_s < utterance.speech_end_s <= utterance.decided_s
        end = min(
            round(utterance.speech_end_s * RATE_HZ) + LEAD_OUT,
            round(utterance.decided_s * RATE_HZ),
        )
        assert_is(utterance, pcm, end - len(utterance.pcm), end)
    for before, after in pairwise(heard):
        assert before.decided_s <= after.speech_start_s


@patient
@given(runs, st.lists(st.integers(40, 3000), min_size=1, max_size=8))
def test_it_hears_the_same_however_the_network_cuts_the_audio(
    said: list[tuple[bool, int]], cuts: list[int]
) -> None:
    pcm = audio(*said)
    whole, pieces = started(ListenMode.AUTO), started(ListenMode.AUTO)
    expected = hear(whole, pcm)
    blocks, came, at, turn = Blocks(FRAME_SAMPLES), list[HearingEvent](), 0, 0
    while at < len(pcm):
        for frame in blocks.push(pcm[at : at + cuts[turn % len(cuts)]]):
            event = result(pieces.push(frame))
            if event is not None:
                came.append(event)
        at += cuts[turn % len(cuts)]
        turn += 1
    assert kinds(came) == kinds(expected)
    for one, other in zip(utterances(came), utterances(expected), strict=True):
        assert (one.speech_start_s, one.speech_end_s) == (other.speech_start_s, other.speech_end_s)
        np.testing.assert_array_equal(one.pcm, other.pcm)
