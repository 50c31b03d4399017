"""The owner's API for what a doll remembers: facts, history, export, deletion."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from relay.dolls import Dolls
from relay.memory.course import Course
from relay.memory.export import pieces
from relay.memory.records import MAX_FACT_CHARS, Fact, KeptExchange, one_line
from relay.recorder.shelf import Recordings
from relay.services import Services
from relay.store.database import Database
from relay.web.admin import DeviceId, told
from relay.web.guard import owner, problem

_PAGE = 30
_LAST_ID = 2**53

_TurnId = Annotated[int, Field(ge=1, le=_LAST_ID)]


class FactShown(BaseModel):
    """One fact about the owner. `at` is Unix time; 0 for one that is new."""

    model_config = ConfigDict(extra="forbid")
    at: Annotated[int, Field(ge=0, le=2**33)] = 0
    text: Annotated[str, StringConstraints(max_length=MAX_FACT_CHARS)]


class FactList(BaseModel):
    """All that the doll is to know."""

    model_config = ConfigDict(extra="forbid")
    facts: Annotated[list[FactShown], Field(max_length=200)]


class TurnShown(BaseModel):
    """What was said to the doll, and what it really said."""

    id: int
    at: int
    heard: str
    said: str
    course: Course | None = Field(description="how it went in time, where that is known")


class Remembered(BaseModel):
    """What a doll remembers."""

    turns: int
    first: int | None
    facts: list[FactShown]
    summary: str
    most_facts: int
    days: int = Field(description="what was said is kept for so long; 0: until it is deleted")


class Page(BaseModel):
    """Turns, oldest first; `before` is what to ask for the ones before them."""

    turns: list[TurnShown]
    before: int | None


def memory_routes(dolls: Dolls, services: Services, database: Database) -> APIRouter:
    """For dolls that are paired. What is changed counts from the doll's next turn."""
    router = APIRouter(prefix="/api/devices/{device_id}", tags=["memory"])
    router.dependencies.append(Depends(owner))
    registry, memory = dolls.registry, dolls.memory
    store, settings = memory.store, services.settings

    async def known(device_id: str) -> str:
        with told():
            return (await registry.find(device_id)).id

    async def shown(device_id: str) -> Remembered:
        await memory.flush()
        amount = await store.amount(device_id)
        kept = await store.load(device_id, 0)
        return Remembered(
            turns=amount.turns,
            first=amount.first,
            facts=[FactShown(at=fact.at, text=fact.text) for fact in kept.facts],
            summary=kept.summary.text if kept.summary else "",
            most_facts=settings.memory.facts,
            days=settings.memory.days,
        )

    @router.get("/memory")
    async def remembered(device_id: DeviceId) -> Remembered:
        """Facts, the summary, and how much there is."""
        return await shown(await known(device_id))

    @router.get("/turns")
    async def turns(
        device_id: DeviceId, before: Annotated[int, Query(ge=1, le=_LAST_ID)] = _LAST_ID
    ) -> Page:
        """The newest turns before one, by its id."""
        found_id = await known(device_id)
        await memory.flush()
        found = await store.between(found_id, 0, before, _PAGE)
        return Page(
            turns=[_shown(turn) for turn in found],
            before=found[0].id if len(found) == _PAGE else None,
        )

    @router.put("/facts")
    async def facts(device_id: DeviceId, given: FactList) -> Remembered:
        """Know these facts, and no others."""
        found_id = await known(device_id)
        if len(given.facts) > settings.memory.facts:
            raise problem(422, "too_many_facts", most=settings.memory.facts)
        now = int(time.time())
        wanted = [
            Fact(fact.at or now, text)
            for fact in given.facts
            if (text := one_line(fact.text, MAX_FACT_CHARS))
        ]
        unique = {fact.text: fact for fact in wanted}.values()
        await store.set_facts(found_id, sorted(unique, key=lambda fact: fact.at))
        await database.empty_log()
        return await shown(found_id)

    @router.delete("/turns/{turn_id}", status_code=204)
    async def forget_turn(device_id: DeviceId, turn_id: _TurnId) -> None:
        """Forget one turn, for good."""
        if not await store.delete_turn(await known(device_id), turn_id):
            raise problem(404, "no_such_turn")
        await database.scrub("turns", "summaries")

    @router.delete("/memory", status_code=204)
    async def forget(device_id: DeviceId, keep_facts: bool = False) -> None:
        """Forget what was said, for good: turns, summary, recordings, and facts as well."""
        found_id = await known(device_id)
        await store.delete_all(found_id, keep_facts=keep_facts)
        await asyncio.to_thread(Recordings.of(settings).delete, found_id)
        await database.scrub("turns", "summaries", "facts")

    @router.get("/memory.json")
    async def export(device_id: DeviceId) -> Response:
        """Everything, as a file."""
        with told():
            record = await registry.find(device_id)
        await memory.flush()
        text = pieces(store, record, ZoneInfo(settings.persona.timezone))
        name = {"Content-Disposition": 'attachment; filename="doll-memory.json"'}
        return StreamingResponse(text, headers=name, media_type="application/json")

    return router


def _shown(turn: KeptExchange) -> TurnShown:
    return TurnShown(id=turn.id, at=turn.at, heard=turn.heard, said=turn.said, course=turn.course)
