"""What the limits have refused: one counter, by the limit that was met.

The names of the limits are ours, so that nobody outside can make the list of them grow.
"""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import Counter

from relay.metrics.registry import REGISTRY


class Limit(StrEnum):
    """What was too much; each has a setting of its own, named here."""

    SOCKETS = "sockets"  #: `limits.sockets`
    SOCKETS_PER_ADDRESS = "sockets_per_address"  #: `limits.sockets_per_address`
    REQUEST_TIME = "request_time"  #: `limits.request_timeout_s`
    REQUEST_SIZE = "request_size"  #: `limits.request_bytes`
    DOLLS = "dolls"  #: `relay.max_dolls`
    UNKNOWN_DOLLS = "unknown_dolls"  #: `pairing`: not known, and no place among those who wait
    NETWORK = "network"  #: `relay.home_network`, `relay.behind_proxy`: from elsewhere
    SESSION_TIME = "session_time"  #: `limits.session_s`
    TURNS = "turns"  #: `limits.turns_per_min`
    UTTERANCE = "utterance"  #: `endpoint.max_utterance_s`: cut there, and answered
    LOGINS = "logins"  #: `pairing.wrong_guesses_per_source`: wrong passwords
    HELLO = "hello"  #: `limits.hello_timeout_s`
    IDLE = "idle"  #: `limits.idle_timeout_s`
    RATE = "rate"  #: `limits.messages_per_s`, `texts_per_s`, `bytes_per_s`, and queues
    SLOW_READER = "slow_reader"  #: `limits.send_timeout_s`
    BAD_MESSAGES = "bad_messages"  #: `limits.bad_messages`
    MESSAGE_SIZE = "message_size"  #: larger than the server reads


_refused = Counter(
    "doll_limits_total",
    "How often a limit was met, by the limit.",
    ["limit"],
    registry=REGISTRY,
)
_by_limit = {limit: _refused.labels(limit.value) for limit in Limit}


def count(limit: Limit) -> None:
    """A limit was met once more."""
    _by_limit[limit].inc()


def counted(limit: Limit) -> int:
    """How often it was met since the relay started."""
    return int(REGISTRY.get_sample_value("doll_limits_total", {"limit": limit.value}) or 0)
