"""What stands before every route that is the owner's: `dependencies=[Depends(owner)]`.

@router.get("/api/…", dependencies=[Depends(owner)])
"""

from __future__ import annotations

from fastapi import HTTPException, Request, Response
from starlette.requests import HTTPConnection

from relay.web import csrf
from relay.web.auth import Admin
from relay.web.origin import SAFE_METHODS
from relay.wire.address import is_loopback

#: Whoever asks through one of these is elsewhere, whatever the address of the proxy.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def problem(status: int, name: str, /, **values: object) -> HTTPException:
    """The answer to what cannot be done: a page has words for `name`."""
    detail = {"problem": name, **({"values": values} if values else {})}
    return HTTPException(status, detail)


async def owner(request: Request) -> str:
    """Let the owner through; the login. Raises HTTPException for everybody else.

    For what changes something the CSRF token has to be there as well.
    """
    admin: Admin = request.app.state.admin
    if not await admin.has_password() and not is_here(request):
        raise problem(403, "no_password")
    login = login_of(request)
    if not await admin.check(login):
        raise problem(401, "not_signed_in")
    changes = request.method not in SAFE_METHODS
    if changes and not csrf.is_good(login, request.headers.get(csrf.HEADER, "")):
        raise problem(403, "csrf")
    return login


def is_here(request: HTTPConnection) -> bool:
    """Whether the browser runs on the machine of the relay, as far as that can be told."""
    client = request.client.host if request.client else ""
    name = request.url.hostname or ""
    return (
        is_loopback(client)
        and (name == "localhost" or name.endswith(".localhost") or is_loopback(name))
        and not any(header in request.headers for header in _FORWARDED)
        and "proxy" not in request.scope.get("state", {})
    )


def login_of(request: Request) -> str:
    """What the browser shows as its login; may be anything."""
    return request.cookies.get(_cookie(request), "")


def keep_login(request: Request, response: Response, login: str, max_age_s: int) -> None:
    """Give the browser its login, out of reach of scripts and of other sites."""
    response.set_cookie(
        _cookie(request),
        login,
        max_age=max_age_s,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def drop_login(request: Request, response: Response) -> None:
    """Take it away again."""
    response.delete_cookie(
        _cookie(request), path="/", secure=_is_secure(request), httponly=True, samesite="strict"
    )


def _cookie(request: Request) -> str:
    """With `__Host-` a browser takes it over TLS only, and from this very host."""
    return "__Host-doll" if _is_secure(request) else "doll"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
