"""The conversation so far, in RAM: enough for the next answer, bounded, and soon forgotten."""

from __future__ import annotations

from collections import OrderedDict, deque

from relay.llm.base import Message

MAX_LINE_CHARS = 2_000
"""A turn is some seconds of speech; a longer line is cut so that no one fills the memory."""

MAX_NOTES = 20
MAX_NOTE_CHARS = 200


class Conversation:
    """What was said between one doll and its owner, in turns of a question and an answer, and what
    the doll has noted about its owner meanwhile."""

    def __init__(self, max_turns: int = 20) -> None:
        self._turns: deque[tuple[Message, ...]] = deque(maxlen=max_turns)
        self._notes: OrderedDict[str, None] = OrderedDict()  # as a set that keeps its order

    def add(self, user: str, assistant_spoken: str) -> None:
        """Remember a turn. `assistant_spoken` is what was really heard, and may be empty: a reply
        that was interrupted is remembered as far as it came."""
        lines = (Message("user", _clip(user)), Message("assistant", _clip(assistant_spoken)))
        if turn := tuple(line for line in lines if line.text):
            self._turns.append(turn)

    def history(self, max_chars: int = 4_000, max_turns: int = 10) -> tuple[Message, ...]:
        """The newest turns that fit, oldest first. A turn is never torn in two."""
        taken: list[tuple[Message, ...]] = []
        chars = 0
        for turn in reversed(self._turns):
            chars += sum(len(line.text) for line in turn)
            if chars > max_chars or len(taken) >= max_turns:
                break
            taken.append(turn)
        return tuple(line for turn in reversed(taken) for line in turn)

    def note(self, text: str) -> None:
        """Keep a fact about the owner: one line, and of many the newest."""
        note = " ".join(text.split())[:MAX_NOTE_CHARS]
        if not note:
            return
        self._notes[note] = None
        self._notes.move_to_end(note)
        if len(self._notes) > MAX_NOTES:
            self._notes.popitem(last=False)

    def notes(self) -> tuple[str, ...]:
        """What was noted, oldest first."""
        return tuple(self._notes)

    def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()
        self._notes.clear()

    def __len__(self) -> int:
        """How many turns are remembered."""
        return len(self._turns)


class Conversations:
    """The conversations of all dolls, by device id.

    At most `max_dolls` are kept, the least recently used one goes first; one that nobody has used
    for `idle_s` seconds starts anew. Times are seconds on any clock that does not go back.
    """

    def __init__(
        self, *, max_dolls: int = 1_000, idle_s: float = 1_800.0, max_turns: int = 20
    ) -> None:
        self._max_dolls = max_dolls
        self._idle_s = idle_s
        self._max_turns = max_turns
        self._kept: OrderedDict[str, tuple[float, Conversation]] = OrderedDict()  # oldest use first

    def of(self, device_id: str, now: float) -> Conversation:
        """The conversation of a doll, new if there is none or it has gone stale."""
        self.forget_idle(now)
        _, conversation = self._kept.pop(device_id, (now, None))
        if conversation is None:
            conversation = Conversation(self._max_turns)
        self._kept[device_id] = (now, conversation)
        if len(self._kept) > self._max_dolls:
            self._kept.popitem(last=False)
        return conversation

    def forget_idle(self, now: float) -> int:
        """Drop what has been idle for too long; returns how many were dropped."""
        dropped = 0
        while self._kept:
            used, _ = next(iter(self._kept.values()))
            if now - used < self._idle_s:
                break
            self._kept.popitem(last=False)
            dropped += 1
        return dropped

    def forget(self, device_id: str) -> None:
        """Drop one doll's conversation, if there is one."""
        self._kept.pop(device_id, None)

    def __len__(self) -> int:
        """How many conversations are kept."""
        return len(self._kept)


def _clip(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_LINE_CHARS else text[: MAX_LINE_CHARS - 1] + "…"
