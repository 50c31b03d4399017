"""Work that goes on for as long as the relay does, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

#: A bug that comes back at once must not fill the log, nor keep a core busy.
PAUSE_S: Final = 5.0


async def keep_up(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` until it returns or is cancelled; what it raises is logged, and it begins anew.

    Nobody waits for such a task. Without this, one exception would end it unseen: revoked dolls
    would stay, and nothing more would be remembered.
    """
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 (logged)
            structlog.get_logger().exception(
                "begins anew", what=getattr(work, "__qualname__", repr(work))
            )
            await asyncio.sleep(PAUSE_S)
        else:
            return
