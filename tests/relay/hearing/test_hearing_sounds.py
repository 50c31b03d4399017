"""An ear with the real detector in real rooms: the demo's questions, noise, music, a television."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.endpointing import EndpointSettings
from relay.hearing.hearing import Hearing, HearingEvent, SpeechStarted, UtteranceEnded
from relay.hearing.silero import SileroDetector
from tools.bench import sounds

pytestmark = pytest.mark.models

SETTINGS = EndpointSettings()
QUESTIONS = sorted((Path(__file__).parents[3] / "tools" / "demo" / "questions").glob("*.wav"))
STILL = np.zeros(62 * FRAME_SAMPLES, np.int16)  # two seconds


def recording(path: Path) -> Pcm:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE_HZ, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


@pytest.fixture
async def hearing() -> AsyncIterator[Hearing]:
    detector = SileroDetector()
    hearing = Hearing(detector.stream(), SETTINGS)
    hearing.start(ListenMode.AUTO)
    yield hearing
    await detector.close()


async def hear(hearing: Hearing, pcm: Pcm) -> list[HearingEvent]:
    events = []
    for at in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        event = await hearing.push(pcm[at : at + FRAME_SAMPLES])
        if event is not None:
            events.append(event)
    return events


def assert_heard_whole(events: list[HearingEvent], said: Pcm) -> None:
    """One utterance, from the first word of `said` (after two seconds) to its last."""
    ended = [event for event in events if isinstance(event, UtteranceEnded)]
    assert len(ended) == 1  # no pause between its words cuts it in two
    voiced = np.flatnonzero(np.abs(said.astype(np.int32)) > 1000)
    said_from, said_to = (len(STILL) + voiced[[0, -1]]) / RATE_HZ
    utterance = ended[0].utterance
    assert utterance.speech_start_s == pytest.approx(said_from, abs=0.2)
    assert utterance.speech_end_s == pytest.approx(said_to, abs=0.25)
    lead_in_s = SETTINGS.lead_in_ms / 1000
    assert len(utterance.pcm) / RATE_HZ == pytest.approx(
        utterance.speech_end_s - utterance.speech_start_s + lead_in_s + SETTINGS.lead_out_ms / 1000,
        abs=0.033,
    )


@pytest.mark.parametrize("db", [-200, -60, -40])
async def test_a_person_in_a_room_is_heard_from_the_first_word_to_the_last(
    hearing: Hearing, noise: Callable[..., Pcm], question: Pcm, db: float
) -> None:
    said = np.concatenate((STILL, question, STILL)).astype(np.int32)
    whole = len(said) // FRAME_SAMPLES
    said = said[: whole * FRAME_SAMPLES] + noise(whole, db)
    assert_heard_whole(await hear(hearing, said.clip(-32768, 32767).astype(np.int16)), question)


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("sound", [sounds.pink_noise, sounds.music])
async def test_a_question_in_noise_or_music_is_heard_whole(
    hearing: Hearing, path: Path, sound: Callable[[int], sounds.Sound]
) -> None:
    said = recording(path)
    pcm = np.concatenate((STILL, said, STILL))
    assert_heard_whole(await hear(hearing, sounds.mixed(pcm, sound(len(pcm)), 10)), said)


def a_song(samples: int) -> sounds.Sound:
    """A band with a singer as loud as it."""
    return (sounds.music(samples) + sounds.singing(samples)) / np.sqrt(2)


@pytest.mark.parametrize("db", [-50, -30, -20])
@pytest.mark.parametrize("sound", [sounds.pink_noise, sounds.music, a_song])
async def test_neither_noise_nor_music_starts_a_turn(
    hearing: Hearing, sound: Callable[[int], sounds.Sound], db: float
) -> None:
    assert await hear(hearing, sounds.at_level(sound(20 * RATE_HZ), db)) == []


@pytest.mark.parametrize("db", [-50, -40])
async def test_a_television_in_the_next_room_starts_no_turn(hearing: Hearing, db: float) -> None:
    voices = [recording(path) for path in QUESTIONS]
    assert await hear(hearing, sounds.at_level(sounds.babble(voices, 20 * RATE_HZ), db)) == []


async def test_who_speaks_to_the_doll_is_heard_through_the_television(
    hearing: Hearing, question: Pcm
) -> None:
    voices = [recording(path) for path in QUESTIONS]
    pcm = np.concatenate((STILL, question, STILL))
    television = sounds.at_level(sounds.babble(voices, len(pcm) + len(STILL)), -45)
    assert await hear(hearing, television[: len(STILL)]) == []
    hearing.start(ListenMode.AUTO)
    assert_heard_whole(await hear(hearing, pcm + television[len(STILL) :]), question)


async def test_a_door_a_clap_and_a_cough_of_noise_start_no_turn(hearing: Hearing) -> None:
    random = np.random.default_rng(0)
    pcm = random.normal(0, 8, 12 * RATE_HZ)
    for at, seconds in ((1, 0.02), (3, 0.15), (5, 0.3), (7, 0.05), (7.2, 0.05), (9, 0.4)):
        samples = int(seconds * RATE_HZ)
        burst = random.normal(0, 9000, samples) * np.exp(-np.arange(samples) / (samples / 3))
        pcm[int(at * RATE_HZ) : int(at * RATE_HZ) + samples] += burst
    assert await hear(hearing, pcm.clip(-32768, 32767).astype(np.int16)) == []


async def test_speech_that_begins_in_loud_music_has_its_lead_in(
    hearing: Hearing, question: Pcm
) -> None:
    pcm = np.concatenate((STILL, question, STILL))
    pcm = sounds.mixed(pcm, sounds.music(len(pcm)), 5)
    events = await hear(hearing, pcm)
    started = next(event for event in events if isinstance(event, SpeechStarted))
    ended = next(event for event in events if isinstance(event, UtteranceEnded))
    begin = round(started.speech_start_s * RATE_HZ) - SETTINGS.lead_in_ms * RATE_HZ // 1000
    np.testing.assert_array_equal(
        ended.utterance.pcm, pcm[begin : begin + len(ended.utterance.pcm)]
    )
