"""The two addresses that a stock xiaozhi board asks before it opens its WebSocket.

Nobody has proved anything here. So the most that a stranger gets is a code to be confirmed, and a
token goes only to the device, by its Device-Id and its Client-Id, that the owner has confirmed, and
only until the device has shown it.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from relay import locales
from relay.config import Settings
from relay.devices.ota import (
    MAX_BODY_BYTES,
    Activation,
    OtaAnswer,
    OtaError,
    WebSocketPlace,
    challenge,
    image,
    read_proof,
    read_report,
    server_time,
    websocket_url,
)
from relay.devices.pairing import Pairing, Pending
from relay.devices.rates import SourceRates
from relay.devices.records import RegistryError
from relay.devices.registry import Registry
from relay.wire.address import source
from relay.wire.headers import identifier, language

#: What a board posts to. It follows no redirect, so both forms of it are there.
OTA_PATH = "/xiaozhi/ota/"

#: Requests (a second, at once). A board that waits to be confirmed asks every 3 s.
PER_SOURCE, TOGETHER = (1.0, 30.0), (20.0, 200.0)

_log = structlog.get_logger()


class _Refusal(Exception):  # noqa: N818 (an answer)
    def __init__(self, status: int, detail: str, retry_s: int = 0) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_s = status, detail, retry_s


def ota_routes(
    settings: Settings,
    registry: Registry,
    pairing: Pairing,
    *,
    websocket_path: str,
    persona_language: str,
) -> APIRouter:
    """The routes. `persona_language` is for boards that do not say which one they speak."""
    desk = _Desk(settings, registry, pairing, websocket_path, persona_language)
    router = APIRouter()
    answers: dict[int | str, dict[str, Any]] = {
        400: {"description": "No usable Device-Id, Client-Id or body"},
        403: {"description": "This relay takes no new dolls"},
        413: {"description": "More than 16 KiB"},
        429: {"description": "Too many requests, or too many devices wait; see Retry-After"},
        503: {"description": "The database does not answer"},
    }

    @router.get(OTA_PATH)
    @router.get(OTA_PATH.rstrip("/"), include_in_schema=False)
    async def look(request: Request) -> Response:
        """For a person who checks the address with a browser: where boards are sent to."""
        return await _answered(request, desk.look)

    @router.post(OTA_PATH, responses=answers)
    @router.post(OTA_PATH.rstrip("/"), include_in_schema=False)
    async def ask(request: Request) -> Response:
        """Tell a board where the relay is, and what to do to be let in."""
        return await _answered(request, desk.ask)

    @router.post(
        OTA_PATH + "activate",
        responses={
            **answers,
            202: {"description": "Not confirmed yet"},
            404: {"description": "No code is open for this device"},
        },
    )
    async def activate(request: Request) -> Response:
        """Tell a board whether its owner has confirmed it."""
        return await _answered(request, desk.activate)

    return router


class _Desk:
    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        pairing: Pairing,
        websocket_path: str,
        persona_language: str,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._pairing = pairing
        self._websocket_path = websocket_path
        self._language = persona_language
        self._rates = SourceRates(PER_SOURCE, TOGETHER)

    async def look(self, request: Request) -> Response:
        self._admit(request)
        return _json({"websocket": {"url": self._url(request)}, "boards": "POST here"})

    async def ask(self, request: Request) -> Response:
        device_id, client_id = self._who(request)
        try:
            about = read_report(await _body(request))
        except OtaError as error:
            raise _Refusal(400, str(error)) from None
        place = WebSocketPlace(self._url(request))
        activation: Activation | msgspec.UnsetType = msgspec.UNSET
        pending = await self._pairing.of(device_id, client_id)
        if pending is None and not await self._is_ours(device_id, client_id):
            pending = await self._begin(request, device_id, client_id)
        if pending is None:  # ours, and it has its token
            await self._registry.seen({device_id: about})
        elif not pending.confirmed:
            place = msgspec.structs.replace(place, token="")
            activation = self._activation(request, pending)
        elif (token := await self._pairing.deliver(pending.ticket)) is not None:
            place = msgspec.structs.replace(place, token=token)
            await self._registry.seen({device_id: about})
            _log.info("token handed over", device=device_id, board=about.board)
        now = datetime.now(ZoneInfo(self._settings.persona.timezone))
        return _json(OtaAnswer(server_time(now), place, image(about), activation))

    async def activate(self, request: Request) -> Response:
        device_id, client_id = self._who(request)
        try:
            proof = read_proof(await _body(request))
        except OtaError as error:
            raise _Refusal(400, str(error)) from None
        pending = await self._pairing.of(device_id, client_id)
        if pending is None:
            if await self._is_ours(device_id, client_id):
                return _json({})
            raise _Refusal(404, "The code has expired; ask for a new one.")
        if not proof.answers(challenge(pending)):
            raise _Refusal(400, "The activation is not about the challenge of this device.")
        return _json({}, status=200 if pending.confirmed else 202)

    def _admit(self, request: Request) -> None:
        if not self._rates.take(_source(request), asyncio.get_running_loop().time()):
            raise _Refusal(429, "Too many requests.", retry_s=10)

    def _who(self, request: Request) -> tuple[str, str]:
        self._admit(request)
        device_id = identifier(request.headers.get("device-id"))
        client_id = identifier(request.headers.get("client-id"))
        if device_id is None or client_id is None:
            raise _Refusal(400, "Device-Id and Client-Id must be there, 1 to 64 characters each.")
        return device_id, client_id

    def _url(self, request: Request) -> str:
        try:
            return websocket_url(
                self._settings.relay.public_url or "",
                request.url.scheme,
                request.headers.get("host", ""),
                self._websocket_path,
            )
        except OtaError as error:
            raise _Refusal(400, str(error)) from None

    async def _is_ours(self, device_id: str, client_id: str) -> bool:
        """Whether this is a device that has been let in: it is nobody else's to know both ids."""
        found = await self._registry.good([device_id])
        if device_id not in found:
            return False
        record, _ = found[device_id]
        return secrets.compare_digest(record.client_id.encode(), client_id.encode())

    async def _begin(self, request: Request, device_id: str, client_id: str) -> Pending:
        if not self._settings.pairing.new_dolls:
            _log.warning("refused", device=device_id, why="it cannot be paired")
            raise _Refusal(403, "This relay takes no new dolls (pairing.new_dolls).")
        try:
            pending = await self._pairing.begin(device_id, client_id, _source(request))
        except RegistryError as error:
            _log.warning("refused", device=device_id, why=str(error))
            raise _Refusal(429, "Too many devices wait to be paired.", retry_s=60) from None
        _log.info("wants to be paired", device=device_id, code=pending.code)
        return pending

    def _activation(self, request: Request, pending: Pending) -> Activation:
        spoken = language(request.headers)
        if spoken not in locales.languages():
            spoken = self._language
        message = locales.text(spoken, "pairing.shown").format(code=pending.code)
        return Activation(pending.code, message, challenge(pending))


def _source(request: Request) -> str:
    return source(request.client.host if request.client else "")


async def _answered(request: Request, desk: Any) -> Response:
    try:
        response: Response = await desk(request)
    except _Refusal as refusal:
        headers = {"Retry-After": str(refusal.retry_s)} if refusal.retry_s else {}
        return _json({"error": refusal.detail}, status=refusal.status, **headers)
    except (SQLAlchemyError, OSError) as error:
        _log.error("database", why=type(error).__name__)
        return _json({"error": "The database does not answer."}, status=503)
    return response


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                raise _Refusal(413, f"A body may have {MAX_BODY_BYTES} bytes.")
    except ClientDisconnect:
        raise _Refusal(400, "The body is not complete.") from None
    return body


def _json(content: object, status: int = 200, **headers: str) -> Response:
    return Response(
        msgspec.json.encode(content),
        status,
        {"Cache-Control": "no-store", **headers},
        media_type="application/json",
    )
