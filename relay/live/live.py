"""What happens in the relay, told to whoever watches at the moment.

Nothing that was said is kept here: it passes by. What is kept, and bounded, is how the last turns
went in time, and what went wrong.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec

from relay.turn.ended import TurnEnded
from relay.wire.messages import Llm, RelayMessage, Stt, Tts

#: Pages that may watch at the same time; each has a queue of its own.
MAX_WATCHERS: Final = 16

#: Events that a page may be behind. One that is slower is sent away, and begins anew.
MAX_BEHIND: Final = 128

#: How many of the last are kept.
MOST_TURNS: Final = 60
MOST_FAILURES: Final = 40


class TooManyWatchersError(Exception):
    """No page more may watch."""


@dataclass(frozen=True, slots=True)
class TurnSeen:
    """One turn, without a word of what was said in it."""

    device_id: str
    at: float  #: Unix time of its end
    outcome: str  #: `relay.turn.ended.Outcome`
    model: str  #: which one answered; empty if none did
    language: str  #: ISO 639-1
    timeline_ms: dict[str, int]  #: `Timeline.since_speech_end_ms`
    fillers: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong. A page has the words for `kind`."""

    at: float  #: Unix time
    kind: str  #: `relay.llm.policy.Trouble`, or internal
    device_id: str = ""  #: the doll that had to say so; empty where another model answered
    model: str = ""


class Live:
    """One for the relay. Belongs to its event loop."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._watchers: dict[asyncio.Queue[bytes | None], None] = {}
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._unwanted.set()
        self._over = False
        self.elsewhere: Callable[[str, Mapping[str, object]], None] | None = None
        """Told what happens, where there are other workers, at which somebody may watch."""
        self.turns: deque[TurnSeen] = deque(maxlen=MOST_TURNS)  #: oldest first
        self.failures: deque[Failure] = deque(maxlen=MOST_FAILURES)  #: oldest first

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    @property
    def is_full(self) -> bool:
        """Whether no page more may watch."""
        return len(self._watchers) >= MAX_WATCHERS

    @contextmanager
    def watching(self) -> Iterator[asyncio.Queue[bytes | None]]:
        """Events from now on, as a browser's EventSource reads them; None at the end.

        Raises TooManyWatchersError.
        """
        if self.is_full:
            raise TooManyWatchersError
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_BEHIND + 1)
        if self._over:
            queue.put_nowait(None)
        self._watchers[queue] = None
        self._wanted.set()
        self._unwanted.clear()
        try:
            yield queue
        finally:
            self._watchers.pop(queue, None)
            if not self._watchers:
                self._wanted.clear()
                self._unwanted.set()

    async def watched(self) -> None:
        """Wait until somebody watches."""
        await self._wanted.wait()

    async def unwatched(self) -> None:
        """Wait until nobody does any more."""
        await self._unwanted.wait()

    def tell(self, event: str, data: Mapping[str, object]) -> None:
        """Something has happened here. Returns at once, and does nothing while nobody watches."""
        self.show(event, data)
        if self.elsewhere is not None:
            self.elsewhere(event, data)

    def show(self, event: str, data: Mapping[str, object]) -> None:
        """Pass something on to the pages at this worker alone."""
        if not self._watchers:
            return
        encoded = encode(event, data)
        for queue in list(self._watchers):
            if queue.qsize() < MAX_BEHIND:
                queue.put_nowait(encoded)
            else:
                self._end(queue)

    def message(self, device_id: str, message: RelayMessage) -> None:
        """A doll is told this: what it has heard, what it says, and its face."""
        match message:
            case Stt(text=text):
                self.tell("heard", {"device": device_id, "text": text})
            case Tts(state="sentence_start", text=text):
                self.tell("said", {"device": device_id, "text": text})
            case Tts(state="stop"):
                self.tell("stop", {"device": device_id})
            case Llm(emotion=emotion):
                self.tell("face", {"device": device_id, "emotion": emotion})

    def turn_ended(self, ended: TurnEnded) -> None:
        """A turn is over."""
        if ended.failure:
            self.failed(ended.failure, device_id=ended.device_id, model=ended.model)
        seen = TurnSeen(
            ended.device_id,
            self._now(),
            ended.outcome.value,
            ended.model,
            ended.language,
            ended.timeline.since_speech_end_ms(),
            ended.fillers,
        )
        self.turns.append(seen)
        self.tell("turn", msgspec.to_builtins(seen))

    def failed(self, kind: str, *, device_id: str = "", model: str = "") -> None:
        """Something went wrong."""
        failure = Failure(self._now(), kind, device_id, model)
        self.failures.append(failure)
        self.tell("failure", msgspec.to_builtins(failure))

    def close(self) -> None:
        """The relay stops: nobody has to watch any more."""
        self._over = True
        for queue in list(self._watchers):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[bytes | None]) -> None:
        """Let one watcher go; there is a place for that behind `MAX_BEHIND` events."""
        if self._watchers.pop(queue, queue) is None:
            queue.put_nowait(None)


def encode(event: str, data: object) -> bytes:
    """One event of `text/event-stream`. JSON has no line ends, so one line of data holds it."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
