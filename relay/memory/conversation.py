"""What one doll knows of its talk so far, in RAM: enough for the next prompt, and bounded."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import tzinfo
from itertools import count

from relay.llm.base import Message
from relay.llm.tokens import of_message
from relay.memory.course import Course
from relay.memory.facts import Facts
from relay.memory.records import MAX_LINE_CHARS, Draft, Exchange, Fact, FactChange, clean
from relay.memory.settings import MemorySettings
from relay.memory.wording import words

#: More turns are not looked at for a prompt, however short they are.
MAX_TURNS = 40

News = Exchange | Draft | FactChange
Keep = Callable[[News], None]

_drafts = count(1)  # of all dolls


class Conversation:
    """What was said between one doll and its owner, and what the doll has noted meanwhile.

    Of the turns the newest are here, as many as `history_tokens` allow; those that leave have to be
    told by the summary, in `language` (ISO 639-1). `keep` is called with all that is new. Days are
    those of `zone`.
    """

    def __init__(
        self,
        settings: MemorySettings | None = None,
        *,
        language: str = "",
        zone: tzinfo | None = None,
        forgotten: int | None = None,
        keep: Keep | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings or MemorySettings()
        self._language = language
        self._zone = zone
        self.forgotten = forgotten  #: of the doll's record, as this began
        self._keep = keep
        self._now = now
        self._turns: deque[Exchange] = deque()
        self._tokens = 0.0
        self._facts = Facts(self._settings.facts)
        self.is_over = False  #: deleted: nothing is added to it any more
        self.summary = ""  #: of what is not here any more
        self.left_tokens = 0.0  #: of turns that are not here any more, nor in the summary
        self.version = 0  #: grows with all that is new

    def add(
        self,
        user: str,
        assistant_spoken: str,
        draft: int | None = None,
        course: Course | None = None,
    ) -> None:
        """Remember a turn. `assistant_spoken` is what was really heard, and may be empty: a reply
        that was interrupted is remembered as far as it came. It takes the place of its draft."""
        turn = replace(self._turn(user, assistant_spoken), course=course)
        if turn.heard or turn.said:
            self._push(turn)
            self._is_new(turn if draft is None else Draft(draft, turn, over=True))
        else:
            self.drop(draft)

    def hold(self, user: str, so_far: str, draft: int | None = None) -> int:
        """Write a turn down that is not over, against the death of the relay; it is no part of the
        conversation yet. The number to give with what becomes of it: to `add`, `hold` or `drop`."""
        draft = next(_drafts) if draft is None else draft
        self._write(Draft(draft, self._turn(user, so_far)))
        return draft

    def drop(self, draft: int | None) -> None:
        """Nothing of that turn was heard; without a draft there is nothing to do."""
        if draft is not None:
            self._write(Draft(draft, None, over=True))

    def note(self, text: str) -> None:
        """Keep a fact about the owner that the model proposes."""
        change = self._facts.propose(text, int(self._now()))
        if change is not None:
            self._is_new(change)

    def history(self) -> tuple[Message, ...]:
        """The newest turns, oldest first. A turn is never torn in two."""
        return tuple(line for turn in self._turns for line in _lines(turn))

    def notes(self) -> tuple[str, ...]:
        """What the prompt tells besides the history: the summary, then the facts by number."""
        facts = self._facts.listed(self._zone)
        if not self.summary:
            return facts
        return (words(self._language).shown.format(text=self.summary), *facts)

    def load(
        self,
        turns: Iterable[Exchange],
        facts: Iterable[Fact] = (),
        summary: str = "",
        left_tokens: float = 0.0,
    ) -> None:
        """Know this and nothing else. `turns` come oldest first."""
        if self.is_over:
            return
        self._turns.clear()
        self._tokens = 0.0
        self.left_tokens = 0.0
        for turn in turns:
            self._push(turn)
        self._facts.replace(facts)
        self.summary = summary
        self.left_tokens = left_tokens

    def end(self) -> None:
        """Its owner has had it deleted: what a turn that still runs may add to it goes nowhere."""
        self.load(())
        self.is_over = True

    def __len__(self) -> int:
        """How many turns are here."""
        return len(self._turns)

    def _push(self, turn: Exchange) -> None:
        self._turns.append(turn)
        self._tokens += tokens(turn)
        while self._tokens > self._settings.history_tokens or len(self._turns) > MAX_TURNS:
            left = tokens(self._turns.popleft())
            self._tokens -= left
            self.left_tokens += left

    def _turn(self, user: str, assistant_spoken: str) -> Exchange:
        heard, said = clean(user, MAX_LINE_CHARS), clean(assistant_spoken, MAX_LINE_CHARS)
        return Exchange(int(self._now()), heard, said)

    def _is_new(self, news: News) -> None:
        self.version += 1
        self._write(news)

    def _write(self, news: News) -> None:
        if self._keep is not None and not self.is_over:
            self._keep(news)


def tokens(turn: Exchange) -> float:
    """About what a turn takes of a prompt, as `relay.llm.tokens` estimates it."""
    return sum(of_message(line.text) for line in _lines(turn))


def newest(turns: Iterable[Exchange], settings: MemorySettings) -> int:
    """How many of `turns`, which come newest first, stand in a prompt."""
    taken = 0.0
    count = 0
    for turn in turns:
        taken += tokens(turn)
        if taken > settings.history_tokens or count >= MAX_TURNS:
            break
        count += 1
    return count


def _lines(turn: Exchange) -> tuple[Message, ...]:
    lines = (Message("user", turn.heard), Message("assistant", turn.said))
    return tuple(line for line in lines if line.text)
