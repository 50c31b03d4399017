"""Where a stock board posts the photo that it was asked for, and gets told what is on it.

The photo is in memory while it is looked at, and goes to the model that sees; it is never
written to a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from relay.devices.device import Device
from relay.devices.rates import SourceRates
from relay.devices.sight import MAX_BODY_BYTES, VISION_PATH, PhotoError, Sight, read_photo
from relay.errors import ErrorKind, ProviderError
from relay.llm.actions import about_photo
from relay.quota.base import SupersededError
from relay.services import Services
from relay.turn.question import question
from relay.wire.address import source
from relay.wire.headers import bearer_token, identifier

if TYPE_CHECKING:
    from relay.dolls import Dolls

#: Requests (a second, at once). A board sends one for each photo that it is asked for.
PER_SOURCE, TOGETHER = (0.5, 10.0), (10.0, 100.0)

_STATUS = {ErrorKind.RATE: 429, ErrorKind.QUOTA: 429, ErrorKind.BLOCKED: 422}

_STRANGER = "The token is not that of this doll's session."

#: To the worker that the doll is at, and how long a board waits for its answer; seconds.
_PHOTO, _PHOTO_S = "doll.photo", 30.0

_log = structlog.get_logger(__name__)


class Photo(msgspec.Struct, frozen=True):
    """A photo that was posted to another worker than its doll's."""

    device_id: Annotated[str, Meta(max_length=128)]
    token: Annotated[str, Meta(max_length=4096)]
    content_type: Annotated[str, Meta(max_length=200)]
    body: Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]


class Seen(msgspec.Struct, frozen=True):
    """What a worker says to that: an HTTP status, and what is on the photo or what is wrong."""

    status: Annotated[int, Meta(ge=200, le=599)]
    text: Annotated[str, Meta(max_length=20_000)]


class _Refusal(Exception):  # noqa: N818 (an answer)
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def vision_routes(dolls: Dolls, services: Services) -> APIRouter:
    """The route."""
    desk = _Desk(dolls, services)
    router = APIRouter()
    answers: dict[int | str, dict[str, Any]] = {
        400: {"description": "No form with a JPEG"},
        401: {"description": "Not the token that this doll was told in this session"},
        409: {"description": "No photo was asked for"},
        413: {"description": "More than 1 MiB"},
        422: {"description": "The model refused the photo"},
        429: {"description": "Too many photos, or no request is left for them"},
        502: {"description": "No model could look at it"},
    }

    @router.post(VISION_PATH, responses=answers)
    async def look(request: Request) -> Response:
        """Look at a photo (`file`) and answer a question about it (`question`)."""
        try:
            text = await desk.look(request)
        except _Refusal as refusal:
            told = {"success": False, "message": refusal.detail}
            return _json(told, refusal.status)
        return _json({"success": True, "response": text})

    return router


class _Desk:
    def __init__(self, dolls: Dolls, services: Services) -> None:
        self._dolls = dolls
        self._services = services
        self._rates = SourceRates(PER_SOURCE, TOGETHER)
        if dolls.cluster is not None:
            dolls.cluster.bus.serve(_PHOTO, Photo, self._for_another)

    async def look(self, request: Request) -> str:
        now = asyncio.get_running_loop().time()
        if not self._rates.take(source(request.client.host if request.client else ""), now):
            raise _Refusal(429, "Too many requests.")
        device_id = identifier(request.headers.get("device-id")) or ""
        token, kind = bearer_token(request.headers), request.headers.get("content-type", "")
        cluster = self._dolls.cluster
        if cluster is not None and self._dolls.session(device_id) is None:
            photo = Photo(device_id, token, kind[:200], await _body(request))
            seen = await cluster.ask_its_worker(device_id, _PHOTO, photo, Seen, _PHOTO_S)
            if seen is None:
                raise _Refusal(401, _STRANGER)
            if seen.status != 200:
                raise _Refusal(seen.status, seen.text)
            return seen.text

        async def body() -> bytes:
            return await _body(request)

        return await self._look(device_id, token, kind, body)

    async def _for_another(self, _: str, photo: Photo) -> Seen:
        """A board has posted its photo to another worker."""

        async def body() -> bytes:
            return photo.body

        try:
            text = await self._look(photo.device_id, photo.token, photo.content_type, body)
        except _Refusal as refusal:
            return Seen(refusal.status, refusal.detail)
        return Seen(200, text)

    async def _look(
        self, device_id: str, token: str, content_type: str, body: Callable[[], Awaitable[bytes]]
    ) -> str:
        device, sight = self._who(device_id, token)
        if not sight.waits:
            raise _Refusal(409, "No photo was asked for.")
        with sight.looking(asyncio.get_running_loop().time()) as may:
            if not may:
                raise _Refusal(429, "One photo at a time, and a few in a minute.")
            try:
                photo = read_photo(content_type, await body())
            except PhotoError as error:
                raise _Refusal(400, str(error)) from None
            return await self._answer(device, sight, photo.question, photo.jpeg)

    def _who(self, device_id: str, token: str) -> tuple[Device, Sight]:
        session = self._dolls.session(device_id)
        sight = session.device.sight if session is not None else None
        if session is None or sight is None or not sight.is_token(token):
            raise _Refusal(401, _STRANGER)
        return session.device, sight

    async def _answer(self, device: Device, sight: Sight, asked: str, jpeg: bytes) -> str:
        language = sight.language or device.languages[0]
        now = datetime.now(ZoneInfo(self._services.settings.persona.timezone))
        text = about_photo(asked, device.persona.language)
        about = replace(question(device, text, language, now), tools=())
        try:
            answer = await self._services.brain.look(jpeg, about, doll=device.id)
        except ProviderError as error:
            sight.failure = error.kind
            _log.warning("photo not seen", device=device.id, kind=error.kind, why=error.message)
            raise _Refusal(_STATUS.get(error.kind, 502), "No model has seen the photo.") from None
        except SupersededError:
            raise _Refusal(409, "The doll was asked for something newer.") from None
        _log.info("photo seen", device=device.id, bytes=len(jpeg))
        _log.debug("photo", device=device.id, question=asked, answer=answer)
        return answer


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
    except ClientDisconnect:
        raise _Refusal(400, "The body is not complete.") from None
    except HTTPException as refused:  # by `relay.web.body`, which bounds size and time
        what = f"has more than {MAX_BODY_BYTES} bytes" if refused.status_code == 413 else "is late"
        raise _Refusal(refused.status_code, f"The photo {what}.") from None
    return bytes(body)


def _json(content: object, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(content),
        status,
        {"Cache-Control": "no-store"},
        media_type="application/json",
    )
