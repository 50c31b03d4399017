"""A recorder that is switched on from outside, over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from websockets.asyncio.client import ClientConnection

from relay.recorder.shelf import FOLDER, Recordings
from relay.recorder.sign import Sign
from relay.wire.messages import Alert, RecorderState, RelayMessage
from tests.fakes.connection import LOUD
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket

HELLO: dict[str, Any] = {
    "type": "hello",
    "features": {"recorder": True},
    "audio_params": {"format": "pcm", "sample_rate": 16000, "frame_duration": 32},
}


@asynccontextmanager
async def doll(relay: Relay, name: str = "doll-1") -> AsyncIterator[ClientConnection]:
    headers = {"Device-Id": name, "Authorization": f"Bearer {await relay.token(name)}"}
    async with doll_socket(relay.url, headers) as socket:
        await socket.send(json.dumps(HELLO))
        assert json.loads(await socket.recv())["type"] == "hello"
        yield socket


async def ask(socket: ClientConnection) -> int:
    """One turn; how many frames the answer had."""
    await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
    for _ in range(20):
        await socket.send(LOUD.tobytes())
    await socket.send(json.dumps({"type": "listen", "state": "stop"}))
    frames = 0
    while True:
        message = await socket.recv()
        if isinstance(message, bytes):
            frames += 1
        elif json.loads(message) == {"type": "recorder", "state": "on"}:
            raise AssertionError("told twice")
        elif json.loads(message).get("state") == "stop":
            return frames


async def message(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        told: dict[str, Any] = json.loads(await socket.recv())
    return told


async def kept(relay: Relay, turns: int) -> Path:
    recordings = Recordings(relay.data / FOLDER, relay.services.settings.recorder)
    async with asyncio.timeout(20):
        while len(found := recordings.list()) < turns:
            await asyncio.sleep(0.02)
    assert len(found) == turns
    return found[-1].folder


async def test_turns_are_recorded_from_when_the_doll_was_told_until_it_is_over() -> None:
    async with running() as relay, doll(relay) as socket:
        await ask(socket)
        assert not (relay.data / FOLDER).exists()
        await relay.registry.record_until("doll-1", int(time.time()) + 3600)
        assert await message(socket) == {"type": "recorder", "state": "on"}
        frames = await ask(socket)
        folder = await kept(relay, 1)
        about = json.loads((folder / "turn.json").read_text())
        assert (about["transcript"], about["subtitles"]) == ("안녕", ["그건 나도 잘 모르겠어."])
        assert about["since_speech_end_ms"]["first_audio"] >= 0
        assert (folder / "question.wav").stat().st_size > 10 * LOUD.nbytes
        assert (folder / "answer.wav").stat().st_size == 44 + frames * 1024
        await relay.registry.record_until("doll-1", None)
        assert await message(socket) == {"type": "recorder", "state": "off"}
        await ask(socket)
        await kept(relay, 1)


async def test_only_the_doll_whose_owner_asked_is_recorded() -> None:
    async with running() as relay, doll(relay, "one") as one, doll(relay, "two") as two:
        await relay.registry.record_until("one", int(time.time()) + 3600)
        assert (await message(one))["state"] == "on"
        await ask(two)
        await ask(one)
        assert (await kept(relay, 1)).parent.name == "one"


async def test_a_new_session_is_told_again() -> None:
    async with running() as relay:
        async with doll(relay):
            pass
        await relay.registry.record_until("doll-1", int(time.time()) + 3600)
        for _ in range(2):
            async with doll(relay) as socket:
                assert await message(socket) == {"type": "recorder", "state": "on"}


class Clock:
    """The loop's virtual time as Unix time."""

    @staticmethod
    def time() -> float:
        return asyncio.get_running_loop().time()


@pytest.mark.virtual_time
async def test_it_ends_by_itself_and_nothing_is_recorded_before_the_doll_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relay.recorder.sign.time", Clock)
    sent: list[tuple[float, RelayMessage]] = []
    start = Clock.time()

    async def slow(message: RelayMessage) -> None:
        await asyncio.sleep(1)
        sent.append((Clock.time() - start, message))

    until = int(start) + 60
    log = structlog.get_logger()
    sign = Sign(slow, lambda: until, log, has_light=True, language="ko")
    sign.update()
    await asyncio.sleep(0.5)
    assert not sign.is_shown
    await asyncio.sleep(1)
    assert sign.is_shown
    await asyncio.sleep(until - Clock.time() + 0.01)
    assert not sign.is_shown
    await asyncio.sleep(5)
    assert [message for _, message in sent] == [RecorderState("on"), RecorderState("off")]
    sign.close()


async def test_a_board_without_such_a_light_is_sent_words() -> None:
    sent: list[RelayMessage] = []

    async def send(message: RelayMessage) -> None:
        sent.append(message)

    until: list[int | None] = [int(time.time()) + 60]
    log = structlog.get_logger()
    sign = Sign(send, lambda: until[0], log, has_light=False, language="en")
    sign.update()
    while not sign.is_shown:
        await asyncio.sleep(0)
    until[0] = None
    sign.update()
    while len(sent) < 2:
        await asyncio.sleep(0)
    assert sent == [
        Alert("Recording", "My owner has this conversation recorded from now on."),
        Alert("Recording", "The recording is over."),
    ]
    sign.close()
