"""A doll that reaches its relay over a bad network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from tests.fakes.relay import Relay, running
from tools.faults.sound import audible
from tools.simulator.console import Item, LogLine
from tools.simulator.doll import SimulatedDoll
from tools.simulator.network import Network

DOLL = "24:6f:28:00:00:01"


class World:
    """A doll, its relay, and the network between them."""

    def __init__(self, relay: Relay | None, network: Network, doll: SimulatedDoll) -> None:
        self._relay = relay
        self.network = network
        self.doll = doll
        self.lines: list[str] = []
        self._plans: list[tuple[str, Callable[[], None]]] = []

    @property
    def relay(self) -> Relay:
        assert self._relay is not None
        return self._relay

    def when(self, line: str, do: Callable[[], None]) -> None:
        """Do that, once, when the doll logs a line that begins so."""
        self._plans.append((line, do))

    def take(self, item: Item) -> None:
        if not isinstance(item, LogLine):
            return
        self.lines.append(item.message)
        for plan in self._plans:
            if item.message.startswith(plan[0]):
                self._plans.remove(plan)
                plan[1]()
                break

    def drop(self, after_s: float = 0.0, away_s: float = 0.0) -> None:
        """Break the link, and keep it away for a while."""
        loop = asyncio.get_running_loop()

        def now() -> None:
            self.network.is_up = away_s == 0
            self.network.drop()
            loop.call_later(away_s, setattr, self.network, "is_up", True)

        loop.call_later(after_s, now)

    def played(self) -> Pcm:
        """What the speaker has played, without the silence."""
        return audible(self.doll.played())

    def count(self, line: str) -> int:
        return sum(logged.startswith(line) for logged in self.lines)


@pytest.fixture
def world() -> Callable[..., Any]:
    """`async with world() as w`: a doll that is ready for a question.

    It has a relay with these settings of a turn, or that of `url`, which knows the doll's `token`.
    """

    @asynccontextmanager
    async def make(url: str = "", token: str = "", **turn: Any) -> AsyncIterator[World]:
        async with AsyncExitStack() as stack:
            relay = None if url else await stack.enter_async_context(running(turn=turn))
            network = Network()
            doll = SimulatedDoll(
                relay.url if relay else url,
                device_id=DOLL,
                token=await relay.token(DOLL) if relay else token,
                settings={"volume": 100, "sounds": False},
                network=network,
                on_item=lambda item: w.take(item),
            )
            w = World(relay, network, doll)
            async with doll:
                await doll.ready()
                yield w

    return make


@pytest.fixture
def question() -> Pcm:
    """Half a second of a tone."""
    t = np.arange(RATE_HZ // 2) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * 500 * t)).astype(np.int16)
