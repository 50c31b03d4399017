"""`GET /api/live`: what happens in the relay, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from relay.live.live import Live, encode
from relay.live.overview import Overview
from relay.web.auth import Admin
from relay.web.event_stream import EventStream
from relay.web.guard import owner, problem

#: With nothing to tell for so long, something is sent all the same, so that proxies keep the line,
#: and it is looked whether the login is still good.
_QUIET_S: Final = 15.0


def live_routes(live: Live, overview: Overview) -> APIRouter:
    """The stream: `start` with everything, then `overview`, `load`, `heard`, `said`, `turn` …"""
    router = APIRouter(prefix="/api", tags=["live"], dependencies=[Depends(owner)])

    # Not in the schema: what comes has no end.
    @router.get("/live", include_in_schema=False)
    async def watch(request: Request, login: Annotated[str, Depends(owner)]) -> Response:
        if live.is_full:
            raise problem(429, "too_many_pages")
        return EventStream(_events(live, overview, request.app.state.admin, login))

    return router


async def _events(
    live: Live, overview: Overview, admin: Admin, login: str
) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    with live.watching() as queue:
        yield encode("start", await overview.start())
        checked = loop.time()
        while True:
            try:
                async with asyncio.timeout(_QUIET_S):
                    event = await queue.get()
            except TimeoutError:
                event = b": \n\n"
            if event is None:
                return
            if loop.time() - checked >= _QUIET_S:
                checked = loop.time()
                if not await admin.check(login):
                    return
            yield event
