"""Which voices there are to choose from, and what is made so that they can be heard."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from relay.errors import ProviderError
from relay.tts.gallery import gallery
from relay.tts.samples import RATE, Samples, TooManySamplesError
from relay.tts.voices.own import OwnTextToSpeech
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import shelf_with


class Silent(FakeTextToSpeech):
    voices = None  # type: ignore[assignment]


def with_own(folder: Path, usual: FakeTextToSpeech) -> tuple[OwnOrUsual, VoiceShelf]:
    shelf = shelf_with(folder)

    def never() -> OwnTextToSpeech:
        raise AssertionError

    return OwnOrUsual(shelf, never, usual), shelf


def test_the_usual_one_those_of_its_provider_and_the_owner_s_own_are_shown(tmp_path: Path) -> None:
    tts, shelf = with_own(tmp_path, FakeTextToSpeech())
    shown = gallery(tts, shelf)
    assert [(one.id, one.kind) for one in shown] == [
        ("", "usual"),
        ("low", "provider"),
        ("high", "provider"),
        *((f"own:{name}", "own") for name in shelf.names()),
    ]
    assert shelf.names()


def test_a_provider_that_does_not_tell_has_its_default(tmp_path: Path) -> None:
    assert [one.id for one in gallery(Silent(), VoiceShelf(tmp_path))] == [""]


async def test_a_line_is_made_once_and_then_kept() -> None:
    tts = FakeTextToSpeech(0.1)
    samples = Samples(tts)
    first = await samples.wav("안녕.", "ko", "low")
    assert await samples.wav("안녕.", "ko", "low") == first
    assert (first[:4], len(tts.calls)) == (b"RIFF", 1)
    await samples.wav("안녕.", "ko", "high")
    assert [call.voice for call in tts.calls] == ["low", "high"]


async def test_only_so_many_are_made_and_what_is_kept_is_heard_still() -> None:
    now = 0.0
    tts = FakeTextToSpeech(0.1)
    samples = Samples(tts, lambda: now)
    for number in range(round(RATE[1])):
        await samples.wav(f"{number}.", "ko", "")
    with pytest.raises(TooManySamplesError):
        await samples.wav("one more.", "ko", "")
    await samples.wav("0.", "ko", "")
    now = 1 / RATE[0]
    await samples.wav("one more.", "ko", "")
    assert len(tts.calls) == RATE[1] + 1


async def test_no_other_voice_stands_in_for_one_that_cannot_be_heard(tmp_path: Path) -> None:
    usual = FakeTextToSpeech(0.1)
    tts, _ = with_own(tmp_path, usual)
    samples = Samples(tts)
    for voice in ("nobody", "own:nobody"):
        with pytest.raises(ProviderError):
            await samples.wav("안녕.", "ko", voice)
    assert usual.calls == []


async def test_a_line_that_does_not_end_is_cut() -> None:
    samples = Samples(FakeTextToSpeech(60.0))
    sound = await samples.wav("안녕.", "ko", "")
    assert len(sound) == 44 + 2 * 12 * 16_000


async def test_many_at_once_are_made_one_after_the_other() -> None:
    tts = FakeTextToSpeech(0.1)
    samples = Samples(tts)
    await asyncio.gather(*(samples.wav("안녕.", "ko", "low") for _ in range(5)))
    assert len(tts.calls) == 1
