"""How the relay and its dolls stand, once a second and only while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay import __version__
from relay.devices.mcp import STATUS, VOLUME
from relay.devices.records import DeviceRecord
from relay.dolls import Dolls
from relay.live.load import LoadMeter
from relay.quota.snapshot import ModelUse
from relay.quota.store import StoreError
from relay.services import Services
from relay.turn.session import Session
from relay.wire.errors import Disconnected

_EVERY_S: Final = 1.0

#: A doll is asked for its battery and its volume so often, while somebody watches.
_STATUS_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class DollSeen:
    """A doll, as the page shows it. What it does not tell is None. Times are Unix time."""

    id: str
    name: str
    persona: str
    language: str
    character: str  #: the name of its character, in its first language
    state: str  #: idle, listening, thinking, speaking; offline; revoked
    last_seen: int | None
    created: int
    board: str
    firmware: str
    update: str  #: `relay.devices.updater.Standing.state`; empty: it takes none, or is away
    update_version: str  #: what is offered, on trial, or was taken back
    update_percent: int | None  #: of what it has fetched
    update_reason: str  #: the doll's own word for why not
    rssi: int | None  #: Wi-Fi signal, dBm
    battery: int | None  #: percent
    charging: bool | None
    volume: int | None  #: 0 to 100, where it has a tool for that
    underruns: int  #: times that its speaker ran dry since it came
    frames_lost: int
    heap_free: int | None  #: bytes
    recorder_until: int | None
    rotate: bool


class Overview:
    """Puts it together. `run` it in one task."""

    def __init__(self, dolls: Dolls, services: Services) -> None:
        self._dolls = dolls
        self._services = services
        self._live = services.live
        self._load = LoadMeter()
        self._last = b""
        self._status: dict[str, dict[str, Any]] = {}
        self._asked: dict[Session, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Tell all who watch what has changed, for ever."""
        while True:
            await self._live.watched()
            await asyncio.sleep(_EVERY_S)
            try:
                now = await self.now()
            except (SQLAlchemyError, OSError) as error:
                structlog.get_logger().error("database", why=type(error).__name__)
                continue
            encoded = msgspec.json.encode([now["dolls"], now["models"], now["shelf"]])
            if encoded != self._last:
                self._last = encoded
                self._live.tell("overview", now)
            else:
                self._live.tell("load", {"load": now["load"]})

    async def start(self) -> dict[str, Any]:
        """All that a page needs when it begins to watch. Raises SQLAlchemyError."""
        return {
            **await self.now(),
            "turns": msgspec.to_builtins(list(self._live.turns)),
            "failures": msgspec.to_builtins(list(self._live.failures)),
        }

    async def now(self) -> dict[str, Any]:
        """Dolls, models and load. Raises SQLAlchemyError."""
        records = await self._dolls.registry.all()
        self._ask_dolls(records)
        return {
            "version": __version__,
            "shelf": shelf.version if (shelf := self._services.shelf) else "",
            "dolls": [asdict(self._seen(record)) for record in records],
            "models": [_shown(use) for use in await self._models()],
            "load": asdict(self._load.look()),
        }

    async def _models(self) -> list[ModelUse]:
        found: list[ModelUse] = []
        for quota in {id(link.quota): link.quota for link in self._services.brain.links}.values():
            with contextlib.suppress(StoreError):  # the quota has logged it
                found += await quota.snapshot()
        return found

    def _seen(self, record: DeviceRecord) -> DollSeen:
        session = self._dolls.session(record.id)
        report = session.device.report if session else None
        status = self._status.get(record.id, {}) if session else {}
        battery, speaker = _table(status, "battery"), _table(status, "audio_speaker")
        updater = session.upkeep.updater if session else None
        update = updater.standing if updater else None
        persona = self._services.persona_of(record.persona)
        has_volume = bool(session and session.device.toolbox and VOLUME in session.device.toolbox)
        return DollSeen(
            id=record.id,
            name=record.name,
            persona=record.persona,
            language=record.language,
            character=persona.names_in(record.language or persona.language)[0],
            state=_state(record, session),
            last_seen=record.last_seen,
            created=record.created,
            board=record.board,
            firmware=record.firmware,
            update=update.state if update else "",
            update_version=update.version if update else "",
            update_percent=update.percent if update else None,
            update_reason=update.reason if update else "",
            rssi=report.rssi if report else None,
            battery=_percent(battery.get("level")),
            charging=charging if isinstance(charging := battery.get("charging"), bool) else None,
            volume=(_percent(speaker.get("volume")) or 0) if has_volume else None,
            underruns=session.device.underruns if session else 0,
            frames_lost=session.device.frames_lost if session else 0,
            heap_free=report.heap_free if report else None,
            recorder_until=record.recorder_until,
            rotate=record.rotate,
        )

    def _ask_dolls(self, records: list[DeviceRecord]) -> None:
        """Have the dolls that can tell how they are do so now and then."""
        now = asyncio.get_running_loop().time()
        here = {record.id: s for record in records if (s := self._dolls.session(record.id))}
        self._status = {key: value for key, value in self._status.items() if key in here}
        self._asked = {s: at for s, at in self._asked.items() if s in here.values()}
        for device_id, session in here.items():
            toolbox = session.device.toolbox
            is_due = now - self._asked.get(session, float("-inf")) >= _STATUS_EVERY_S
            if toolbox is not None and STATUS in toolbox and is_due:
                self._asked[session] = now
                task = asyncio.create_task(self.ask(device_id, session))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)

    async def ask(self, device_id: str, session: Session) -> None:
        """Ask one doll how it is."""
        with contextlib.suppress(Disconnected):
            if session.device.toolbox is not None:
                self._status[device_id] = await session.device.toolbox.status()


def _state(record: DeviceRecord, session: Session | None) -> str:
    if record.revoked is not None:
        return "revoked"
    return session.state.name.lower() if session else "offline"


def _table(status: dict[str, Any], key: str) -> dict[str, Any]:
    found = status.get(key)
    return found if isinstance(found, dict) else {}


def _percent(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if 0 <= value <= 100 else None


def _shown(use: ModelUse) -> dict[str, Any]:
    """What is left of a model's allowance, and what the page says about it."""
    limits = use.limits
    return {
        "model": use.model,
        "minute": {"used": use.minute_requests, "limit": limits.requests_per_minute},
        "tokens": {"used": use.minute_tokens, "limit": limits.tokens_per_minute},
        "day": {
            "used": use.day_requests,
            "limit": limits.requests_per_day,
            "forecast": use.day_forecast,
        },
        "learned": use.learned,
        "held_s": round(use.held_s),
        "over_until": use.over.until if use.over else None,
        "state": _model_state(use),
        "waiting": use.waiting,
    }


def _model_state(use: ModelUse) -> str:
    if use.retired:
        return "retired"
    if use.over is not None:
        return "over" if use.over.until is not None else "never"
    return "held" if use.held_s > 0 else "free"
