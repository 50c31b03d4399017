"""A process that asks for as much as it can get, as long as it lives, and tells what it got.

Its clock runs 60 times as fast as time, so that a minute takes a second; the clocks of all such
processes agree. `python hammer.py STORE` prints `ready`, then one line per grant: the ledger's
reading of the clock.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC

from relay.quota.base import Now
from relay.quota.clock import Reading
from relay.quota.factory import open_store
from relay.quota.ledger import Ask, Ledger
from relay.quota.limits import Allowance, Limits
from relay.quota.pacing import Pacing
from relay.quota.state import State
from tests.fakes.clocks import MONDAY

SPEED = 60.0
LIMITS = Limits(requests_per_minute=20, requests_per_day=1000)
KEY = "key"
MODEL = "model"
PACING = Pacing(UTC, keep=0)


def fast_clock() -> Reading:
    now = time.monotonic() * SPEED
    return Reading("one machine", now, MONDAY + now % 20_000)


def grant(state: State, reading: Reading) -> tuple[float | None, bool]:
    ledger = Ledger(Allowance(LIMITS), PACING, state, reading)
    granted = ledger.grant(Ask("doll", 1))
    ledger.arrived(state.time, "doll", 0.0)
    return (reading.steady, True) if isinstance(granted, Now) else (None, False)


async def main(store_url: str) -> None:
    store = await open_store(store_url, KEY, clock=fast_clock)
    print("ready", flush=True)
    while True:
        if (at := await store.change(MODEL, grant)) is not None:
            print(at, flush=True)
        else:
            await asyncio.sleep(0.002)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
