"""Dolls with different personas speak with different voices, also at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import structlog
from websockets.asyncio.client import ClientConnection

from relay.audio import FRAME_SAMPLES, Pcm
from relay.models import KOKORO, ensure
from relay.persona.personas import Personas
from relay.tts.base import TextToSpeech
from relay.tts.cache import ClauseCache
from relay.tts.kokoro import KokoroTextToSpeech
from relay.tts.kokoro_engine import KokoroEngine
from relay.tts.voices.own import OwnTextToSpeech
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual, OwnVoices
from relay.worker import Worker
from tests.fakes.connection import LOUD
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import (
    FakeVoiceServer,
    other_voice,
    serving_voices,
    shelf_with,
    voice_of,
)


class Doll:
    """A doll on a socket, that asks and keeps what it hears."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def ask(self) -> Pcm:
        """The samples of the answer."""
        start = {"type": "listen", "state": "start", "mode": "manual"}
        await self._socket.send(json.dumps(start))
        for _ in range(20):
            await self._socket.send(LOUD.tobytes())
        await self._socket.send(json.dumps({**start, "state": "stop"}))
        heard = []
        async with asyncio.timeout(60):
            while True:
                message = await self._socket.recv()
                if isinstance(message, bytes):
                    heard.append(np.frombuffer(message, np.int16))
                elif json.loads(message).get("state") == "stop":
                    return np.concatenate(heard)


class Home:
    """A relay whose dolls have personas of their own."""

    def __init__(self, relay: Relay, folder: Path) -> None:
        self.relay = relay
        self._folder = folder
        relay.services.personas = Personas(folder)
        relay.llm.pieces = ["안녕."]

    def persona(self, name: str, voice: str) -> None:
        """Write a persona with this voice."""
        text = f'name = "{name}"\nlanguages = ["ko"]\ncharacter = "명랑하다"\nvoice = "{voice}"\n'
        (self._folder / f"{name}.toml").write_text(text, encoding="utf-8")

    @asynccontextmanager
    async def doll(self, device: str, voice: str) -> AsyncIterator[Doll]:
        """A doll that is connected, with a persona of this voice."""
        self.persona(device, voice)
        token = await self.relay.token(device)
        await self.relay.registry.change(device, persona=device)
        headers = {"Device-Id": device, "Client-Id": device, "Authorization": f"Bearer {token}"}
        hello = {
            "type": "hello",
            "audio_params": {
                "format": "pcm",
                "sample_rate": 16_000,
                "frame_duration": FRAME_SAMPLES // 16,
            },
        }
        async with doll_socket(self.relay.url, headers) as socket:
            await socket.send(json.dumps(hello))
            await socket.recv()
            yield Doll(socket)


@asynccontextmanager
async def home(folder: Path, tts: TextToSpeech) -> AsyncIterator[Home]:
    async with running() as relay:
        relay.services.tts = tts
        yield Home(relay, folder)


def nobody() -> OwnVoices:
    raise AssertionError("nobody has an own voice")


async def check_that_they_do_not_mix(one: Doll, other: Doll) -> None:
    """Each speaks together with the other as it does alone."""
    for doll in (one, other):
        await doll.ask()  # a voice learns how loud it is
    alone = [await doll.ask() for doll in (one, other)]
    together = await asyncio.gather(one.ask(), other.ask())
    for before, now in zip(alone, together, strict=True):
        assert len(before) > 0.2 * 16_000
        assert differ(before, now) < 50
    assert differ(*together) > 1_000


def differ(one: Pcm, other: Pcm) -> int:
    """How far samples are apart at most. The gain of a voice is learned on, by a thousandth."""
    if len(one) != len(other):
        return 65_536
    return int(np.abs(one.astype(np.int32) - other).max())


@pytest.mark.models
async def test_two_dolls_speak_at_once_with_two_voices_of_one_embedded_model(
    tmp_path: Path,
) -> None:
    engine = await asyncio.to_thread(KokoroEngine, ensure(KOKORO), 1)
    kokoro = KokoroTextToSpeech(engine, Worker("test"), cache=ClauseCache(0))  # keeps nothing
    tts = OwnOrUsual(VoiceShelf.of(tmp_path), nobody, kokoro)
    async with (
        home(tmp_path, tts) as family,
        family.doll("one", "jf_alpha") as one,
        family.doll("other", "jm_kumo") as other,
    ):
        await check_that_they_do_not_mix(one, other)


def own_voices(server: FakeVoiceServer, shelf: VoiceShelf, usual: FakeTextToSpeech) -> OwnOrUsual:
    open_own = partial(OwnTextToSpeech, "", shelf, server.settings(), usual.rate_hz)
    return OwnOrUsual(shelf, open_own, usual)


@pytest.fixture
def shelf(tmp_path: Path) -> VoiceShelf:
    shelf = shelf_with(tmp_path)
    shelf.add(*other_voice("sua"))
    return shelf


async def test_two_dolls_speak_at_once_with_two_own_voices_of_one_server(
    tmp_path: Path, shelf: VoiceShelf
) -> None:
    usual = FakeTextToSpeech(rate_hz=24_000)
    async with (
        serving_voices() as server,
        home(tmp_path, own_voices(server, shelf, usual)) as family,
        family.doll("one", "own:jinju") as one,
        family.doll("other", "own:sua") as other,
    ):
        await check_that_they_do_not_mix(one, other)
        assert server.uploads == 2
        keys = {shelf.get(name).key for name in ("jinju", "sua")}
        assert {clause["voice"] for clause in server.clauses} == keys
    assert usual.calls == []


async def test_a_doll_whose_own_voice_is_deleted_has_the_usual_one_and_the_others_keep_theirs(
    tmp_path: Path, shelf: VoiceShelf
) -> None:
    usual = FakeTextToSpeech(rate_hz=24_000)
    async with (
        serving_voices() as server,
        home(tmp_path, own_voices(server, shelf, usual)) as family,
        family.doll("one", "own:jinju") as one,
        family.doll("other", "own:sua") as other,
    ):
        shelf.remove("sua")
        with structlog.testing.capture_logs() as logs:
            for _ in range(2):
                await asyncio.gather(one.ask(), other.ask())
        assert {clause["voice"] for clause in server.clauses} == {voice_of()[0].key}
        assert (len(server.clauses), len(usual.calls)) == (2, 2)
        missed = [log for log in logs if log["event"].startswith("voice not known")]
        assert [log["voice"] for log in missed] == ["own:sua"]


async def test_an_edited_or_another_persona_is_heard_from_the_next_turn_on(
    tmp_path: Path, shelf: VoiceShelf
) -> None:
    usual = FakeTextToSpeech(rate_hz=24_000)
    async with (
        serving_voices() as server,
        home(tmp_path, own_voices(server, shelf, usual)) as family,
        family.doll("one", "low") as one,
    ):
        await one.ask()
        family.persona("one", "high")
        await asyncio.to_thread(family.relay.services.personas.look)
        await one.ask()
        assert [call.voice for call in usual.calls] == ["low", "high"]
        family.persona("two", "own:sua")
        await family.relay.registry.change("one", persona="two")
        async with asyncio.timeout(20):
            while not server.voices:  # left there before the doll speaks
                await asyncio.sleep(0.01)
        await one.ask()
        assert [clause["voice"] for clause in server.clauses] == [shelf.get("sua").key]
