"""A client that others wrote, `xiaozhi-sdk` from PyPI, as it is: paired by its OTA address, a turn
in Opus, an abort, its tools, and a lost connection. Over real sockets."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from xiaozhi_sdk.core import XiaoZhiWebsocket

from relay.devices import mcp
from relay.devices.mcp import VOLUME
from relay.devices.tools import ToolError
from tests.fakes.relay import Relay, running

MAC = "aa:bb:cc:dd:ee:ff"
RATE_HZ = 24_000  # what the client records at; it sends 16 kHz
FRAME = RATE_HZ * 60 // 1000
TONE = (9000 * np.sin(2 * np.pi * 440 * np.arange(FRAME) / RATE_HZ)).astype(np.int16).tobytes()
QUIET = bytes(2 * FRAME)


class Client(XiaoZhiWebsocket):
    """Remembers what it is told."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(self._on_message, ota_url=relay.url.replace("ws", "http", 1)[:-3] + "ota/")
        self.mode = "auto"
        self.told: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def _on_message(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        self._news.set()

    async def until(self, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first such message from here on; everything up to it is forgotten."""
        while True:
            while self.told:
                if is_there(message := self.told.pop(0)):
                    return message
            self._news.clear()
            await self._news.wait()

    async def until_tts(self, state: str) -> None:
        await self.until(lambda m: m["type"] == "tts" and m["state"] == state)

    async def ask(self) -> None:
        """Say something, and be silent for long enough."""
        for _ in range(20):
            await self.send_audio(TONE)
        for _ in range(40):
            await self.send_audio(QUIET)

    def heard(self) -> np.ndarray:
        """What it would have played, at its own 24 kHz."""
        if not self.output_audio_queue:
            return np.empty(0, np.int16)
        played = np.concatenate([np.asarray(block) for block in self.output_audio_queue])
        self.output_audio_queue.clear()
        return played.ravel()

    async def is_closed(self) -> None:
        await asyncio.wait({self.message_handler_task})
        self.message_handler_task.exception()  # seen


pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running() as relay:
        yield relay


async def confirm(relay: Relay) -> None:
    """The owner has heard the code and typed it. The client makes its Client-Id from its MAC."""
    client_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, MAC))
    pending = await relay.dolls.pairing.begin(MAC, client_id, "127.0.0.1")
    await relay.dolls.pairing.confirm(pending.code, source="test")


@asynccontextmanager
async def started(relay: Relay, *tools: dict[str, Any]) -> AsyncIterator[Client]:
    """The client, from its OTA address to its hello."""
    client = Client(relay)
    await client.set_mcp_tool(tools)
    await client.init_connection(MAC)
    try:
        yield client
    finally:
        await client.close()


async def test_it_is_paired_by_the_code_that_it_says_and_then_talks(relay: Relay) -> None:
    async with started(relay) as stranger:
        alert = await stranger.until(lambda m: m["type"] == "alert")
        await stranger.until_tts("start")
        await stranger.until_tts("sentence_start")  # the code, spoken
        activation = (await stranger.ota.activate_device())["activation"]
        assert alert["message"].endswith(activation["code"])
        assert not await stranger.ota.check_activate(activation["challenge"])
        await relay.dolls.pairing.confirm(activation["code"], source="test")
        assert await stranger.ota.check_activate(activation["challenge"])
        await stranger.until(lambda m: m["type"] == "system" and m["command"] == "reboot")
        await stranger.is_closed()
        stranger.ota_task.cancel()  # it restarts, as it was told
        assert stranger.websocket_token == ""
    async with started(relay) as client:
        assert len(client.websocket_token) == 43
        await client.ask()
        assert (await client.until(lambda m: m["type"] == "stt"))["text"] == "안녕"
        await client.until_tts("stop")
    assert [record.id for record in await relay.registry.all()] == [MAC]


async def test_a_whole_turn_is_heard_in_full(relay: Relay) -> None:
    await confirm(relay)
    async with started(relay) as client:
        await client.ask()
        told: list[str] = []
        while told[-1:] != ["stop"]:
            message = await client.until(lambda m: m["type"] in ("stt", "tts", "llm"))
            told.append(message.get("state", message["type"]))
        heard = client.heard()
    assert told == ["stt", "start", "sentence_start", "stop"]
    spoken_s = 2.5  # of a rising tone
    assert len(heard) / RATE_HZ == pytest.approx(spoken_s, abs=0.12)
    middle = heard[RATE_HZ : 2 * RATE_HZ].astype(float)
    assert np.sqrt(np.mean(middle**2)) > 2000
    crossings = np.count_nonzero(np.diff(np.signbit(middle)))
    assert crossings / 2 == pytest.approx(650, rel=0.05)  # 200 + 300 t hertz, from 1 s to 2 s


async def test_an_abort_ends_the_answer_and_the_next_question_is_answered(relay: Relay) -> None:
    relay.tts.seconds_per_clause = 30.0
    await confirm(relay)
    async with started(relay) as client:
        await client.ask()
        await client.until_tts("sentence_start")
        while not client.output_audio_queue:
            await asyncio.sleep(0.01)
        await client.send_abort()
        await client.until_tts("stop")
        assert len(client.heard()) / RATE_HZ < 10
        relay.tts.seconds_per_clause = 0.3
        await client.ask()
        await client.until_tts("start")
        await client.until_tts("stop")
    assert len(relay.llm.requests) == 2


async def test_after_a_lost_connection_it_goes_on_with_the_token_that_it_has(relay: Relay) -> None:
    relay.tts.seconds_per_clause = 0.3
    await confirm(relay)
    async with started(relay) as client:
        await client.ask()
        await client.until_tts("stop")
        client.websocket.transport.abort()
        await client.is_closed()
        await client.connect_websocket(client.websocket_token)
        await client.ask()
        await client.until_tts("start")
        await client.until_tts("stop")
    assert len(relay.llm.requests[1].history) == 2  # it knows what was said before


async def test_its_volume_is_set_by_its_own_tool(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It answers `initialize` only to servers that look at photos. We ask it for its tools anyway.
    monkeypatch.setattr(mcp, "LIST_S", 0.3)
    volumes: list[int] = []

    def set_volume(arguments: dict[str, Any]) -> tuple[str, bool]:
        volumes.append(arguments["volume"])
        return "true", False

    level = {"type": "integer", "minimum": 0, "maximum": 100}
    tool = {
        "name": VOLUME,
        "description": "Set the volume of the audio speaker.",
        "inputSchema": {"type": "object", "properties": {"volume": level}, "required": ["volume"]},
        "tool_func": set_volume,
    }
    await confirm(relay)
    async with started(relay, tool):
        toolbox = relay.dolls._sessions[MAC].device.toolbox
        assert toolbox is not None
        while VOLUME not in toolbox:
            await asyncio.sleep(0.01)
        assert await toolbox.call_tool(VOLUME, {"volume": 35}) == '"true"'
        with pytest.raises(ToolError):
            await toolbox.call_tool(VOLUME, {"volume": 350})
    assert volumes == [35]
