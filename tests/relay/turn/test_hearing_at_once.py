"""Frames that come one by one, each heard where it arrives, over real sockets.

What is sent in one go waits in line and is heard by the doll's task. A real doll sends a frame when
it has recorded one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection

from relay.audio import Pcm
from tests.fakes.connection import LOUD, QUIET
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket
from tests.fakes.stt import FakeSpeechToText


@asynccontextmanager
async def listening(relay: Relay, mode: str) -> AsyncIterator[ClientConnection]:
    """A doll whose relay listens."""
    headers = {"Device-Id": "one", "Authorization": f"Bearer {await relay.token('one')}"}
    hello = {"type": "hello", "audio_params": {"format": "pcm", "frame_duration": 32}}
    async with doll_socket(relay.url, headers) as socket:
        await socket.send(json.dumps(hello))
        await socket.recv()
        await socket.send(json.dumps({"type": "listen", "state": "start", "mode": mode}))
        await _has_arrived(socket)
        yield socket


async def say(socket: ClientConnection, frame: Pcm, times: int) -> None:
    for _ in range(times):
        await socket.send(frame.tobytes())
        await _has_arrived(socket)


async def _has_arrived(socket: ClientConnection) -> None:
    """All that was sent has: a pong comes after what was sent before its ping."""
    await (await socket.ping())


async def _until_stop(socket: ClientConnection) -> list[dict[str, Any]]:
    texts = []
    async for message in socket:
        if isinstance(message, str):
            texts.append(json.loads(message))
            if texts[-1].get("state") == "stop":
                break
    return texts


def _recogniser(relay: Relay) -> FakeSpeechToText:
    stt = relay.services.stt
    assert isinstance(stt, FakeSpeechToText)
    return stt


async def test_listening_ends_when_nobody_speaks() -> None:
    async with running(turn={"no_speech_s": 0.5}) as relay, listening(relay, "auto") as socket:
        await say(socket, QUIET, 20)
        async with asyncio.timeout(10):
            assert (await _until_stop(socket))[-1]["type"] == "tts"
        assert not _recogniser(relay).calls


async def test_what_was_said_is_recognised_before_the_button_is_let_go() -> None:
    async with running() as relay, listening(relay, "manual") as socket:
        await say(socket, LOUD, 20)
        await say(socket, QUIET, 25)
        assert len(_recogniser(relay).calls) == 1


async def test_a_held_turn_is_answered_at_its_limit() -> None:
    async with (
        running(endpoint={"max_utterance_s": 1}) as relay,
        listening(relay, "manual") as socket,
    ):
        relay.tts.seconds_per_clause = 0.1
        await say(socket, LOUD, 40)
        async with asyncio.timeout(10):
            await _until_stop(socket)
        assert len(_recogniser(relay).calls) == 1
