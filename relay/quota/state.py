"""What is kept of one model of one project, between requests, processes and restarts."""

from __future__ import annotations

import msgspec

from relay.quota.limits import Learned


class Sent(msgspec.Struct, array_like=True):
    """One request that was sent, or was about to be when the process died."""

    at: float  #: in the ledger's own time (see `clock`), seconds
    tokens: int
    doll: str  #: a short tag, not the doll's name
    arrived: float | None = None  #: by when the provider had it; None: it may still be on its way


class Mark(msgspec.Struct, array_like=True):
    """Where a machine's steady clock met the ledger's time."""

    steady: float
    time: float


class State(msgspec.Struct, omit_defaults=True):
    """The ledger of one model, as it is stored. See Ledger for the meaning of it all."""

    time: float = 0.0  #: the ledger's own time at the last change
    wall: float = 0.0  #: Unix time at the last change
    marks: dict[str, Mark] = {}  #: by the origin of the clock
    log: list[Sent] = []  #: requests of the last minute, as they were granted
    day: str = ""  #: the day that is counted, YYYY-MM-DD in California
    days: dict[str, int] = {}  #: requests on the last few days
    learned: Learned = msgspec.field(default_factory=Learned)
    blocked_until: float = 0.0  #: ledger time; a 429 about a minute
    closed_until: float = 0.0  #: Unix time; a 429 about a day
    refusals: int = 0  #: 429s since the last answer
    failures: int = 0  #: 503s, halved by every answer
    rest_until: float = 0.0  #: ledger time; kept away because of failures
    retired_at: float | None = None  #: Unix time of a 404


_decoder = msgspec.json.Decoder(State)


def encode(state: State) -> bytes:
    """As JSON, for a store."""
    return msgspec.json.encode(state)


def decode(data: bytes) -> State:
    """From a store. Raises ValueError if this is none of ours."""
    return _decoder.decode(data)
