"""What every answer from a network shares: deadlines, and requests that end with their reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import AnyStr

from relay.errors import ErrorKind, ProviderError

MAX_ANSWER_CHARS = 8_000
"""A doll speaks about six characters a second: more than this is a model that does not stop."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a person is made to wait, in seconds.

    They are the relay's own: the time-outs of the SDKs mean something else for each HTTP client
    that happens to be installed, and Google refuses a request that announces less than 10 s.
    """

    first_s: float = 8.0  #: from sending the request to the first text
    gap_s: float = 5.0  #: between two pieces of text
    total_s: float = 30.0  #: for the whole answer


async def bounded(
    pieces: AsyncGenerator[AnyStr, None],
    deadlines: Deadlines,
    *,
    service: str,
    limit: int = MAX_ANSWER_CHARS,
) -> AsyncGenerator[AnyStr, None]:
    """Pass on the pieces of one answer, within its deadlines and up to `limit`.

    The pieces are text, or the bytes of speech; `limit` counts characters or bytes.

    The request is read by a task of its own, for two reasons. A doll that is still speaking reads
    slowly, and that must not count as a gap of the provider. And the connection has to close at
    once when the reader goes away: closing an SDK's iterator leaves the socket, and the paid
    generation behind it, open until the garbage collector comes by; cancelling the task that waits
    for the socket closes it.

    Raises ProviderError: what `pieces` raised, NETWORK past a deadline, SERVER for nothing at all.
    """
    ready: asyncio.Queue[AnyStr | None] = asyncio.Queue()  # holds at most `limit`
    reader = asyncio.create_task(_read(pieces, ready, deadlines, service, limit))
    try:
        while (piece := await ready.get()) is not None:
            yield piece
        await reader
    finally:
        reader.cancel()
        await asyncio.wait([reader])
        if not reader.cancelled():
            reader.exception()  # seen, so that asyncio does not report it as lost


async def _read(
    pieces: AsyncGenerator[AnyStr, None],
    ready: asyncio.Queue[AnyStr | None],
    deadlines: Deadlines,
    service: str,
    limit: int,
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + deadlines.total_s
    length = 0
    late = False
    try:
        first = min(loop.time() + deadlines.first_s, end)
        async with asyncio.timeout_at(first) as deadline, aclosing(pieces):
            async for piece in pieces:
                if not piece or length >= limit:
                    continue
                ready.put_nowait(piece[: limit - length])
                length += len(piece)
                if length >= limit:
                    deadline.reschedule(loop.time())  # the next read is cancelled, and so it closes
                else:
                    deadline.reschedule(min(loop.time() + deadlines.gap_s, end))
    except TimeoutError:
        late = length < limit
    finally:
        ready.put_nowait(None)
    if late:
        after = "in the middle of the answer" if length else "before the first word"
        raise ProviderError(ErrorKind.NETWORK, f"{service} was too slow: nothing came {after}.")
    if not length:
        raise ProviderError(ErrorKind.SERVER, f"{service} answered with nothing.")
