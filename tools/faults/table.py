"""`doll bench faults`: breaks everything once, and prints what came of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from tools.bench.report import Goal, Report
from tools.faults.links import LINKS
from tools.faults.outcome import BACK_S, Fault, Outcome, SkippedError
from tools.faults.providers import PROVIDERS
from tools.faults.relays import RELAYS
from tools.faults.resources import RESOURCES
from tools.relay_process import RelayFailedError
from tools.simulator.errors import SimulatorError

FAULTS = (*LINKS, *RELAYS, *RESOURCES, *PROVIDERS)

#: Most of the time everybody waits, so several worlds fit on two cores.
_AT_ONCE = 5

_METHOD = (
    "the firmware on MicroPython's unix port and a relay process of its own for each fault, real "
    "sockets between them by a TCP forwarder that breaks them; recovery is on the doll's own "
    "clock, from the end of the fault; each answer is compared sample by sample; a second doll "
    "talks all the while; brains and voices say the same each time, faulty providers are asked by "
    "the real clients over real sockets"
)

Run = tuple[Fault, Outcome | SkippedError]


async def run(faults: Sequence[Fault] = FAULTS, at_once: int = _AT_ONCE) -> list[Run]:
    """Break these, several at the same time; what came of each, in their order."""
    places = asyncio.Semaphore(at_once)

    async def one(fault: Fault) -> Run:
        async with places:
            try:
                return fault, await fault.run()
            except SkippedError as skipped:
                return fault, skipped
            except (SimulatorError, RelayFailedError) as failed:
                why = str(failed).partition("\n")[0]
                return fault, Outcome(math.inf, kept=False, talks=False, lost=why)

    return await asyncio.gather(*map(one, faults))


async def measure() -> Report:
    """Break everything; some four minutes."""
    runs = await run()
    rows = {fault.name: _row(fault, came) for fault, came in runs}
    outcomes = [(fault, came) for fault, came in runs if isinstance(came, Outcome)]
    slowest = max(came.back_s for _, came in outcomes)
    goals = [
        Goal("slowest_recovery", round(slowest, 1), BACK_S, "s on the doll's clock"),
        Goal("answers_not_kept", sum(not came.kept for _, came in outcomes), 0, "faults"),
        Goal("dolls_silent_after_it", sum(not came.talks for _, came in outcomes), 0, "faults"),
        Goal("others_silenced", sum(not came.others for _, came in outcomes), 0, "faults"),
        Goal("faults_tried", len(outcomes), len(FAULTS), "faults", at_least=True),
    ]
    return Report("faults", _METHOD, {"faults": len(FAULTS)}, rows, goals)


def _row(fault: Fault, came: Outcome | SkippedError) -> dict[str, Any]:
    if isinstance(came, SkippedError):
        return {"skipped": str(came)}
    return {
        "does": fault.does,
        "back_s": round(came.back_s, 1),
        "lost": came.lost,
        "underruns": came.underruns,
        "second_doll_talks": came.others,
        "seen": came.seen,
        "missed": came.missed(),
    }
