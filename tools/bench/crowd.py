"""Many dolls in one process, cheap enough that what is measured is the relay.

One timer for all of them: a wheel of slots a millisecond apart, each with the dolls whose packet is
sent then. Packets are made beforehand; of what comes, only the kind is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

from tools.bench.spoken import Codec, message
from tools.bench.talk import Seen, Talk

#: The dolls that connect at the same moment, and the slots of the wheel in a second.
_AT_ONCE, _SLOTS_PER_S = 20, 1000

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class Crowd:
    """Dolls that rest until `talk`. Closed by `close`."""

    def __init__(self, codec: Codec, seed: int = 1) -> None:
        self.seen = Seen()
        self.lag_s: list[float] = []  #: by how much each slot was late: the client's own trouble
        self._codec = codec
        self._random = Random(seed)  # noqa: S311
        self._dolls: list[_Doll] = []
        slots = round(codec.packet_s * _SLOTS_PER_S)
        self._wheel: list[list[_Doll]] = [[] for _ in range(slots)]
        self._turning: asyncio.TimerHandle | None = None

    async def connect(self, url: str, tokens: Mapping[str, str]) -> None:
        """Add a doll for each name in `tokens`."""
        names = list(tokens)
        for at in range(0, len(names), _AT_ONCE):
            await asyncio.gather(
                *(self._connect(url, name, tokens[name]) for name in names[at : at + _AT_ONCE])
            )

    def talk(self, dolls: int, within_s: float) -> None:
        """Let so many talk, and the others rest. Those that rested begin one after another."""
        now = perf_counter()
        for number, doll in enumerate(self._dolls):
            if number >= dolls:
                doll.talk.wakes_at = None
            elif doll.talk.wakes_at is None:
                doll.talk.wakes_at = now + self._random.uniform(0, within_s)
        if self._turning is None:
            self._turn(perf_counter(), 0)

    def listen(self, dolls: int, within_s: float = 1.0) -> None:
        """Let so many open their microphones in a quiet room, and say nothing."""
        for doll in self._dolls[:dolls]:
            doll.talk.speaks = False
        self.talk(dolls, within_s)

    def look(self) -> Seen:
        """What was seen since the last look."""
        seen, self.seen = self.seen, Seen()
        self.lag_s.clear()
        return seen

    async def close(self) -> None:
        if self._turning is not None:
            self._turning.cancel()
        for doll in self._dolls:
            doll.leave()
        await asyncio.gather(*(doll.gone for doll in self._dolls))

    async def _connect(self, url: str, name: str, token: str) -> None:
        where = urlsplit(url)
        slot = self._wheel[len(self._dolls) % len(self._wheel)]
        dice = Random(self._random.random())  # noqa: S311
        talk = Talk(self._codec, dice, lambda: self.seen)
        doll = _Doll(talk, self._codec.hello)
        self._dolls.append(doll)
        slot.append(doll)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: doll, where.hostname or "", where.port or 80)
        doll.upgrade(where.path or "/", where.netloc, name, token)
        async with asyncio.timeout(30):
            await doll.greeted

    def _turn(self, began: float, slot: int) -> None:
        """Send what the slots have that are due by now, and come back for the next one."""
        now = perf_counter()
        due = began + slot / _SLOTS_PER_S
        self.lag_s.append(now - due)
        while due <= now:
            for doll in self._wheel[slot % len(self._wheel)]:
                doll.tick()
            slot += 1
            due = began + slot / _SLOTS_PER_S
        loop = asyncio.get_running_loop()
        self._turning = loop.call_later(max(0.0, due - perf_counter()), self._turn, began, slot)


class _Doll(asyncio.Protocol):
    """One WebSocket, by hand: the relay's messages are small, whole and not masked."""

    def __init__(self, talk: Talk, hello: bytes) -> None:
        self.talk = talk
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._hello = hello
        self._upgraded = False
        self._leaving = False
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def upgrade(self, path: str, host: str, name: str, token: str) -> None:
        """Ask for the WebSocket, and say hello behind the answer."""
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Protocol-Version: 1\r\nDevice-Id: {name}\r\nClient-Id: {name}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        assert self._transport is not None
        self._transport.write(head.encode())

    def tick(self) -> None:
        if self._transport is not None and (data := self.talk.tick(perf_counter())):
            self._transport.write(data)

    def leave(self) -> None:
        """Close; not counted as an end by the relay."""
        self._leaving = True
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head[:80]
            self._upgraded = True
            assert self._transport is not None
            self._transport.write(self._hello)
        at = 0
        while len(data) - at >= 2:
            size, payload = data[at + 1], at + 2
            if size == 126:
                size, payload = int.from_bytes(data[at + 2 : at + 4]), at + 4
            if len(data) - payload < size or payload - at > len(data) - at:
                break
            self._take(data[at] & 0x0F, data[payload : payload + size])
            at = payload + size
        self._rest = data[at:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _BINARY:
            self.talk.audio(perf_counter())
        elif opcode == _TEXT:
            if not self.greeted.done():
                self.greeted.set_result(None)
            elif b'"tts"' in payload:
                if b'"start"' in payload:
                    self.talk.started()
                elif b'"stop"' in payload:
                    self.talk.stopped()
        elif opcode == _PING and self._transport is not None:
            self._transport.write(message(_PONG, payload))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self._leaving:
            self.talk.closed()
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError("the relay did not greet the doll"))
        self.gone.set_result(None)
        self._transport = None
