"""What it costs to write one request down, by the limit a minute and the place of the ledgers."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from relay.quota.base import Now
from relay.quota.clock import Reading
from relay.quota.factory import open_store
from relay.quota.ledger import Ask, Ledger
from relay.quota.limits import Allowance, Limits
from relay.quota.pacing import Pacing
from relay.quota.state import State
from relay.quota.store import Store
from tools.bench.quota_day import HOME, START

#: A free project's, and what paid ones may have.
LIMITS = (15, 1_000, 4_000)
MINUTE_S = 61.0  #: in which as many requests are sent as the limit allows
ANSWER_S = 0.8  #: from a grant to the first word
GRANTS = 200
_MODEL = "model"
_TOKENS = 2_000


async def grant_costs(redis: str = "") -> dict[str, float]:
    """Microseconds a grant in memory, in a file and, where its URL is given, on a Redis server."""
    costs = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        urls = {"memory": "memory", "sqlite": str(Path(folder) / "quota.sqlite3")}
        for name, url in urls.items() if not redis else {**urls, "redis": redis}.items():
            for limit in LIMITS:
                store = await open_store(url, f"bench {limit} {time.time()}")
                try:
                    took = sorted(await _Talk(store, limit).grants())
                finally:
                    await store.close()
                costs[f"grant_{name}_{limit}_p50_us"] = round(statistics.median(took) * 1e6, 1)
                costs[f"grant_{name}_{limit}_p95_us"] = round(took[int(GRANTS * 0.95)] * 1e6, 1)
    return costs


class _Talk:
    """Requests that use a limit up, each answered after a moment and by then known to be there."""

    def __init__(self, store: Store, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._allowance = Allowance(Limits(limit, limit * _TOKENS))
        self._pacing = Pacing(HOME)
        self._sent: list[tuple[float, str]] = []
        self._known = 0

    async def grants(self) -> list[float]:
        """Seconds that each took, once the minute behind it is full."""
        for _ in range(self._limit * 3 // 2):  # until as many leave as come
            await self._store.change(_MODEL, self._grant)
        took = []
        for _ in range(GRANTS):
            began = time.perf_counter()
            await self._store.change(_MODEL, self._grant)
            took.append(time.perf_counter() - began)
        return took

    def _grant(self, state: State, _: Reading) -> tuple[None, bool]:
        number = len(self._sent)
        at = number * MINUTE_S / self._limit
        ledger = Ledger(self._allowance, self._pacing, state, Reading("bench", at, START + at))
        while self._known < number and self._sent[self._known][0] <= state.time - ANSWER_S:
            ledger.arrived(*self._sent[self._known], ANSWER_S)
            self._known += 1
        doll = f"{number % (self._limit // 5):08x}"
        if not isinstance(ledger.grant(Ask(doll, _TOKENS)), Now):
            raise RuntimeError("the talk asks for more than its limit")
        self._sent.append((state.time, doll))
        return None, True
