"""Notices what is changed in the registry, by this process or by another one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

#: How often it looks: a revoked doll is out after this time at the latest. One look is one short
#: query: 0.8 ms of a core, four times a second.
LOOK_S = 0.25

#: Called with whether something has changed since the last time.
Follower = Callable[[bool], Awaitable[None]]


class Watch:
    """Calls its followers after each look, one after another. Run it in one task."""

    def __init__(self, generation: Callable[[], Awaitable[int]]) -> None:
        self._generation = generation
        self._followers: list[Follower] = []
        self._wake = asyncio.Event()

    def follow(self, follower: Follower) -> None:
        """Call `follower` from now on. What it raises of the database is logged, and tried anew."""
        self._followers.append(follower)

    def look_now(self) -> None:
        """Do not wait for the next look."""
        self._wake.set()

    async def run(self) -> None:
        """Look for ever."""
        known: int | None = None
        works = True
        while True:
            try:
                generation = await self._generation()
                for follower in self._followers:
                    await follower(generation != known)
                known = generation
                works = True
            except (SQLAlchemyError, OSError) as error:
                if works:  # told once, however long it lasts
                    structlog.get_logger().error("database", why=type(error).__name__)
                works = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()
