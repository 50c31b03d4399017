"""Audio that is dealt with where it arrives, over real sockets."""

from __future__ import annotations

import json
from typing import Any

from relay.audio import Pcm
from relay.wire.connection import Connection

LISTEN = '{"type":"listen","state":"start"}'


class Listener:
    """Takes the first packets; what comes then is left over."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.lengths: list[int] = []

    def __call__(self, pcm: Pcm) -> bool:
        self.lengths.append(len(pcm))
        return len(self.lengths) <= self.takes


async def attached(server: Any, client: Any, takes: int) -> Listener:
    """A listener from the next receive on."""
    (connection,) = server.alive
    assert isinstance(connection, Connection)
    listener = connection.at_once = Listener(takes)
    await client.send(LISTEN)
    assert json.loads(await client.recv())["type"] == "stt"
    return listener


async def test_audio_that_is_taken_is_not_received(server: Any, tools: Any) -> None:
    async with server.doll() as client:
        listener = await attached(server, client, takes=3)
        for _ in range(3):
            await client.send(tools.packet())
        await client.send(LISTEN)
        assert json.loads(await client.recv())["type"] == "stt"  # and no audio before it
        assert listener.lengths == [512] * len(listener.lengths)
        assert listener.lengths


async def test_what_is_wrong_with_a_packet_is_answered_as_ever(server: Any, tools: Any) -> None:
    async with server.doll() as client:
        await attached(server, client, takes=3)
        await client.send(b"\x00" * 10)
        assert json.loads(await client.recv())["code"] == "bad_audio"
        await client.send(LISTEN)
        assert json.loads(await client.recv())["type"] == "stt"
