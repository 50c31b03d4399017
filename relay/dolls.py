"""The dolls that are connected just now: one session each, and not too many."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from fastapi import WebSocket
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from relay.audio import Pcm
from relay.cluster.alone import alone
from relay.cluster.cluster import Cluster
from relay.devices.device import Device
from relay.devices.mcp import PHOTO
from relay.devices.newcomers import Newcomers
from relay.devices.ota import OtaError, http_url
from relay.devices.pairing import Pairing
from relay.devices.records import About
from relay.devices.registry import Registry
from relay.devices.sight import VISION_PATH, Sight
from relay.following import Following
from relay.memory.memory import Memory
from relay.metrics.refusals import Limit, count
from relay.moves import REPLACED, Moves
from relay.parting import STOPS, see_out
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

_SETTING = {
    Limit.DOLLS: "relay.max_dolls",
    Limit.SOCKETS_PER_ADDRESS: "limits.sockets_per_address",
}

#: A session that has lasted for its time waits for nobody to talk: so often, so many seconds each.
_LOOKS, _LOOK_S = 24, 5.0

_OVER = (CloseCode.SESSION_OVER, "it has lasted for limits.session_s")


class Dolls:
    """Live sessions by device, each of a doll that has shown its token."""

    def __init__(
        self, services: Services, database: Database, cluster: Cluster | None = None
    ) -> None:
        """`cluster`: there are other workers, at which a doll may be as well."""
        self.cluster = cluster
        self.registry = Registry(database)
        self.pairing = Pairing(database, self.registry, services.settings.pairing)
        self._services = services
        self._newcomers = Newcomers(services, self.registry, self.pairing)
        self._sessions: dict[str, Session] = {}
        self._ends: dict[Session, asyncio.TimerHandle] = {}
        self._places = Places(services.settings.limits.sockets_per_address)
        self._strangers = 0  # sockets that have not said who they are
        self._closing = False
        self.memory = Memory(
            database,
            services.settings.memory,
            brain=services.brain,
            activity=services.activity,
            zone=ZoneInfo(services.settings.persona.timezone),
            once=partial(alone, cluster.bus, "expire") if cluster is not None else None,
        )
        recordings = Recordings.of(services.settings)
        self._flight = FlightRecorder(recordings, services.settings.recorder, self.registry)
        self._following = Following(services, self.registry, self.memory, self._sessions)
        self._following.watch.follow(self._newcomers.follow)
        self._moves = Moves(cluster, self._sessions, self.memory, self._part, self._following.start)

    def __len__(self) -> int:
        """Dolls that talk with us, those among them whose link is lost for a moment."""
        return len(self._sessions)

    def is_here(self, device_id: str) -> bool:
        """Whether that doll talks with this worker just now."""
        return device_id in self._sessions

    async def online(self, device_ids: Iterable[str]) -> set[str]:
        """Those of them that talk just now, with this worker or another one."""
        ids = list(device_ids)
        here = {device_id for device_id in ids if self.is_here(device_id)}
        if self.cluster is None:
            return here
        return here | set(await self.cluster.presence.elsewhere(i for i in ids if i not in here))

    def sessions(self) -> Iterable[tuple[str, Session]]:
        """All sessions of dolls that talk with this worker just now, with their dolls."""
        return list(self._sessions.items())

    def session(self, device_id: str) -> Session | None:
        """The session of that doll, if it talks with this worker just now."""
        return self._sessions.get(device_id)

    async def watch(self) -> None:
        """Follow what is changed in the registry, and write what the dolls remember, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._following.watch.run())
            group.create_task(self.memory.run())
            group.create_task(self._flight.run())

    async def serve(self, websocket: WebSocket, *, confirmed: bool = False) -> None:
        """Serve one socket until it closes, and the session that it began until that ends.

        `confirmed`: a doll that is not known is let in without a code.
        """
        if self._closing:
            await websocket.accept()  # a refusal would have it wait longer from try to try
            await websocket.close(*STOPS)
            return
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
            async with self._moves.claimed(connection) as moved:
                device = Device(record, SecretStr(token), self._services)
                device.takes_tokens = connection.hello.features.token
                device.sight = self._sight(websocket)
                device.conversation = await self.memory.open(
                    device.id, device.persona, record.forgotten
                )
                await self._following.recall(record)
                old = self._sessions.get(device.id)
                if moved is not None:
                    connection.go_on(moved.session_id)
                if moved is None and old is not None and old.delivery.can_resume(connection):
                    session = None
                else:
                    session = Session(connection, self._services, device, moved)
                    self._sessions[device.id] = session
            if session is not None:
                await self._converse(session, connection, old)
            elif old is not None:
                await self._go_on(old, connection, device)
        except Disconnected:
            pass  # the connection has logged why

    async def _go_on(self, session: Session, connection: Connection, device: Device) -> None:
        """Go on with a session over this connection, which whoever began it serves."""
        self._came(connection)
        session.device.record, session.device.token = device.record, device.token
        session.device.takes_tokens = device.takes_tokens
        await session.delivery.resume(connection)
        await connection.over()

    def _came(self, connection: Connection) -> None:
        firmware = connection.hello.firmware
        about = About(
            connection.client_id,
            firmware.version if firmware else "",
            firmware.board if firmware else "",
        )
        self._following.arrived(connection.device_id, about)

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

    async def _converse(
        self, session: Session, connection: Connection, old: Session | None
    ) -> None:
        self._came(connection)
        sign: Sign | None = None
        lasts_s = self._services.settings.limits.session_s
        loop = asyncio.get_running_loop()
        self._ends[session] = loop.call_later(lasts_s, self._end_of_time, session, _LOOKS)
        try:
            if old is not None:
                # A doll that comes back while its old socket looks alive: the new one is the doll.
                old.delivery.end(*REPLACED)
            try:
                await connection.greet()
            except Disconnected:
                if not session.has_moved:
                    raise  # else it may come back for the rest
            if old is not None:
                await old.delivery.close(*REPLACED)
            sign = self._hang_sign(session, connection)
            await session.run()
        finally:
            if sign is not None:
                sign.close()
            self._ends.pop(session).cancel()
            self._part(session)

    def _part(self, session: Session) -> None:
        """That session is over, or goes on elsewhere."""
        device_id = session.device.id
        if self._sessions.get(device_id) is not session:
            return
        del self._sessions[device_id]
        self._moves.left(device_id)

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
            self._following.start(session.delivery.close(*_OVER))
        else:
            loop = asyncio.get_running_loop()
            self._ends[session] = loop.call_later(_LOOK_S, self._end_of_time, session, looks - 1)

    async def close(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Part from every doll, and from whoever watches, because the relay goes away; `hurry`
        tells whether nobody may be waited for.

        Dolls in the middle of an answer hear it to the end, and are told then; with other workers
        that still listen, those that can take it along. Nobody new is let in any more.
        """
        self._closing = True
        self._services.live.close()
        sent = await self._moves.send_away()
        stay = [session for session in self._sessions.values() if session not in sent]
        await asyncio.gather(
            self._newcomers.close(),
            self._moves.fetched(sent),
            *(see_out(session, hurry) for session in stay),
            return_exceptions=True,
        )
        await asyncio.gather(
            *(session.delivery.close(*STOPS) for session in tuple(self._sessions.values())),
            return_exceptions=True,
        )
        await self.memory.flush()
