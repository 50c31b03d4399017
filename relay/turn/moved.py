"""A session that goes on at another worker, as that one gets it and as this one gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.hearing.base import ListenMode
from relay.turn.machine import State
from relay.wire.errors import CloseCode
from relay.wire.messages import DeviceMessage, Hello


class RestLostError(Exception):
    """What is left of an answer will not come: the worker that makes it has gone."""


class Rest(Protocol):
    """What is still made of an answer elsewhere: messages for the doll, as they come.

    Iterating raises RestLostError.
    """

    def __aiter__(self) -> AsyncIterator[str | bytes]: ...

    def passed_on(self) -> None:
        """The last one has gone to the doll: it may be heard soon."""
        ...

    def leave(self) -> None:
        """Nobody wants the others any more."""
        ...


class Line(Protocol):
    """The way of messages to a doll that is at another worker; stands in for its connection."""

    hello: Hello

    async def deliver(self, data: str | bytes) -> None:
        """Send one; waits while too many are on their way. Raises Disconnected."""
        ...

    async def receive(self) -> DeviceMessage:
        """The doll says nothing here any more: waits for the end. Raises Disconnected."""
        ...

    async def close(self, code: CloseCode, reason: str) -> object:
        """It is not needed any more."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the session stood when it left its worker."""

    session_id: str
    received: int  #: messages of it that the doll has got
    state: State  #: thinking, speaking, or idle
    mode: ListenMode
    kept: Sequence[str | bytes]  #: messages that it has not got, encoded
    rest: Rest
