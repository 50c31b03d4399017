"""What is full first: for each limit, how many dolls reach it."""

from __future__ import annotations

from dataclasses import dataclass

from tools.scaling.figures import Assumptions, Costs
from tools.scaling.plan import at_peak

_MOST = 10**9


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """One thing there is a limited amount of. `key` names its words in `words.toml`."""

    key: str
    dolls: int  #: the most that it carries


def bottlenecks(codec: str, costs: Costs, assumed: Assumptions) -> list[Bottleneck]:
    """All of them, the one that is full first at the head. Each supposes that the ones before it
    were mended."""
    usage, limits, worker = assumed.usage, assumed.limits, costs.worker
    a_day = usage.minutes_per_day * usage.turns_per_minute * (1 + costs.turn.background_requests)
    cpu, database, link = costs.codec[codec].cpu_s_per_minute, costs.database, costs.link
    handshakes = 10 * 1e6 / link.tls_handshake_us  # in the ten seconds that a doll waits
    greetings = 10 * 1e6 / worker.greeting_us

    def talking(most: float) -> int:
        """How many dolls there are when at most so many talk at the same time."""
        low, high = 0, _MOST
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if at_peak(middle, assumed) <= most else (low, middle - 1)
        return low

    def turns(most_per_s: float) -> int:
        return talking(most_per_s * 60 / usage.turns_per_minute)

    found = [
        Bottleneck("free_day", int(limits.free_requests_per_day // a_day)),
        Bottleneck("free_minute", turns(limits.free_requests_per_minute / 60)),
        Bottleneck("core", talking(worker.usable * 60 / cpu)),
        Bottleneck("max_dolls", limits.worker_default_dolls),
        Bottleneck("ports", limits.ports),
        Bottleneck("ledger", turns(limits.ledger_requests_per_minute / 60)),
        Bottleneck("greetings", int(greetings)),
        Bottleneck("handshakes", int(handshakes)),
        Bottleneck("postgres", turns(worker.usable * 1e6 / database.postgres_us)),
        Bottleneck(
            "presence", int(worker.usable * 1e6 * costs.redis.refresh_s / costs.redis.refresh_us)
        ),
    ]
    return sorted(found, key=lambda each: each.dolls)


def next_one(dolls: int, found: list[Bottleneck]) -> tuple[Bottleneck | None, Bottleneck | None]:
    """The last that so many dolls have gone past, and the first that they have not."""
    past = [each for each in found if each.dolls < dolls]
    ahead = [each for each in found if each.dolls >= dolls]
    return (past[-1] if past else None), (ahead[0] if ahead else None)
