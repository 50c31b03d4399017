"""One answer as the brain tells it: words go on to the voice, all else is taken care of here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from relay.devices.mcp import PHOTO
from relay.llm.base import Action, Emotion, Heard, MemoryNote
from relay.llm.events import Answering, Event, Outage, Waiting
from relay.memory.conversation import Conversation
from relay.turn.face import Face
from relay.turn.fillers import Fillers
from relay.turn.reply import Aside
from relay.turn.timeline import Timeline


class Answer:
    """Reads the events of one answer."""

    def __init__(
        self,
        conversation: Conversation,
        timeline: Timeline,
        face: Face,
        fillers: Fillers,
        honest: Callable[[Outage], str],
        act: Callable[[Action], None],
        look: Callable[[Action], Awaitable[str]],
    ) -> None:
        """`honest` words why only the small brain is there; `act` takes wishes for the doll,
        `look` the one for a photo: what is said about it."""
        self._conversation = conversation
        self._timeline = timeline
        self._face = face
        self._fillers = fillers
        self._honest = honest
        self._act = act
        self._look = look
        self._photo: Action | None = None  # the first one that was wished for
        self.model = ""  #: which one answers; empty while none does
        self.wait_s = 0.0  #: for the quota, as it was announced

    async def heard(self, events: AsyncGenerator[Event, None]) -> Heard | None:
        """What the brain heard: the events up to there. None if it ends without a word of that."""
        async for event in events:
            if isinstance(event, Heard):
                return event
            await self._take(event)
        return None

    async def words(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """The text of the answer, piece by piece; closes `events` at its end.

        Where it asks for a photo, what is seen on that is the rest of the answer.
        """
        async with aclosing(events):
            async for event in events:
                if isinstance(event, str):
                    await self._face.speak()
                    yield event
                    continue
                await self._take(event)
                if isinstance(event, Answering) and event.outage and event.outage.news:
                    yield Aside(self._honest(event.outage))
        if self._photo is not None:
            yield Aside("")  # what was said so far is spoken now, not when the photo is there
            yield await self._look(self._photo)

    async def _take(self, event: Event) -> None:
        match event:
            case Waiting(seconds):
                self.wait_s += seconds
                self._fillers.hurry()
            case Answering():
                self.model = event.model
                if event.granted_at is not None:
                    self._timeline.granted = event.granted_at
            case Emotion(name):
                await self._face.feel(name)
            case Action(tool) if tool == PHOTO:
                self._photo = self._photo or event
            case Action():
                self._act(event)
            case MemoryNote(text):
                self._conversation.note(text)
