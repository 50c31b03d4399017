"""`doll bench scaling`: the plan's assumptions in simulated time, and what servers really do."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from tools.bench.report import Goal, Report
from tools.scaling.day import day
from tools.scaling.figures import Assumptions, Costs, assumptions, costs
from tools.scaling.plan import plan
from tools.scaling.queueing import waits
from tools.scaling.storm import EverySecond, Ours, Storm, storm

SIZES = (100, 10_000, 1_000_000)

#: The relay is away for so long, and may have so many seconds of arrivals waiting at its port.
AWAY_S, WAITING_S = 60.0, 2.0

_BACK_S = 30.0
#: By the limit a minute: for how many minutes, and at which shares of it.
_QUEUES = {15: (10.0, (0.5, 0.8, 1.0, 1.2)), 1_000: (1.5, (0.8, 1.0))}
_ARRIVALS = 300

_METHOD = (
    "simulated time. Day: sessions of 4 to 12 minutes at the hours of `bench quota`, as many as a "
    "Poisson law gives, all in one time zone. Storm: all dolls lose their relay for "
    f"{AWAY_S:g} s; the firmware's own back-off code decides when each tries; what is behind the "
    "port takes the measured time for a greeting, one after the other in each worker of the "
    "plan; a doll gives a try up after 10 s, and nobody sees that before it was handled; "
    f"'bounded': at most {WAITING_S:g} s of arrivals wait at the port, the others at the kernel, "
    "which is asked again after 1, 3 and 7 s; baseline: a doll that tries again each second. "
    "Queue: turns by a Poisson law at a share of the allowance, the relay's own scheduler. "
    "Million: all cells together, as if they had one port. Measured, where a server is given: the "
    "relay's own presence, quota and memory on 10,000 dolls that exist in name only"
)


async def measure(redis: str, postgres: str, dolls: int, largest: int, *, arrivals: bool) -> Report:
    """Two minutes; one more with servers, which nobody else may use."""
    sizes = tuple(size for size in SIZES if size <= largest) or (largest,)
    baseline, result, goals = await asyncio.to_thread(simulated, costs(), assumptions(), sizes)
    if arrivals:
        from tools.scaling import arrival_cost

        result |= await arrival_cost.measure(_ARRIVALS)
    if redis:
        from tools.scaling import redis_cost

        result |= await redis_cost.measure(redis, dolls)
    if postgres:
        from tools.scaling import postgres_cost

        result |= await postgres_cost.measure(postgres, dolls)
    return Report("scaling", _METHOD, baseline, result, goals)


def simulated(
    measured: Costs, assumed: Assumptions, sizes: tuple[int, ...] = SIZES
) -> tuple[dict[str, Any], dict[str, Any], list[Goal]]:
    """Baseline, result and goals of what needs no server."""
    baseline: dict[str, Any] = {}
    result: dict[str, Any] = {}
    short = []
    for size in sizes:
        seen, planned = day(size, assumed.usage), plan(size, "adpcm", measured, assumed)
        result[f"day_{size}_most_talking"] = seen.most_talking
        result[f"day_{size}_planned_for"] = planned.load.talking
        result[f"day_{size}_peak_to_mean"] = round(seen.peak_to_mean, 2)
        short.append(seen.most_talking / planned.load.talking)
    cell = assumed.layout.cell_dolls
    slowest = 0.0
    for size in sorted({min(cell, each) for each in sizes} | {cell}):
        per_s = plan(size, "adpcm", measured, assumed).layout.greetings_per_s
        bounded = _storm(f"storm_{size}_bounded", size, per_s, result)
        slowest = max(slowest, bounded.back_after(0.99))
        _storm(f"storm_{size}_unbounded", size, per_s, result, bounded=False)
        _storm(f"storm_{size}_bounded", size, per_s, baseline, ours=False)
    one = 1e6 / measured.worker.greeting_us
    _storm(f"storm_{cell}_one_worker_bounded", cell, one, result)
    _storm(f"storm_{cell}_one_worker_unbounded", cell, one, result, bounded=False)
    if max(sizes) > cell:
        layout = plan(max(sizes), "adpcm", measured, assumed).layout
        per_s = layout.greetings_per_s * layout.cells
        _storm(f"storm_{max(sizes)}_bounded", max(sizes), per_s, result)
    over = 0
    for limit, (minutes, loads) in _QUEUES.items():
        for load in loads:
            seen_waits = waits(limit, load, minutes)
            name = f"queue_{limit}_at_{load:.0%}".replace("%", "")
            result[f"{name}_granted"] = round(seen_waits.granted, 3)
            result[f"{name}_wait_p95_s"] = round(seen_waits.p95_s, 2)
            over = max(over, seen_waits.fullest_minute - limit)
    goals = [
        Goal("talking_at_the_peak", round(max(short), 3), 1.0, "of what is planned for"),
        Goal("back_after_a_restart_99", round(slowest, 1), _BACK_S, "s"),
        Goal("requests_beyond_a_minutes_limit", max(0, over), 0, "requests"),
    ]
    return baseline, result, goals


def _storm(
    name: str,
    dolls: int,
    per_s: float,
    figures: dict[str, Any],
    *,
    bounded: bool = True,
    ours: bool = True,
) -> Storm:
    behaviour = Ours(seed=1) if ours else EverySecond()
    backlog = max(1, int(per_s * WAITING_S)) if bounded else None
    seen = storm(dolls, per_s, AWAY_S, behaviour, backlog=backlog)
    for share in (0.5, 0.99):
        after = seen.back_after(share)
        figures[f"{name}_back_{share:.0%}_s".replace("%", "")] = (
            round(after, 1) if math.isfinite(after) else "never"
        )
    figures[f"{name}_handled_in_vain"] = seen.wasted
    return seen
