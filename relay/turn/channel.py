"""A bounded pipe from one task to another that also carries its end, and why it ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Left(Exception):  # noqa: N818 (not an error: the reader has what it wanted)
    """The reader has gone; nobody takes what is sent."""


class Channel(Generic[T]):
    """One writer, one reader, at most `capacity` items between them.

    What the writer failed with reaches the reader in its place: after all that was sent before it.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = asyncio.Event()
        self._finished = False
        self._left = False
        self._error: Exception | None = None

    async def send(self, item: T) -> None:
        """Hand over one item, waiting while the channel is full. Raises Left."""
        while len(self._items) >= self._capacity and not self._left:
            await self._change()
        if self._left:
            raise Left
        self._items.append(item)
        self._changed.set()

    def finish(self, error: Exception | None = None) -> None:
        """Nothing more comes; `error` is raised where the reader reaches the end."""
        self._finished, self._error = True, error
        self._changed.set()

    def leave(self) -> None:
        """The reader stops reading; what is in the channel is dropped."""
        self._left = True
        self._items.clear()
        self._changed.set()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._finished:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            await self._change()
        item = self._items.popleft()
        self._changed.set()
        return item

    async def _change(self) -> None:
        # Writer and reader never wait at the same time: one waits for room, the other for an item.
        self._changed.clear()
        await self._changed.wait()
