"""How a doll is parted from when its relay ends: it hears the answer of the moment to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from relay.turn.session import Session
from relay.wire.errors import CloseCode

#: An answer that takes longer is cut. `docs/vps.md` tells of it, and whoever ends a relay gives it
#: longer: `cluster.child.HUNG_S` and `STOP_S`, the unit of systemd, compose.yaml.
LAST_WORDS_S: Final = 20.0

#: What a doll is told: it comes back as soon as a relay is there.
STOPS: Final = (CloseCode.GOING_AWAY, "the relay stops")

_LOOK_S = 0.1


async def see_out(session: Session, hurry: Callable[[], bool]) -> None:
    """Let a doll hear its answer, and tell it that the relay stops. One that interrupts has asked
    for no more; neither has one that is lost: it could not come back for the rest.

    `hurry` tells whether nobody is to be waited for any more.
    """
    now = asyncio.get_running_loop().time
    until = now() + LAST_WORDS_S
    while session.answers and now() < until and not hurry():  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    await session.delivery.close(*STOPS)
