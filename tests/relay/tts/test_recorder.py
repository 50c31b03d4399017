from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from relay import locales
from relay.activity import Activity
from relay.errors import ErrorKind, ProviderError
from relay.persona import Persona
from relay.tts.lines import RecordedLines
from relay.tts.recorder import QUIET_S, Recorder
from tests.fakes.lines import a_repertoire
from tests.fakes.tts import FakeTextToSpeech

pytestmark = pytest.mark.virtual_time

PERSONA = Persona(
    "하루", "", "ko", ("ko",), "명랑하다", lines={"ko": {"filler.thinking": ("흠.",)}}
)


class Studio:
    def __init__(self, directory: Path) -> None:
        self.tts = FakeTextToSpeech(0.2)
        self.repertoire = a_repertoire(directory, self.tts)
        self.activity = Activity()
        self.recorder = Recorder(self.repertoire, self.activity)

    async def has(self, text: str, voice: str = "") -> bool:
        return (await self.repertoire.of(voice)).recorded.has(text, "ko")


@pytest.fixture
async def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@asynccontextmanager
async def at_work(studio: Studio) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(studio.recorder.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def test_all_that_a_doll_may_say_is_recorded_the_fillers_first(studio: Studio) -> None:
    studio.recorder.want(PERSONA)
    async with at_work(studio):
        await asyncio.sleep(QUIET_S + 600)
    spoken = [call.text for call in studio.tts.calls]
    assert spoken[0] == "흠."
    assert len(spoken) == len(set(spoken))
    for key in locales.lines("ko"):
        fixed = [text for text in locales.variants("ko", key) if "{" not in text]
        if key.startswith(("failure.", "outage.", "filler.waiting")):
            for text in fixed:
                assert await studio.has(text), key
    assert not any("{" in text for text in spoken)


async def test_what_is_there_is_not_spoken_again(studio: Studio, tmp_path: Path) -> None:
    studio.recorder.want(PERSONA)
    async with at_work(studio):
        await asyncio.sleep(600)
    again = Studio(tmp_path)
    again.recorder.want(PERSONA)
    async with at_work(again):
        await asyncio.sleep(600)
    assert again.tts.calls == []


async def test_a_turn_takes_the_voice_back_at_once(studio: Studio) -> None:
    studio.tts.first_delay_s = 2.0
    studio.recorder.want(PERSONA)
    async with at_work(studio):
        await asyncio.sleep(1.0)
        assert len(studio.tts.calls) == 1
        with studio.activity.turn():
            await asyncio.sleep(0.001)
            assert studio.tts.stopped == 1
            await asyncio.sleep(30)
            assert len(studio.tts.calls) == 1
        await asyncio.sleep(QUIET_S + 3 + QUIET_S)
        assert await studio.has("흠.")


async def test_a_voice_that_only_fails_is_left_alone_and_the_others_are_not(
    studio: Studio,
) -> None:
    studio.tts.error = ProviderError(ErrorKind.SERVER, "broken")
    studio.recorder.want(PERSONA)
    async with at_work(studio):
        await asyncio.sleep(3600)
        assert len(studio.tts.calls) == 3
        studio.tts.error = None
        studio.recorder.want(replace(PERSONA, voice="low"))
        await asyncio.sleep(3600)
    assert {call.voice for call in studio.tts.calls[3:]} == {"low"}
    assert await studio.has("흠.", "low")
    assert not await studio.has("흠.")


async def test_each_persona_is_recorded_in_its_voice(studio: Studio) -> None:
    personas = [replace(PERSONA, voice=voice) for voice in ("low", "high", "", "nobody")]
    for persona in personas:
        studio.recorder.want(persona)
    async with at_work(studio):
        await asyncio.sleep(3600)
    spoken = [(call.text, call.voice) for call in studio.tts.calls]
    assert len(spoken) == len(set(spoken))
    assert {voice for _, voice in spoken} == {"low", "high", ""}  # nobody has the default's
    assert await studio.has("흠.", "nobody")


async def test_a_full_disk_ends_the_recording_and_nothing_else(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordedLines, "_write", full)
    studio.recorder.want(PERSONA)
    async with at_work(studio) as task:
        await asyncio.sleep(60)
        assert task.done()
        assert task.exception() is None


async def test_it_rests_until_a_doll_with_another_character_comes(studio: Studio) -> None:
    async with at_work(studio):
        await asyncio.sleep(60)
        assert studio.tts.calls == []
        studio.recorder.want(PERSONA)
        await asyncio.sleep(60)
        assert studio.tts.calls
