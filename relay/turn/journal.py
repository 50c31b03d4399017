"""What a session has sent and has still to send, by number. Sans-I/O.

Each message of a session has a place, counted from 0. A device that counts what it receives can
say after a lost link how much has come, and the rest is sent again: each message reaches it once,
in order. (XMPP's stream management, XEP-0198, does the same.)
"""

from __future__ import annotations

from collections import deque


class Journal:
    """Keeps the newest `capacity` messages that were sent, and all that were not."""

    def __init__(self, capacity: int, first: int = 0) -> None:
        """`first` is the place of the first message that will be added."""
        self._capacity = capacity
        self._kept: deque[str | bytes] = deque()
        self._first = first  # the place of the oldest that is kept
        self.sent = first  #: messages that went out: the place of the next one

    def __len__(self) -> int:
        """How many messages are kept."""
        return len(self._kept)

    @property
    def end(self) -> int:
        """The place behind the last message."""
        return self._first + len(self._kept)

    def add(self, message: str | bytes) -> int:
        """Put a message behind the others; its place."""
        self._kept.append(message)
        return self.end - 1

    def peek(self) -> str | bytes | None:
        """The next message to send; None when all have gone."""
        return self._kept[self.sent - self._first] if self.sent < self.end else None

    def take(self) -> str | bytes | None:
        """The same, and it counts as sent."""
        message = self.peek()
        if message is not None:
            self.sent += 1
            while self.sent - self._first > self._capacity:
                self._forget_oldest()
        return message

    def reaches(self, received: int) -> bool:
        """Whether all that comes after the first `received` messages is still here."""
        return self._first <= received <= self.sent

    def rewind(self, received: int) -> None:
        """The device has the first `received` messages: the others are to be sent, again or at all.

        Raises ValueError unless `reaches(received)`.
        """
        if not self.reaches(received):
            raise ValueError(f"{received} is not in {self._first} to {self.sent}")
        self.sent = received
        self.forget_sent()

    def forget_sent(self) -> None:
        """What was sent has arrived, or is not missed."""
        while self._first < self.sent:
            self._forget_oldest()

    def hand_over(self) -> list[str | bytes]:
        """All that has not been sent, which counts as sent from here on: another one sends it."""
        rest = list(self._kept)[self.sent - self._first :]
        self.sent = self.end
        self.forget_sent()
        return rest

    def cut(self) -> None:
        """Nobody wants any more what has not gone out yet."""
        while self.end > self.sent:
            self._kept.pop()

    def _forget_oldest(self) -> None:
        self._kept.popleft()
        self._first += 1
