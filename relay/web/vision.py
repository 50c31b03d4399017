"""Where a stock board posts the photo that it was asked for, and gets told what is on it.

The photo is in memory while it is looked at, and goes to the model that sees; it is never
written to a disk.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
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

_log = structlog.get_logger(__name__)


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

    async def look(self, request: Request) -> str:
        now = asyncio.get_running_loop().time()
        if not self._rates.take(source(request.client.host if request.client else ""), now):
            raise _Refusal(429, "Too many requests.")
        device, sight = self._who(request)
        if not sight.waits:
            raise _Refusal(409, "No photo was asked for.")
        with sight.looking(now) as may:
            if not may:
                raise _Refusal(429, "One photo at a time, and a few in a minute.")
            body = await _body(request)
            try:
                photo = read_photo(request.headers.get("content-type", ""), body)
            except PhotoError as error:
                raise _Refusal(400, str(error)) from None
            return await self._answer(device, sight, photo.question, photo.jpeg)

    def _who(self, request: Request) -> tuple[Device, Sight]:
        session = self._dolls.session(identifier(request.headers.get("device-id")) or "")
        sight = session.device.sight if session is not None else None
        token = bearer_token(request.headers)
        if session is None or sight is None or not sight.is_token(token):
            raise _Refusal(401, "The token is not that of this doll's session.")
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
