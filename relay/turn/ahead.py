"""An answer that is asked for before it is certain that the question is over.

A pause is likely the end and the text is there: the brain may begin while the silence is still
waited for. If speech goes on, the answer is thrown away unheard; nothing of it has been sent, shown
or remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from relay.audio import Pcm
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.llm.events import Event
from relay.metrics import turns
from relay.turn.channel import Channel, Left

#: What a model says while nobody listens yet; more of it waits in the model's stream.
_EVENTS_AHEAD = 256


class Ahead:
    """One such answer; it begins at once."""

    def __init__(self, brain: Chain, request: Request, doll: str) -> None:
        self._request = request
        self._events: Channel[Event] = Channel(_EVENTS_AHEAD)
        self._task = asyncio.create_task(self._read(brain.ahead(request, doll=doll)))
        self._task.add_done_callback(self._ended)

    def fits(self, request: Request) -> bool:
        """Whether it answers just this, be it a moment later."""
        mine = self._request
        return (mine.text, mine.language, mine.history, mine.persona) == (
            request.text,
            request.language,
            request.history,
            request.persona,
        )

    def discard(self) -> None:
        """Nobody wants it; its request is closed."""
        self._task.cancel()

    async def close(self) -> None:
        """The same; returns when the request is closed."""
        self.discard()
        await asyncio.wait((self._task,))

    async def events(self) -> AsyncGenerator[Event, None]:
        """The answer. Raises what the brain raised; closing it closes the request."""
        try:
            async for event in self._events:
                yield event
        finally:
            self._events.leave()
            await self.close()

    @property
    def over(self) -> bool:
        """Whether nothing runs any more."""
        return self._task.done()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # perhaps before it began; nobody must wait for more
            self._events.finish()

    async def _read(self, answer: AsyncGenerator[Event, None]) -> None:
        try:
            async with aclosing(answer):
                async for event in answer:
                    await self._events.send(event)
        except Left:
            pass
        except Exception as error:  # noqa: BLE001 (raised where it is read, or of no interest)
            self._events.finish(error)
        else:
            self._events.finish()


async def answered(
    brain: Chain, request: Request, doll: str, utterance: Pcm | None, ahead: Ahead | None
) -> AsyncGenerator[Event, None]:
    """See `Chain.answer`. What was asked for ahead is taken if it answers this and came to text."""
    if ahead is not None and ahead.fits(request):
        begun = False
        try:
            async with aclosing(ahead.events()) as events:
                async for event in events:
                    if not begun:
                        turns.used(turns.Early.ANSWER)
                    begun = True
                    yield event
        except Exception:
            if begun:
                raise  # the words cannot be taken back
        if begun:
            return
    elif ahead is not None:
        ahead.discard()
    async with aclosing(brain.answer(request, doll=doll, utterance=utterance)) as events:
        async for event in events:
            yield event
