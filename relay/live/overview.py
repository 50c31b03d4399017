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
from relay.cluster.cluster import Cluster
from relay.devices.records import DeviceRecord
from relay.dolls import Dolls
from relay.live.elsewhere import Elsewhere, Worker
from relay.live.here import DollHere, Here
from relay.quota.snapshot import ModelUse
from relay.quota.store import StoreError
from relay.services import Services

_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class DollSeen:
    """A doll, as the page shows it; the fields of `DollHere` come with it. Unix time."""

    id: str
    name: str
    persona: str
    language: str
    character: str  #: the name of its character, in its first language
    relay: str  #: the worker where it is, if there are several; empty if it is nowhere
    last_seen: int | None
    created: int
    board: str
    firmware: str
    recorder_until: int | None
    rotate: bool


class Overview:
    """Puts it together. `run` it in one task."""

    def __init__(self, dolls: Dolls, services: Services, cluster: Cluster | None = None) -> None:
        self.here = Here(dolls)
        self._dolls = dolls
        self._services = services
        self._live = services.live
        self._elsewhere = Elsewhere(cluster, services.live, self.here) if cluster else None
        self._last = b""

    async def run(self) -> None:
        """Tell all who watch what has changed, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look())
            if self._elsewhere is not None:
                group.create_task(self._elsewhere.run())

    async def _look(self) -> None:
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
                self._live.show("overview", now)
            else:
                self._live.show("load", {key: now[key] for key in ("load", "workers")})

    async def start(self) -> dict[str, Any]:
        """All that a page needs when it begins to watch. Raises SQLAlchemyError."""
        turns, failures = list(self._live.turns), list(self._live.failures)
        if self._elsewhere is not None:
            turns, failures = await self._elsewhere.past()
        return {
            **await self.now(),
            "turns": msgspec.to_builtins(turns),
            "failures": msgspec.to_builtins(failures),
        }

    async def now(self) -> dict[str, Any]:
        """Dolls, models and load. Raises SQLAlchemyError."""
        records = await self._dolls.registry.all()
        others = await self._elsewhere.look() if self._elsewhere is not None else []
        here, load = self.here.look(), self.here.load()
        place = self._elsewhere.place.name if self._elsewhere is not None else ""
        at = {doll.id: (worker.place, doll) for worker in others for doll in worker.dolls}
        at |= {device_id: (place, doll) for device_id, doll in here.items()}
        nowhere = ("", None)
        return {
            "version": __version__,
            "shelf": shelf.version if (shelf := self._services.shelf) else "",
            "dolls": [self._seen(each, *at.get(each.id, nowhere)) for each in records],
            "models": [_shown(use) for use in await self._models()],
            "load": asdict(load),
            "workers": [
                {"relay": place, "dolls": len(here), **asdict(load)},
                *(_worker(other) for other in others),
            ]
            if others
            else [],
        }

    async def _models(self) -> list[ModelUse]:
        found: list[ModelUse] = []
        for quota in {id(link.quota): link.quota for link in self._services.brain.links}.values():
            with contextlib.suppress(StoreError):  # the quota has logged it
                found += await quota.snapshot()
        return found

    def _seen(self, record: DeviceRecord, relay: str, here: DollHere | None) -> dict[str, Any]:
        persona = self._services.persona_of(record.persona)
        seen = DollSeen(
            id=record.id,
            name=record.name,
            persona=record.persona,
            language=record.language,
            character=persona.names_in(record.language or persona.language)[0],
            relay=relay,
            last_seen=record.last_seen,
            created=record.created,
            board=record.board,
            firmware=record.firmware,
            recorder_until=record.recorder_until,
            rotate=record.rotate,
        )
        here = here or DollHere(record.id, "offline")
        if record.revoked is not None:
            here = msgspec.structs.replace(here, state="revoked")
        return asdict(seen) | msgspec.structs.asdict(here)


def _worker(worker: Worker) -> dict[str, Any]:
    return {"relay": worker.place, "dolls": len(worker.dolls), **asdict(worker.load)}


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
