"""Keeps a doll from being silent while its answer takes time, whatever it is that takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from relay.audio import Pcm
from relay.turn.reply import Reply
from relay.turn.settings import TurnSettings

Sound = tuple[Pcm, int]
"""Samples and their rate in hertz."""


class Fillers:
    """The fillers of one turn."""

    def __init__(
        self,
        reply: Reply,
        settings: TurnSettings,
        sound: Callable[[str], Awaitable[Sound]],
        begin: Callable[[], Awaitable[None]],
        since: float,
    ) -> None:
        """`sound` finds one for the key of a line; `begin` is called before each, for what the doll
        has to be told. `since` is when the question was over, in the loop's seconds."""
        self._reply = reply
        self._settings = settings
        self._sound = sound
        self._begin = begin
        self._since = since
        self._known = asyncio.Event()
        self._begun = False
        self.said = 0

    def hurry(self) -> None:
        """It is known that the answer will take long: say the first filler now."""
        if not self._begun:
            self._known.set()

    async def run(self) -> None:
        """Say fillers until the answer has begun, or there were enough of them."""
        due = self._since + self._settings.filler_after_s
        while self.said < self._settings.max_fillers:
            await self._until(due)
            if self._reply.begun:
                return
            self._begun = True
            await self._begin()
            key = "filler.waiting" if self.said else "filler.thinking"
            if not await self._reply.fill(*await self._sound(key)):
                return
            self.said += 1
            due = self._reply.quiet_from + self._settings.filler_again_s

    async def _until(self, due: float) -> None:
        try:
            async with asyncio.timeout_at(due):
                await self._known.wait()
        except TimeoutError:
            return
        self._known.clear()
