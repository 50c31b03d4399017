"""Proof that a browser is on the relay's own machine, and its user the owner of its data.

An address proves nothing: through a proxy or a tunnel on this machine every visitor of the internet
comes from 127.0.0.1, and what they say of themselves can be made up. So `doll open` leaves a ticket
in the relay's data folder, where only its owner can write, and opens a browser with it; the relay
takes it once and gives that browser a cookie, which is good until the relay stops.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from pathlib import Path as FilePath
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import HTTPConnection

from relay.web.guard import is_here

#: In the relay's data folder.
TICKET: Final = "open.ticket"

#: Where a browser shows it.
HERE_PATH: Final = "/here/"

#: A ticket is good for so long.
GOOD_S: Final = 120.0

_COOKIE: Final = "doll-here"
_MAX_CHARS: Final = 64


class Here:
    """The browsers that have shown a ticket."""

    def __init__(self, data: FilePath, cookie: str = "") -> None:
        """`data` is the folder where tickets are left; `cookie` a secret that workers of one relay
        share, so that each knows the browsers that have shown a ticket to another."""
        self._ticket = data / TICKET
        self._cookie = cookie or secrets.token_urlsafe(32)

    def __contains__(self, connection: HTTPConnection) -> bool:
        """Whether it comes from such a browser, and from this machine as far as that shows."""
        shown = connection.cookies.get(_COOKIE, "")
        return is_here(connection) and secrets.compare_digest(shown.encode(), self._cookie.encode())

    def take(self, shown: str) -> bool:
        """Whether this is the ticket; it is good for nothing after that. Blocks."""
        try:
            age_s = time.time() - self._ticket.stat().st_mtime
            ticket = self._ticket.read_text(encoding="ascii")
            if age_s > GOOD_S or not secrets.compare_digest(shown.encode(), ticket.encode()):
                return False
            self._ticket.unlink()
        except (OSError, ValueError):  # there is none, or another request was faster
            return False
        return True

    def let_in(self, response: Response) -> None:
        """Know this browser from now on."""
        response.set_cookie(_COOKIE, self._cookie, path="/", httponly=True, samesite="strict")


def leave_ticket(data: FilePath) -> str:
    """A ticket for one browser, in the relay's data folder. Raises OSError."""
    ticket = secrets.token_urlsafe(32)
    partial = data / f"{TICKET}.new"
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(ticket)
    partial.replace(data / TICKET)
    return ticket


def here_routes(here: Here) -> APIRouter:
    """Where a browser shows its ticket. It goes on to the page in any case: there it is told what
    a stranger is told."""
    router = APIRouter(include_in_schema=False)

    @router.get(HERE_PATH + "{ticket}")
    async def show(
        request: Request,
        ticket: Annotated[str, Path(max_length=_MAX_CHARS)],
        to: Annotated[Literal["", "doll/"], Query()] = "doll/",
    ) -> Response:
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        response = RedirectResponse(f"/{to}", 303, headers)
        if is_here(request) and await asyncio.to_thread(here.take, ticket):
            here.let_in(response)
        return response

    return router
