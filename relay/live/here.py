"""How the dolls are that talk with this worker, for a page at this one or another one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import msgspec

from relay.devices.mcp import STATUS, VOLUME
from relay.dolls import Dolls
from relay.live.load import Load, LoadMeter
from relay.turn.session import Session
from relay.wire.errors import Disconnected

#: A doll is asked for its battery and its volume so often, while somebody watches.
_STATUS_EVERY_S: Final = 60.0


class DollHere(msgspec.Struct, frozen=True):
    """What only the worker knows that a doll talks with. What it does not tell is None."""

    id: str
    state: str  #: idle, listening, thinking, speaking
    update: str = ""  #: `relay.devices.updater.Standing.state`; empty: it takes none
    update_version: str = ""  #: what is offered, on trial, or was taken back
    update_percent: int | None = None  #: of what it has fetched
    update_reason: str = ""  #: the doll's own word for why not
    rssi: int | None = None  #: Wi-Fi signal, dBm
    battery: int | None = None  #: percent
    charging: bool | None = None
    volume: int | None = None  #: 0 to 100, where it has a tool for that
    underruns: int = 0  #: times that its speaker ran dry since it came
    frames_lost: int = 0
    heap_free: int | None = None  #: bytes


class Here:
    """Looks at the dolls of this worker, and asks them how they are now and then."""

    def __init__(self, dolls: Dolls) -> None:
        self._dolls = dolls
        self._load = LoadMeter()
        self._status: dict[str, dict[str, Any]] = {}
        self._asked: dict[Session, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def look(self) -> dict[str, DollHere]:
        """The dolls that are here, by id."""
        self._ask_dolls()
        return {device_id: self._seen(session) for device_id, session in self._dolls.sessions()}

    def load(self) -> Load:
        """What this worker takes of its machine."""
        return self._load.look()

    async def ask(self, device_id: str, session: Session) -> None:
        """Ask one doll how it is."""
        with contextlib.suppress(Disconnected):
            if session.device.toolbox is not None:
                self._status[device_id] = await session.device.toolbox.status()

    def _seen(self, session: Session) -> DollHere:
        device = session.device
        report = device.report
        status = self._status.get(device.id, {})
        battery, speaker = _table(status, "battery"), _table(status, "audio_speaker")
        updater = session.upkeep.updater
        update = updater.standing if updater else None
        has_volume = device.toolbox is not None and VOLUME in device.toolbox
        return DollHere(
            id=device.id,
            state=session.state.name.lower(),
            update=update.state if update else "",
            update_version=update.version if update else "",
            update_percent=update.percent if update else None,
            update_reason=update.reason if update else "",
            rssi=report.rssi if report else None,
            battery=_percent(battery.get("level")),
            charging=charging if isinstance(charging := battery.get("charging"), bool) else None,
            volume=(_percent(speaker.get("volume")) or 0) if has_volume else None,
            underruns=device.underruns,
            frames_lost=device.frames_lost,
            heap_free=report.heap_free if report else None,
        )

    def _ask_dolls(self) -> None:
        now = asyncio.get_running_loop().time()
        here = dict(self._dolls.sessions())
        self._status = {key: value for key, value in self._status.items() if key in here}
        sessions = set(here.values())
        self._asked = {s: at for s, at in self._asked.items() if s in sessions}
        for device_id, session in here.items():
            toolbox = session.device.toolbox
            is_due = now - self._asked.get(session, float("-inf")) >= _STATUS_EVERY_S
            if toolbox is not None and STATUS in toolbox and is_due:
                self._asked[session] = now
                task = asyncio.create_task(self.ask(device_id, session))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)


def _table(status: dict[str, Any], key: str) -> dict[str, Any]:
    found = status.get(key)
    return found if isinstance(found, dict) else {}


def _percent(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if 0 <= value <= 100 else None
