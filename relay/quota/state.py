"""What is kept of one model of one project, between requests, processes and restarts."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from relay.quota.limits import Learned
from relay.quota.log import Log, Sent


class Mark(msgspec.Struct, array_like=True):
    """Where a machine's steady clock met the ledger's time."""

    steady: float
    time: float


class State(msgspec.Struct, omit_defaults=True):
    """The ledger of one model, as it is stored. See Ledger for the meaning of it all."""

    time: float = 0.0  #: the ledger's own time at the last change
    wall: float = 0.0  #: Unix time at the last change
    marks: dict[str, Mark] = {}  #: by the origin of the clock
    #: Requests of the last minute. A store keeps them apart: see `Copy`.
    log: Log = msgspec.field(default_factory=Log)
    day: str = ""  #: the day that is counted, YYYY-MM-DD in California
    days: dict[str, int] = {}  #: requests on the last few days
    learned: Learned = msgspec.field(default_factory=Learned)
    blocked_until: float = 0.0  #: ledger time; a 429 about a minute
    closed_until: float = 0.0  #: Unix time; a 429 about a day
    refusals: int = 0  #: 429s since the last answer
    failures: int = 0  #: 503s, halved by every answer
    rest_until: float = 0.0  #: ledger time; kept away because of failures
    retired_at: float | None = None  #: Unix time of a 404


def encode(state: State) -> bytes:
    """All of it as JSON."""
    return msgspec.json.encode(state, enc_hook=list)


def encode_without_log(state: State) -> bytes:
    """As JSON that does not grow with the limit."""
    return msgspec.json.encode(state, enc_hook=lambda _: [])


def decode(data: bytes) -> State:
    """From `encode`, or without a log. Raises ValueError if this is none of ours."""
    return _states.decode(data)


def encode_requests(requests: Iterable[Sent]) -> bytes:
    """As JSON."""
    return msgspec.json.encode(list(requests))


def decode_requests(data: bytes) -> list[Sent]:
    """Raises ValueError if these are none of ours."""
    return _requests.decode(data)


def _log(_: type, stored: object) -> Log:
    return Log(msgspec.convert(stored, list[Sent]))


_states = msgspec.json.Decoder(State, dec_hook=_log)
_requests = msgspec.json.Decoder(list[Sent])
