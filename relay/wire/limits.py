"""How much one doll may send, and how long it may take; how many may come at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Limits of one connection, and of all together.

    Each is counted where it is met: `relay.metrics.refusals`. The rates leave room for twice the
    speed of uncompressed audio (32 kB/s in 50 messages), the bursts for what a device holds back
    while its Wi-Fi is away for some seconds.
    """

    hello_timeout_s: Annotated[float, Gt(0)] = 10.0
    idle_timeout_s: Annotated[float, Gt(0)] = 180.0  #: with nothing received, pongs included
    send_timeout_s: Annotated[float, Gt(0)] = 5.0  #: for one message to leave the relay
    close_timeout_s: Annotated[float, Gt(0)] = 1.0  #: for the close frame to leave the relay
    audio_bytes: Annotated[int, Ge(320)] = 4096  #: one binary message
    messages_per_s: Annotated[float, Gt(0)] = 100.0
    messages_burst: Annotated[float, Ge(1)] = 400.0
    texts_per_s: Annotated[float, Gt(0)] = 10.0  #: of the messages, those of text
    texts_burst: Annotated[float, Ge(1)] = 60.0
    bytes_per_s: Annotated[float, Gt(0)] = 65_536.0
    bytes_burst: Annotated[float, Ge(16_384)] = 262_144.0
    waiting_messages: Annotated[int, Ge(64)] = 1024  #: that the relay has not got to: some seconds
    bad_messages: Annotated[int, Ge(1)] = 20  #: in a minute, before the connection is closed

    sockets: Annotated[int, Ge(1)] = 4000  #: connections in all, before anybody says who it is
    #: … from one address (of IPv6 from one /64). This machine and proxies may have any number.
    sockets_per_address: Annotated[int, Ge(1)] = 64
    request_timeout_s: Annotated[float, Gt(0)] = 10.0  #: for the whole head of an HTTP request
    request_bytes: Annotated[int, Ge(1024)] = 65_536  #: of its body
    #: A connection is ended after so long, between two turns; the doll comes back at once.
    session_s: Annotated[float, Ge(60)] = 86_400.0
    turns_per_min: Annotated[float, Gt(0)] = 30.0  #: on average; twice as many at once


class TokenBucket:
    """Lets through `rate_per_s` on average and `burst` at once. Time is given, in seconds."""

    def __init__(self, rate_per_s: float, burst: float, now: float) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._left = burst
        self._then = now

    def take(self, amount: float, now: float) -> bool:
        """Take `amount` if there is so much; else take nothing."""
        if now > self._then:
            self._left = min(self._burst, self._left + (now - self._then) * self._rate)
            self._then = now
        if amount > self._left:
            return False
        self._left -= amount
        return True
