"""The dolls that are connected just now: one session each, and not too many."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from fastapi import WebSocket
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from relay.audio import Pcm
from relay.devices.device import Device
from relay.devices.mcp import PHOTO
from relay.devices.newcomers import Newcomers
from relay.devices.ota import OtaError, http_url
from relay.devices.pairing import Pairing
from relay.devices.records import About, DeviceRecord, RegistryError, digest
from relay.devices.registry import Registry
from relay.devices.sight import VISION_PATH, Sight
from relay.devices.watch import Watch
from relay.memory.memory import Memory
from relay.metrics.refusals import Limit, count
from relay.places import Places
from relay.recorder.flight import FlightRecorder
from relay.recorder.shelf import Recordings
from relay.recorder.sign import Sign
from relay.recorder.tape import Doll, Tape
from relay.services import Services
from relay.store.database import Database
from relay.turn.machine import State
from relay.turn.session import Session
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.headers import bearer_token
from relay.wire.messages import Token

_SETTING = {
    Limit.DOLLS: "relay.max_dolls",
    Limit.SOCKETS_PER_ADDRESS: "limits.sockets_per_address",
}

#: A session that has lasted for its time waits for nobody to talk: so often, so many seconds each.
_LOOKS, _LOOK_S = 24, 5.0

_REPLACED = (CloseCode.REPLACED, "the same device connected again")
_REVOKED = (CloseCode.REVOKED, "its owner has sent it away")
_OVER = (CloseCode.SESSION_OVER, "it has lasted for limits.session_s")
_NEW_TOKEN = (CloseCode.NEW_TOKEN, "come back with the new token")


class Dolls:
    """Live sessions by device, each of a doll that has shown its token."""

    def __init__(self, services: Services, database: Database) -> None:
        self.registry = Registry(database)
        self.pairing = Pairing(database, self.registry, services.settings.pairing)
        self._services = services
        self._newcomers = Newcomers(services, self.registry, self.pairing)
        self._sessions: dict[str, Session] = {}
        self._ends: dict[Session, asyncio.TimerHandle] = {}
        self._places = Places(services.settings.limits.sockets_per_address)
        self._strangers = 0  # sockets that have not said who they are
        self._arrived: dict[str, About] = {}  # since the last look at the registry
        self._tasks: set[asyncio.Task[None]] = set()
        self.memory = Memory(
            database,
            services.settings.memory,
            brain=services.brain,
            activity=services.activity,
            zone=ZoneInfo(services.settings.persona.timezone),
        )
        recordings = Recordings.of(services.settings)
        self._flight = FlightRecorder(recordings, services.settings.recorder, self.registry)
        self._watch = Watch(self.registry.generation)
        self._watch.follow(self._newcomers.follow)
        self._watch.follow(self._follow)

    def __len__(self) -> int:
        """Dolls that talk with us, those among them whose link is lost for a moment."""
        return len(self._sessions)

    def is_here(self, device_id: str) -> bool:
        """Whether that doll talks with us just now."""
        return device_id in self._sessions

    def session(self, device_id: str) -> Session | None:
        """The session of that doll, if it talks with us just now."""
        return self._sessions.get(device_id)

    async def watch(self) -> None:
        """Follow what is changed in the registry, and write what the dolls remember, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run())
            group.create_task(self.memory.run())
            group.create_task(self._flight.run())

    async def serve(self, websocket: WebSocket, *, confirmed: bool = False) -> None:
        """Serve one socket until it closes, and the session that it began until that ends.

        `confirmed`: a doll that is not known is let in without a code.
        """
        host = websocket.client.host if websocket.client else ""
        limit = Limit.DOLLS if self._is_full(websocket) else self._places.exceeded(host)
        if limit is not None:
            count(limit)
            why = f"more than {_SETTING[limit]} allows"
            structlog.get_logger().warning("refused", why=why, dolls=len(self), host=host)
            await websocket.close(code=CloseCode.TRY_LATER, reason=why)
            return
        with self._places.taken(host):
            await self._serve_one(websocket, confirmed=confirmed)

    async def _serve_one(self, websocket: WebSocket, *, confirmed: bool) -> None:
        try:
            token = bearer_token(websocket.headers)
            device_id = websocket.headers.get("device-id", "")
            record = await self.registry.check(device_id, token)
            if record is None:
                await self._newcomers.serve(
                    websocket, session_id=secrets.token_hex(8), confirmed=confirmed
                )
                return
        except (SQLAlchemyError, OSError) as error:
            structlog.get_logger().error("database", why=type(error).__name__)
            await websocket.close(code=CloseCode.TRY_LATER, reason="the database does not answer")
            return
        try:
            connection = await self._introduce(websocket)
            device = Device(record, SecretStr(token), self._services)
            device.takes_tokens = connection.hello.features.token
            device.sight = self._sight(websocket)
            device.conversation = await self.memory.open(
                device.id, device.persona, record.forgotten
            )
            await self._recall(record)
            await self._serve(connection, device)
        except Disconnected:
            pass  # the connection has logged why

    async def _serve(self, connection: Connection, device: Device) -> None:
        firmware = connection.hello.firmware
        self._arrived[device.id] = About(
            connection.client_id,
            firmware.version if firmware else "",
            firmware.board if firmware else "",
        )
        old = self._sessions.get(device.id)
        if old is not None and old.delivery.can_resume(connection):
            old.device.record, old.device.token = device.record, device.token
            old.device.takes_tokens = device.takes_tokens
            await old.delivery.resume(connection)
            await connection.over()  # who began the session serves it
        else:
            await self._converse(connection, device, old)

    def _is_full(self, websocket: WebSocket) -> bool:
        places = self._services.settings.relay.max_dolls
        if websocket.headers.get("device-id") in self._sessions:
            places += 1  # that doll would only take its own place again
        return len(self._sessions) + len(self._newcomers) + self._strangers >= places

    async def _introduce(self, websocket: WebSocket) -> Connection:
        self._strangers += 1
        try:
            return await Connection.accept(
                websocket, self._services.settings.limits, session_id=secrets.token_hex(8)
            )
        finally:
            self._strangers -= 1

    def _sight(self, websocket: WebSocket) -> Sight | None:
        """Where this doll may show photos; None where its owner or no brain wants to see any."""
        settings = self._services.settings
        if PHOTO not in settings.tools.allowed or not self._services.brain.sees:
            return None
        public_url, host = settings.relay.public_url or "", websocket.headers.get("host", "")
        try:
            return Sight(http_url(public_url, websocket.url.scheme, host, VISION_PATH))
        except OtaError:
            return None

    async def _converse(self, connection: Connection, device: Device, old: Session | None) -> None:
        session = self._sessions[device.id] = Session(connection, self._services, device)
        sign: Sign | None = None
        lasts_s = self._services.settings.limits.session_s
        loop = asyncio.get_running_loop()
        self._ends[session] = loop.call_later(lasts_s, self._end_of_time, session, _LOOKS)
        try:
            if old is not None:
                # A doll that comes back while its old socket looks alive: the new one is the doll.
                old.delivery.end(*_REPLACED)
            await connection.greet()
            if old is not None:
                await old.delivery.close(*_REPLACED)
            sign = self._hang_sign(session, connection)
            await session.run()
        finally:
            if sign is not None:
                sign.close()
            self._ends.pop(session).cancel()
            if self._sessions.get(device.id) is session:
                del self._sessions[device.id]

    def _hang_sign(self, session: Session, connection: Connection) -> Sign:
        """Show whether the doll's turns are recorded, and record them while that is shown."""
        device = session.device
        device.sign = sign = Sign(
            session.delivery.send,
            lambda: device.record.recorder_until,
            connection.log,
            has_light=connection.hello.features.recorder,
            language=device.languages[0],
        )

        def tape(doll: Doll, question: Pcm | None) -> Tape | None:
            return self._flight.tape(doll, device.id, question) if sign.is_shown else None

        device.tape = tape
        sign.update()
        return sign

    def _end_of_time(self, session: Session, looks: int) -> None:
        """A session is over, as soon as nobody talks. Its doll comes back with a new one."""
        if session.state is State.IDLE or looks == 0:
            self._start(session.delivery.close(*_OVER))
        else:
            loop = asyncio.get_running_loop()
            self._ends[session] = loop.call_later(_LOOK_S, self._end_of_time, session, looks - 1)

    async def _follow(self, changed: bool) -> None:
        """After a look at the registry: let the dolls that are here follow it.

        Those that have come since the last look are looked up in any case: what was changed
        between their check and their session would be missed otherwise.
        """
        arrived, self._arrived = self._arrived, {}
        ids = list(self._sessions if changed else arrived)
        if not ids:
            return
        try:
            good = await self.registry.good(ids)
            for record, _ in good.values():
                await self._recall(record)
        except (SQLAlchemyError, OSError):
            self._arrived = arrived | self._arrived  # they are looked up the next time
            raise
        for device_id in ids:
            session = self._sessions.get(device_id)
            if session is not None:
                self._follow_one(session, *good.get(device_id, (None, frozenset())))
        if arrived:
            await self.registry.seen(arrived)

    async def _recall(self, record: DeviceRecord) -> None:
        """Let a doll whose owner has changed what it remembers know that from its next turn on."""
        session = self._sessions.get(record.id)
        if session is None or session.device.record.memory_revision == record.memory_revision:
            return
        device = session.device
        device.conversation = await self.memory.open(device.id, device.persona, record.forgotten)
        await self.memory.refresh(device.id)

    def _follow_one(
        self, session: Session, record: DeviceRecord | None, hashes: frozenset[str]
    ) -> None:
        device = session.device
        if record is None:
            self._start(session.delivery.close(*_REVOKED))
        elif digest(device.token.get_secret_value()) not in hashes:
            self._start(session.delivery.close(*_NEW_TOKEN))
        else:
            persona, device.record = device.record.persona, record
            if persona != record.persona:
                self._services.expect(device.persona)
            if device.sign is not None:
                device.sign.update()
            if record.rotate and device.takes_tokens:
                device.takes_tokens = False  # one is on its way
                self._start(self._rotate(session))

    async def _rotate(self, session: Session) -> None:
        """Give a doll a new token. It leaves when it has stored it, and comes back with it."""
        device = session.device
        token = await self.registry.rotate(device.id)
        device.on_token = lambda stored: self._start(self._settle(device, token, stored=stored))
        await session.delivery.send(Token(token))

    async def _settle(self, device: Device, token: str, *, stored: bool) -> None:
        if not stored:
            structlog.get_logger().error("the doll could not store its token", device=device.id)
            return
        await self.registry.settle(device.id, token)
        self._watch.look_now()

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Tell every doll, and whoever watches, that the relay goes away."""
        self._services.live.close()
        await asyncio.gather(
            self._newcomers.close(),
            *(
                session.delivery.close(CloseCode.GOING_AWAY, "the relay stops")
                for session in self._sessions.values()
            ),
            return_exceptions=True,
        )
        await self.memory.flush()


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except (SQLAlchemyError, OSError) as error:
        structlog.get_logger().error("database", why=type(error).__name__)
    except (Disconnected, RegistryError):
        pass  # it has gone meanwhile, or its owner has removed it
