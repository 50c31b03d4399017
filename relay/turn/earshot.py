"""Hands-free by name: of all that is said in a doll's earshot, what is meant for it.

That is where somebody calls it by its name, and for a while after it has answered or was woken in
another way. Everything else is forgotten as soon as it is recognised. Times are in seconds of one
clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final

from annotated_types import Ge, Le

from relay.audio import Pcm
from relay.intents.finder import find
from relay.stt.base import Transcript
from relay.turn.calling import Calling
from relay.turn.timeline import Timeline

#: Utterances that wait for their text; of more the oldest is given up.
_MOST_WAITING: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSettings:
    """The `listen` section of the settings, and of a doll's own."""

    #: A doll that listens all the time answers only when it is called by its name. Whatever else
    #: it hears is recognised too: do that at home (`stt.provider = "whisper"`).
    by_name: bool = False
    follow_s: Annotated[float, Ge(0), Le(120)] = 8.0  #: so long after an answer no name is needed

    def for_doll(self, own: object) -> ListenSettings:
        """These settings with a doll's own over them. Raises ValueError."""
        if not isinstance(own, Mapping) or not set(own) <= {"by_name", "follow_s"}:
            raise ValueError("listen of a doll has only by_name, follow_s")
        by_name, follow_s = own.get("by_name", self.by_name), own.get("follow_s", self.follow_s)
        if type(by_name) is not bool:
            raise ValueError("listen.by_name of a doll is true or false")
        if type(follow_s) not in (int, float) or not 0 <= follow_s <= 120:
            raise ValueError("listen.follow_s of a doll is 0 to 120 seconds")
        return replace(self, by_name=by_name, follow_s=float(follow_s))


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """An utterance of which only its text can tell whether it is meant."""

    said: asyncio.Task[Transcript]
    pcm: Pcm
    timeline: Timeline


class Earshot:
    """One doll's. With `by_name` off everything is meant."""

    def __init__(self, settings: ListenSettings, calling: Callable[[], Calling]) -> None:
        """`calling` knows the doll's names of the moment."""
        self.by_name = settings.by_name
        self._follow_s = settings.follow_s
        self._calling = calling
        self._since = self._until = float("-inf")
        self._waiting: deque[Heard] = deque()

    def open(self, since: float, now: float) -> None:
        """What is begun to be said from `since` on, and until a while after `now`, is meant."""
        self._since, self._until = since, now + self._follow_s

    def needs_name(self, began: float, *, busy: bool) -> bool:
        """Whether speech that began at this moment is meant only if it calls the doll.

        While the doll is `busy` with an answer, nothing else counts: a television would interrupt
        it all the time.
        """
        return self.by_name and (busy or not self._since <= began <= self._until)

    def is_called(self, text: str) -> bool:
        """Whether the doll's name is in it."""
        return self._calling().find(text) is not None

    def add(self, heard: Heard) -> None:
        """An utterance has ended that needs the name."""
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().said.cancel()
        self._waiting.append(heard)

    @property
    def waits(self) -> bool:
        """Whether there is something of which it is not known yet."""
        return bool(self._waiting)

    def clear(self) -> None:
        """Nothing of what was said matters any more."""
        while self._waiting:
            self._waiting.popleft().said.cancel()

    def meant(self, now: float, *, busy: bool, speaks: bool) -> Heard | None:
        """The next utterance that is for the doll; all before it is forgotten.

        Somebody who `speaks` on after the name alone ("ChaCha … what time is it?") is not answered
        yet: what follows is meant.
        """
        while self._waiting and self._waiting[0].said.done():
            heard = self._waiting.popleft()
            if heard.said.cancelled() or heard.said.exception() is not None:
                continue
            transcript = heard.said.result()
            call = self._calling().find(transcript.text)
            if call is not None and not call.rest and speaks:
                end = heard.timeline.speech_end
                self.open(now if end is None else end, now)
            elif call is not None or (busy and _stops(transcript)):
                self.clear()
                return heard
        return None


def _stops(transcript: Transcript) -> bool:
    wish = find(transcript.text, transcript.language)
    return wish is not None and wish.name == "stop"
