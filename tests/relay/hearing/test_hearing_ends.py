"""How an ear is told where speech ends: by the words, the melody, and the doll's own voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.hearing import EndLikely, Hearing, SpeechStarted, UtteranceEnded
from tests.fakes.hearing import (
    END,
    LEAD_IN,
    LIKELY,
    SETTINGS,
    SILENCE,
    VOICE,
    LoudnessStream,
    audio,
    hear,
    kinds,
    started,
)


@pytest.mark.parametrize("mode", list(ListenMode))
async def test_only_a_pause_that_may_be_the_end_is_judged_without_delay(mode: ListenMode) -> None:
    class Noting(LoudnessStream):
        patient: bool | None = None

        def probability(self, frame: Pcm, *, patient: bool = False) -> Awaitable[float]:
            self.patient = patient
            return super().probability(frame)

    stream = Noting()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(mode)
    hear(hearing, audio((VOICE, 20)))
    assert stream.patient
    hear(hearing, audio((SILENCE, LIKELY - 1)))
    assert stream.patient
    hear(hearing, audio((SILENCE, 1)))
    assert stream.patient is (mode is ListenMode.MANUAL)
    hear(hearing, audio((VOICE, 2)))
    assert stream.patient


def test_the_tail_of_an_answer_in_the_room_is_silence_and_what_follows_is_heard() -> None:
    stream = LoudnessStream()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(ListenMode.AUTO, after_answer=True)
    tail = 10  # 300 ms in whole frames
    pcm = audio((VOICE, 30), (SILENCE, END))
    events = hear(hearing, pcm)
    assert isinstance(events[-1], UtteranceEnded)
    assert events[-1].utterance.speech_start_s == pytest.approx(tail * 0.032)
    assert not events[-1].utterance.pcm[:LEAD_IN].any()
    assert stream.looked == len(pcm) // FRAME_SAMPLES - tail


@pytest.mark.parametrize("mode", [ListenMode.MANUAL, ListenMode.REALTIME])
def test_who_presses_a_button_or_never_stops_listening_is_heard_at_once(mode: ListenMode) -> None:
    hearing = Hearing(LoudnessStream(), SETTINGS)
    hearing.start(mode, after_answer=True)
    events = hear(hearing, audio((VOICE, 30)))
    assert events == [SpeechStarted(0.0)]


def test_a_doll_that_hears_itself_takes_only_long_voice_for_an_interruption() -> None:
    hearing = started(ListenMode.REALTIME)
    hearing.doll_speaks()
    assert hear(hearing, audio((VOICE, 12), (SILENCE, 8))) == []
    hearing.doll_speaks()
    assert kinds(hear(hearing, audio((VOICE, 13)))) == [SpeechStarted]


def test_a_second_after_the_answer_any_speech_counts_again() -> None:
    hearing = started(ListenMode.REALTIME)
    hearing.doll_speaks()
    hear(hearing, audio((SILENCE, 32)))
    assert kinds(hear(hearing, audio((VOICE, 6)))) == [SpeechStarted]


@pytest.mark.parametrize(("text", "silence"), [("밥 먹었어.", 10), ("고양이", 24), ("밥을", 30)])
def test_what_was_said_decides_how_long_a_silence_ends_it(text: str, silence: int) -> None:
    hearing = started(ListenMode.AUTO)
    events = hear(hearing, audio((VOICE, 20), (SILENCE, LIKELY)))
    assert isinstance(events[-1], EndLikely)
    hearing.transcribed(text, "ko")
    ended = hear(hearing, audio((SILENCE, 40)))[-1]
    assert isinstance(ended, UtteranceEnded)
    assert ended.utterance.decided_s == pytest.approx((20 + silence) * 0.032)
    np.testing.assert_array_equal(ended.utterance.pcm, events[-1].utterance.pcm)


async def test_what_sounds_complete_ends_sooner_if_the_words_allow_it() -> None:
    class Falls:
        async def sounds_complete(self, utterance: Pcm) -> bool:
            return True

        async def close(self) -> None: ...

    for text, silence in [("고양이", 16), ("", END)]:
        hearing = Hearing(LoudnessStream(), SETTINGS, melody=Falls())
        hearing.start(ListenMode.AUTO)
        hear(hearing, audio((VOICE, 20), (SILENCE, LIKELY)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if text:
            hearing.transcribed(text, "ko")
        ended = hear(hearing, audio((SILENCE, 40)))[-1]
        assert isinstance(ended, UtteranceEnded)
        assert ended.utterance.decided_s == pytest.approx((20 + silence) * 0.032)


async def test_a_melody_is_listened_to_no_more_when_speech_goes_on() -> None:
    class Endless:
        cancelled = 0

        async def sounds_complete(self, utterance: Pcm) -> bool:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
            return True

        async def close(self) -> None: ...

    melody = Endless()
    hearing = Hearing(LoudnessStream(), SETTINGS, melody=melody)
    hearing.start(ListenMode.AUTO)
    for rest in [(VOICE, 2), (SILENCE, END)]:
        hear(hearing, audio((VOICE, 20), (SILENCE, LIKELY)))
        await asyncio.sleep(0)
        hear(hearing, audio(rest, (SILENCE, END)))
        await asyncio.sleep(0)
    hear(hearing, audio((VOICE, 20), (SILENCE, LIKELY)))
    await asyncio.sleep(0)
    hearing.stop()
    await asyncio.sleep(0)
    assert melody.cancelled == 3  # one was not even begun
