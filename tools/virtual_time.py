"""An event loop whose clock jumps to the next timer as soon as nothing else can happen.

Hours of waiting take no time, and the same test takes the same course on any machine. What goes on
outside of the loop is either waited for or refused: while a thread works (`run_in_executor`,
`to_thread`, `wrap_future`) the clock stands still; sockets and child processes are refused, since
nobody can know what they are about to do.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest import mock

#: How long a thread may work, in real time, before the test is given up.
THREAD_LIMIT_S = 60.0


class DeadlockError(RuntimeError):
    """Nothing is ready, no timer is set, no thread works: nothing can ever happen again."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at 0 seconds, and runs on time that only ever passes in jumps."""

    def __init__(self) -> None:
        self._now = 0.0
        self._outside: set[asyncio.Future[Any]] = set()
        # How threads answer a loop: Executor futures come into it through this function alone.
        self._patches = [
            mock.patch.object(asyncio, "wrap_future", self._wrap_future),
            mock.patch.object(asyncio.futures, "wrap_future", self._wrap_future),
        ]
        super().__init__(_Jumps(self))
        for patch in self._patches:
            patch.start()

    def time(self) -> float:
        return self._now

    def close(self) -> None:
        if not self.is_closed():
            for patch in self._patches:
                patch.stop()
        super().close()

    async def shutdown_default_executor(self, *args: Any) -> None:
        """End the threads, which say so by a way of their own."""
        ending = self.create_future()
        self._outside.add(ending)
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._outside.discard(ending)

    def jump(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._now += seconds

    @contextmanager
    def standing(self) -> Iterator[None]:
        """The clock stands still in this block: a thread is asked that answers in its own way."""
        asking = self.create_future()
        self._outside.add(asking)
        try:
            yield
        finally:
            self._outside.discard(asking)

    @property
    def waits_for_thread(self) -> bool:
        """Whether a thread still has something to tell the loop."""
        return bool(self._outside)

    def _wrap_future(
        self,
        future: Future[Any] | asyncio.Future[Any],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Future[Any]:
        wrapped = _wrap_future(future, loop=loop)
        if wrapped is not future and wrapped.get_loop() is self:
            self._outside.add(wrapped)
            wrapped.add_done_callback(self._outside.discard)
        return wrapped


_wrap_future = asyncio.wrap_future


class _Jumps(selectors.DefaultSelector):
    """Where the loop would sleep. The one file it watches is the pipe by which threads wake it."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.get_map():
            raise RuntimeError("virtual time has no sockets or processes: give the code fakes")
        return super().register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._loop.waits_for_thread:
            if ready := super().select(THREAD_LIMIT_S):
                return ready
            raise DeadlockError(f"a thread did not come back in {THREAD_LIMIT_S:.0f} real seconds")
        if timeout is None:
            waiting = "\n".join(f"  {task!r}" for task in asyncio.all_tasks(self._loop))
            raise DeadlockError(f"nothing can ever happen again; these tasks wait:\n{waiting}")
        self._loop.jump(timeout)
        return []
