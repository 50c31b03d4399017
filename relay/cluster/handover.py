"""What workers say to each other about a doll that has come from one of them to the other.

    there → here   take      it is mine now; with its session, if it can go on
    here → there   taken     where the session stood, and what the doll has not got
    here → there   more      one message more for the doll, of the answer that is still made here
    there → here   got       so many of them have gone to the doll
    there → here   cut       nobody wants the others any more
    here → there   end       there are no more; what was heard of the answer is in the database

`there` is where the doll is now, `here` where it was. `there` picks the number of the hand-over,
which nobody else can guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from relay.hearing.base import ListenMode
from relay.turn.machine import State

TAKE: Final = "doll.take"
MORE: Final = "doll.more"
GOT: Final = "doll.got"
CUT: Final = "doll.cut"
END: Final = "doll.end"

_Name = Annotated[str, Meta(max_length=128)]
_Count = Annotated[int, Meta(ge=0, le=2**32)]
_Number = Annotated[int, Meta(ge=0, le=2**62)]
_States = Literal["IDLE", "THINKING", "SPEAKING"]
_Modes = Literal["auto", "manual", "realtime"]


class Piece(msgspec.Struct, array_like=True, frozen=True):
    """One WebSocket message for the doll: text in UTF-8, or binary."""

    is_text: bool
    data: Annotated[bytes, Meta(max_length=65_536)]


class Take(msgspec.Struct, frozen=True):
    """The doll is here now: part from it. With a session it wants to go on with that."""

    number: _Number
    device_id: _Name
    form: _Name  #: `Output.form` of its new connection
    session_id: _Name = ""
    received: _Count = 0  #: messages of that session that it has got


class Taken(msgspec.Struct, frozen=True):
    """It has been parted from. Unless `goes_on`, its conversation is in the database."""

    goes_on: bool = False
    state: _States = "IDLE"
    mode: _Modes = "auto"
    kept: Annotated[list[Piece], Meta(max_length=8192)] = []


class More(msgspec.Struct, array_like=True, frozen=True):
    """The `place`th message of a hand-over, from 1."""

    number: _Number
    place: _Count
    piece: Piece


class Got(msgspec.Struct, array_like=True, frozen=True):
    """Messages up to this place have gone to the doll."""

    number: _Number
    place: _Count


class Over(msgspec.Struct, array_like=True, frozen=True):
    """A hand-over is over, for who sends this."""

    number: _Number


def taken(state: State, mode: ListenMode, kept: Sequence[str | bytes]) -> Taken:
    """What a session leaves behind, as it is sent."""
    states: dict[State, _States] = {State.THINKING: "THINKING", State.SPEAKING: "SPEAKING"}
    modes: dict[ListenMode, _Modes] = {
        ListenMode.MANUAL: "manual",
        ListenMode.REALTIME: "realtime",
    }
    return Taken(
        True, states.get(state, "IDLE"), modes.get(mode, "auto"), [packed(each) for each in kept]
    )


def packed(message: str | bytes) -> Piece:
    """A message as it is sent to a worker."""
    return Piece(True, message.encode()) if isinstance(message, str) else Piece(False, message)


def unpacked(piece: Piece) -> str | bytes:
    """The same, back again."""
    return piece.data.decode(errors="replace") if piece.is_text else piece.data
