"""Work that blocks, off the event loop, bounded: one thread for each model that takes the CPU."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from relay.errors import ErrorKind, ProviderError

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions one after another in a thread of its own, or in a few.

    One thread is for what takes the CPU; more are for what waits for something else. At most
    `waiting` calls wait behind those that run; one more is refused with RATE at once, so that a
    burst of dolls costs an answer, not memory or everybody's patience.
    """

    def __init__(self, name: str, waiting: int = 8, threads: int = 1) -> None:
        self._name = name
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(waiting + threads)
        self._closed = False

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the thread.

        Cancelled while it waits, the call never starts; cancelled while it runs, it ends unheard,
        and keeps its place until then. Raises ProviderError (RATE when too many wait, SERVER when
        closed) and what `function` raises.
        """
        if self._closed:
            raise ProviderError(ErrorKind.SERVER, f"{self._name} is closed.")
        if not self._places.acquire(blocking=False):
            raise ProviderError(
                ErrorKind.RATE, f"{self._name} has too much to do just now.", retry_after_s=1.0
            )
        future = self._executor.submit(function, *args, **kwargs)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[T]) -> None:
        self._places.release()

    async def close(self) -> None:
        """Drop what waits, wait for what runs, and end the thread. May be called again."""
        self._closed = True
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
