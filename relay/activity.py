"""Whether anybody talks with a doll just now, so that work that can wait does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


class Activity:
    """One for the whole relay: sessions say when somebody speaks and while a turn runs."""

    def __init__(self) -> None:
        self._turns = 0
        self._last = float("-inf")
        self._noticed = asyncio.Event()

    def notice(self) -> None:
        """Somebody has begun to speak."""
        self._last = asyncio.get_running_loop().time()
        self._noticed.set()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn runs inside of this."""
        self._turns += 1
        self.notice()
        try:
            yield
        finally:
            self._turns -= 1
            self._last = asyncio.get_running_loop().time()

    async def spare(self, work: Callable[[], Coroutine[Any, Any, None]], quiet_s: float) -> None:
        """Do `work` once nobody has talked for `quiet_s`.

        When somebody does, it is cancelled at once, and begins anew after the next quiet. What it
        raises is raised.
        """
        while True:
            await self._quiet(quiet_s)
            task = asyncio.create_task(work())
            noticed = asyncio.create_task(self._noticed.wait())
            try:
                await asyncio.wait((task, noticed), return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return task.result()
            finally:
                for running in (task, noticed):
                    running.cancel()
                await asyncio.wait((task, noticed))

    async def _quiet(self, quiet_s: float) -> None:
        while (wait_s := self._wait_s(quiet_s)) > 0:  # noqa: ASYNC110 (a moment that may move on)
            await asyncio.sleep(wait_s)
        self._noticed.clear()

    def _wait_s(self, quiet_s: float) -> float:
        if self._turns:
            return quiet_s
        return self._last + quiet_s - asyncio.get_running_loop().time()
