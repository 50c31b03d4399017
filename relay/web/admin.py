"""The owner's API: sign in, pair dolls, look after them. JSON in and out.

What cannot be done is answered with `{"detail": {"problem": NAME, "values": {…}}}`; pages have the
words for it. What is the owner's is behind `relay.web.guard.owner`, all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from relay.devices.records import DeviceRecord, RegistryError
from relay.devices.removal import remove_doll
from relay.dolls import Dolls
from relay.persona import PersonaError
from relay.persona import load as load_persona
from relay.recorder.shelf import Recordings
from relay.services import Services
from relay.store.database import Database
from relay.web import csrf
from relay.web.auth import MAX_PASSWORD_CHARS, Admin, LoginRefusedError
from relay.web.guard import drop_login, is_here, keep_login, login_of, owner, problem
from relay.web.here import Here
from relay.wire.address import source


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


#: A persona by its name. A path is for the command line: over HTTP it would read any file.
_Persona = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")]
_Text = Annotated[str, StringConstraints(max_length=200)]
DeviceId = Annotated[str, Path(min_length=1, max_length=64)]


class Login(_Body):
    """What a browser signs in with; on the relay's own machine, as long as none is set, nothing."""

    password: Annotated[str, StringConstraints(max_length=MAX_PASSWORD_CHARS)] = ""


class SessionState(BaseModel):
    """Where a browser stands."""

    signed_in: bool
    has_password: bool
    csrf_token: str | None = None  #: for the header X-CSRF-Token; only of who is signed in


class Confirmation(_Body):
    """The owner has heard a doll say its code."""

    code: Annotated[str, StringConstraints(max_length=32)]
    name: _Text = ""
    persona: _Persona = ""


class Change(_Body):
    """What is left out stays."""

    name: _Text | None = None
    persona: _Persona | None = None
    language: Annotated[str, StringConstraints(max_length=16)] | None = None


class Doll(BaseModel):
    """A doll that its owner has let in. Times are seconds of Unix time."""

    id: str
    name: str
    persona: str = Field(description="empty: the relay's")
    language: str = Field(description="empty: the persona's first one")
    online: bool
    created: int
    last_seen: int | None
    firmware: str
    board: str
    revoked: int | None
    rotate: bool = Field(description="it gets a new token as soon as it can take one")


_STATUS: dict[str, int] = {
    "unknown_device": 404,
    "no_code": 404,
    "name_taken": 409,
    "too_many_guesses": 429,
    "too_many_pairings": 429,
}


def session_routes() -> APIRouter:
    """Who asks. These are for everybody: they say nothing but whether one is signed in."""
    router = APIRouter(prefix="/api", tags=["session"])

    @router.get("/session")
    async def session(request: Request) -> SessionState:
        """Whether this browser is signed in, and whether a password is needed."""
        admin: Admin = request.app.state.admin
        has_password = await admin.has_password()
        login = login_of(request)
        if not (has_password or is_here(request)) or not await admin.check(login):
            return SessionState(signed_in=False, has_password=has_password)
        token = csrf.token_of(login)
        return SessionState(signed_in=True, has_password=has_password, csrf_token=token)

    @router.post("/login")
    async def login(request: Request, response: Response, given: Login) -> SessionState:
        """Sign in. The login that the browser had before ends."""
        admin: Admin = request.app.state.admin
        old = login_of(request)
        has_password = await admin.has_password()
        if has_password:
            client = request.client.host if request.client else ""
            try:
                new = await admin.login(given.password, source=source(client), old=old)
            except LoginRefusedError as error:
                if error.wait_s:
                    raise problem(429, "too_many_guesses", seconds=error.wait_s) from None
                raise problem(401, "wrong_password") from None
        elif request in _here(request) and (begun := await admin.login_here(old=old)):
            new = begun
        else:
            raise problem(403, "no_password")
        keep_login(request, response, new, admin.login_s)
        return SessionState(
            signed_in=True, has_password=has_password, csrf_token=csrf.token_of(new)
        )

    return router


def _here(request: Request) -> Here:
    here: Here = request.app.state.here
    return here


def owner_routes(dolls: Dolls, services: Services, database: Database) -> APIRouter:
    """What only the owner may do."""
    router = APIRouter(prefix="/api", tags=["owner"], dependencies=[Depends(owner)])
    registry = dolls.registry

    async def shown(*records: DeviceRecord) -> list[Doll]:
        online = await dolls.online(record.id for record in records)
        return [_shown(record, online=record.id in online) for record in records]

    @router.get("/openapi.json", include_in_schema=False)
    async def schema(request: Request) -> dict[str, Any]:
        """All that there is to ask for."""
        found: dict[str, Any] = request.app.openapi()
        return found

    @router.post("/logout", status_code=204)
    async def logout(
        request: Request, response: Response, login: Annotated[str, Depends(owner)]
    ) -> None:
        """Sign this browser out."""
        await request.app.state.admin.logout(login)
        drop_login(request, response)

    @router.get("/devices")
    async def devices() -> list[Doll]:
        """All dolls, the oldest first."""
        return await shown(*await registry.all())

    @router.post("/pairings", status_code=201)
    async def pair(request: Request, given: Confirmation) -> Doll:
        """The doll that says this code is the owner's."""
        await _check_persona(services, given.persona)
        client = request.client.host if request.client else ""
        with told():
            record = await dolls.pairing.confirm(
                given.code,
                source=source(client),
                name=given.name,
                persona=given.persona,
                suggestion=services.persona_of(given.persona).name,
            )
        return (await shown(record))[0]

    @router.patch("/devices/{device_id}")
    async def change(device_id: DeviceId, given: Change) -> Doll:
        """Change what is given; it counts from the doll's next turn on."""
        if given.persona is not None:
            await _check_persona(services, given.persona)
        with told():
            record = await registry.change(device_id, **given.model_dump(exclude_none=True))
        return (await shown(record))[0]

    @router.post("/devices/{device_id}/revoke", status_code=204)
    async def revoke(device_id: DeviceId) -> None:
        """Send a doll away at once."""
        with told():
            await registry.revoke(device_id)

    @router.post("/devices/{device_id}/rotate", status_code=204)
    async def rotate(device_id: DeviceId) -> None:
        """Give a doll a new token as soon as it can take one."""
        with told():
            await registry.ask_rotation(device_id)

    @router.delete("/devices/{device_id}", status_code=204)
    async def remove(device_id: DeviceId) -> None:
        """Forget a doll for good, with all that is kept of it."""
        with told():
            await remove_doll(database, registry, Recordings.of(services.settings), device_id)

    return router


@contextmanager
def told() -> Iterator[None]:
    """What the registry refuses becomes an answer."""
    try:
        yield
    except RegistryError as error:
        raise problem(_STATUS.get(error.problem, 422), error.problem, **error.values) from None


def _shown(record: DeviceRecord, *, online: bool) -> Doll:
    fields: dict[str, Any] = {
        key: getattr(record, key) for key in Doll.model_fields if key != "online"
    }
    return Doll(**fields, online=online)


async def _check_persona(services: Services, name: str) -> None:
    if not name:
        return
    try:
        await asyncio.to_thread(load_persona, name, services.settings.personas_folder)
    except PersonaError:
        raise problem(422, "bad_persona", persona=name) from None
