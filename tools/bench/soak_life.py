"""The life of a doll in the soak: it comes, is talked with, interrupted, loses its link, goes on,
and leaves. Everything is drawn from a seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

from relay.errors import ErrorKind, ProviderError
from tools.bench.scripted import Trouble
from tools.bench.virtual import MemoryRelay
from tools.bench.virtual_doll import QUIET, VirtualDoll

#: Short, so that an hour holds many turns.
ANSWER = "흥, 왜 불렀어? 할 말 있으면 빨리 해."

_KINDS = (
    ErrorKind.RATE,
    ErrorKind.QUOTA,
    ErrorKind.AUTH,
    ErrorKind.NETWORK,
    ErrorKind.SERVER,
    ErrorKind.BAD_REQUEST,
    ErrorKind.BLOCKED,
)

#: What happens with a doll, and how often.
ACTS = ("hear", "interrupt", "interrupt early", "drop", "resume", "slip", "silence", "hands-free")
_WEIGHTS = (30, 12, 6, 6, 16, 4, 4, 16)


def trouble(random: Random, chance: float, counts: Counter[str]) -> Trouble:
    """A provider that fails by chance, in every way that there is a word for, or by a bug."""

    def fail() -> Exception | None:
        if random.random() >= chance:
            return None
        counts["failures of providers"] += 1
        if random.random() < 0.1:
            return RuntimeError("a bug of the provider, as drawn")
        return ProviderError(random.choice(_KINDS), "as drawn")

    return fail


class Life:
    """One doll, from when it comes to when it leaves for good. `counts` is of all dolls."""

    def __init__(
        self, relay: MemoryRelay, name: str, token: str, random: Random, counts: Counter[str]
    ) -> None:
        self._relay, self._name, self._token = relay, name, token
        self._random, self._counts = random, counts
        self._doll: VirtualDoll | None = None

    async def live(self, until: float) -> None:
        """Until this moment of the loop, or a little longer."""
        now = asyncio.get_running_loop().time
        await asyncio.sleep(self._random.uniform(0, 10))
        try:
            while now() < until:
                (act,) = self._random.choices(ACTS, _WEIGHTS)
                try:
                    doll = self._doll or await self._come()
                    await self._do(act, doll)
                    self._counts[act] += 1
                except ConnectionError:  # it was shut out; it comes back with a new socket
                    self._counts["closed by the relay"] += 1
                    await self._go()
                await asyncio.sleep(self._random.uniform(0.5, 8))
                if self._random.random() < 0.1:
                    await self._go()
        finally:
            await self._go()

    async def _do(self, act: str, doll: VirtualDoll) -> None:
        stops = doll.stops
        match act:
            case "slip":
                doll.begin("manual")
                doll.let_go()
                await asyncio.sleep(1)
                return
            case "silence":
                doll.begin("auto")
                await doll.speak(2, QUIET)
            case "hands-free":
                doll.begin("auto")
                await doll.speak(1)
                await doll.speak(1.5, QUIET)
                await doll.stopped(stops)
                doll.report()
                return
            case _:
                await doll.hold(self._random.uniform(0.5, 2))
        match act:
            case "hear":
                await doll.stopped(stops)
                doll.report()
            case "interrupt" | "silence":
                await asyncio.sleep(self._random.uniform(0, 3))
                doll.abort()
                await doll.stopped(stops)
            case "interrupt early":
                await asyncio.sleep(self._random.uniform(0, 0.4))
                doll.begin("manual")  # with the next question
                await doll.speak(0.7)
                doll.abort()
                await doll.stopped(stops)
            case "drop" | "resume":
                await asyncio.sleep(self._random.uniform(0, 3))
                await self._go(1006)
                if act == "resume":
                    await asyncio.sleep(self._random.uniform(0, 20))
                    again = await self._come(session_id=doll.session_id, received=doll.received)
                    self._counts["resumed"] += again.resumed
                    await asyncio.sleep(3)

    async def _come(self, **resume: object) -> VirtualDoll:
        self._doll = VirtualDoll(self._relay.connect(self._name, self._token))
        await self._doll.hello(**resume)
        self._counts["connections"] += 1
        return self._doll

    async def _go(self, code: int = 1000) -> None:
        doll, self._doll = self._doll, None
        if doll is not None:
            await doll.leave(code)


async def together(lives: Sequence[Life], until: float) -> None:
    """Let them all live."""
    await asyncio.gather(*(life.live(until) for life in lives))
