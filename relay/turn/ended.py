"""A turn that is over, for whoever looks on: metrics, traces, a page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from relay.turn.timeline import Timeline


class Outcome(StrEnum):
    """How a turn ended."""

    ANSWERED = "answered"
    NOT_HEARD = "not_heard"  #: there was no speech in it that anybody understood; the doll said so
    FAILED = "failed"  #: the doll said that, and why
    GIVEN_UP = "given_up"  #: nobody waits for an answer: something newer was asked, or it is quiet
    CUT = "cut"  #: somebody interrupted, or the doll has gone


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """One turn, with nothing of what was said in it. Times are of the relay's monotonic clock."""

    device_id: str
    turn: int  #: its number within the session, from 1
    timeline: Timeline
    ended_at: float
    outcome: Outcome
    failure: str = ""  #: with FAILED: an ErrorKind, or "internal"
    language: str = ""
    model: str = ""  #: that answered; empty where none did
    fillers: int = 0  #: that were said
    waited_s: float = 0.0  #: for the quota, as it was announced
