"""Everybody comes back at once: dolls whose relay, or balancer, was away for a moment.

An event simulation on a clock of its own. What is behind the port handles one arrival after the
other, each in the processor time that was measured for it: a TLS handshake and a greeting. An
arrival that its doll has given up is handled too, since nobody sees that before it is answered: so
a queue that is longer than a doll's patience does nothing but harm. A bounded queue (`listen`'s
backlog) leaves the connection to the kernel, which asks again after 1, 3 and 7 s.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from tools.scaling.backoff import Backoff, Firmware

#: All links are lost within so long (`tests/firmware/test_backoff.py` supposes the same).
LOST_WITHIN_S = 0.25

#: Between the SYNs of a try, as Linux has it. A board's lwIP has times of its own, not tried here.
_AGAIN_S = (1.0, 2.0, 4.0)

_GIVEN_UP_S = 300.0


class Dolls(Protocol):
    """What a doll does that is not connected."""

    connect_s: float

    def wait_s(self, doll: int, spent_s: float) -> float:
        """Until the next try, after one that took so long."""
        ...


class Ours:
    """The firmware's own code, for each doll."""

    def __init__(self, seed: int) -> None:
        self._firmware = Firmware(seed)
        self.connect_s = self._firmware.connect_s
        self._backoffs: dict[int, Backoff] = {}

    def wait_s(self, doll: int, spent_s: float) -> float:
        """See Dolls."""
        if (backoff := self._backoffs.get(doll)) is None:
            backoff = self._backoffs[doll] = self._firmware.backoff()
        return self._firmware.after_failure(backoff, spent_s)


class EverySecond:
    """Without back-off or chance: what a simple firmware does."""

    connect_s = 10.0

    def wait_s(self, doll: int, spent_s: float) -> float:  # noqa: ARG002
        """See Dolls."""
        return 1.0


@dataclass(slots=True)
class Storm:
    """What became of it. Seconds count from when the port is there again."""

    dolls: int
    back_s: list[float] = field(default_factory=list)
    tries: int = 0  #: that reached the port
    wasted: int = 0  #: of them, handled for a doll that had gone
    most_waiting: int = 0
    busiest_second: int = 0  #: first tries in it

    def back_after(self, share: float) -> float:
        """Until so many of them are back; infinite if they never are."""
        wanted = max(1, int(share * self.dolls))
        found = sorted(self.back_s)
        return found[wanted - 1] if len(found) >= wanted else float("inf")


def storm(
    count: int, per_s: float, away_s: float, behaviour: Dolls, *, backlog: int | None, seed: int = 1
) -> Storm:
    """`count` dolls whose relay is away for `away_s`, and then handles `per_s` arrivals a second.

    `backlog` is how many may wait at the port; None is any number.
    """
    dice = Random(seed)  # noqa: S311
    seen = Storm(count)
    seconds: dict[int, int] = {}
    # (when, number of the event, doll, when its try began, how many SYNs it has sent)
    events: list[tuple[float, int, int, float, int]] = []
    for doll in range(count):
        at = dice.uniform(0, LOST_WITHIN_S)
        while at < away_s:  # refused at once: nobody listens
            at += behaviour.wait_s(doll, 0.0)
        events.append((at, doll, doll, at, 0))
        seconds[int(at - away_s)] = seconds.get(int(at - away_s), 0) + 1
    heapq.heapify(events)
    seen.busiest_second = max(seconds.values(), default=0)
    number, free_at, limit = count, away_s, behaviour.connect_s
    while events:
        now, _, doll, began, sent = heapq.heappop(events)
        if now - away_s > _GIVEN_UP_S:
            break
        number += 1
        waiting = max(0.0, free_at - now) * per_s
        if backlog is not None and waiting >= backlog:
            if sent < len(_AGAIN_S):
                heapq.heappush(events, (now + _AGAIN_S[sent], number, doll, began, sent + 1))
                continue
        else:
            seen.tries += 1
            seen.most_waiting = max(seen.most_waiting, int(waiting) + 1)
            free_at = max(free_at, now) + 1 / per_s
            if free_at - began <= limit:
                seen.back_s.append(free_at - away_s)
                continue
            seen.wasted += 1
        at = began + limit
        at += behaviour.wait_s(doll, limit)
        heapq.heappush(events, (at, number, doll, at, 0))
    return seen
