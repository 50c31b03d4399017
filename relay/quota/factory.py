"""From settings to a quota."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from relay.quota.clock import Clock, system_clock
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import QuotaSettings
from relay.quota.sqlite import SqliteStore
from relay.quota.store import MemoryStore, Store, StoreError


async def open_quota(
    settings: QuotaSettings, key: str, *, timezone: str = "UTC", server: str = ""
) -> Scheduler:
    """The allowances of the project that `key` belongs to, at `server` (a base URL, if not Google).

    Open one for each key of the relay, and close it at the end. `timezone` is where the dolls live
    (`persona.timezone`). Models without limits are admitted at once, and kept away from only while
    their server refuses or fails. For models on this machine there is `Unlimited`. Raises
    StoreError with one sentence for the owner.
    """
    pacing = Pacing(
        ZoneInfo(timezone), settings.waking_from, settings.waking_to, keep=settings.keep
    )
    return Scheduler(await open_store(settings.store, f"{server}\n{key}"), settings, pacing)


async def open_store(store: str, key: str, *, clock: Clock = system_clock) -> Store:
    """The store that `quota.store` names, with the ledgers of one project. Raises StoreError."""
    if store == "memory":
        return MemoryStore(clock)
    if store.startswith(("redis://", "rediss://", "unix://")):
        try:
            from relay.quota.redis import RedisStore
        except ImportError as error:
            raise StoreError(
                "quota.store: Redis needs the extra `redis`: "
                f"pip install 'talking-doll[redis]' ({error})"
            ) from None
        return await RedisStore.open(store, key, clock=clock)
    return await SqliteStore.open(Path(store), key, clock=clock)
