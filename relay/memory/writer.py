"""Writes what is new behind the turns: none of them waits for the disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.memory.store import MemoryStore, News

#: News that wait for a database which does not answer; of more, the oldest are lost.
MAX_WAITING = 4_096

#: News that one transaction writes.
_AT_ONCE = 256

_RETRY_S = (0.2, 1.0, 5.0)

_log = structlog.get_logger(__name__)


class Writer:
    """One task for the relay. What `put` has taken is on disk some milliseconds later: at the next
    transaction, which takes all that waits."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._waiting: deque[News] = deque()
        self._lost = 0
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, news: News) -> None:
        """Have something written. Returns at once."""
        self._waiting.append(news)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._empty.clear()
        self._wake.set()

    async def flushed(self, timeout_s: float) -> bool:
        """Wait until all is on disk; False if it is not by then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        return self._empty.is_set()

    async def run(self) -> None:
        """Write for ever. Cancelled, it leaves what waits; see `flushed`."""
        failures = 0
        while True:
            if not self._waiting:
                self._wake.clear()
                self._empty.set()
                await self._wake.wait()
            news = [self._waiting[at] for at in range(min(_AT_ONCE, len(self._waiting)))]
            lost = self._lost
            try:
                await self._store.keep(news)
            except (SQLAlchemyError, OSError) as error:
                if not failures:  # told once, however long it lasts
                    _log.error("memory is not written", why=type(error).__name__)
                await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
                continue
            if failures:
                _log.info("memory is written again", lost=self._lost)
            failures = 0
            for _ in range(len(news) - (self._lost - lost)):  # the oldest may have gone meanwhile
                self._waiting.popleft()
