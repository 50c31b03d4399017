"""The owner's API for one doll: volume, how it listens, firmware, whether it is recorded."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from relay.devices.records import DeviceRecord
from relay.dolls import Dolls
from relay.live.overview import Overview
from relay.persona.base import MAX_CHARACTER_CHARS
from relay.services import Services
from relay.web.admin import DeviceId, told
from relay.web.guard import owner, problem
from relay.web.wishes import Wish, Wishes

_Silence = Annotated[int, Field(ge=100, le=10_000)]


class Endpoint(BaseModel):
    """The silence that ends what is said, in ms; what is left out is the relay's."""

    model_config = ConfigDict(extra="forbid")
    silence_ms: _Silence | None = None
    min_ms: _Silence | None = None
    max_ms: _Silence | None = None


class Listen(BaseModel):
    """Whether it answers only by its name, and for how long after an answer it needs none."""

    model_config = ConfigDict(extra="forbid")
    by_name: StrictBool | None = None
    follow_s: Annotated[float, Field(ge=0, le=120)] | None = None


class Own(BaseModel):
    """A doll's own settings. They count from its next connection."""

    model_config = ConfigDict(extra="forbid")
    endpoint: Endpoint = Endpoint()
    listen: Listen = Listen()


class OwnAndUsual(BaseModel):
    """A doll's own settings, and what counts without them."""

    own: Own
    usual: Own


class Instruction(BaseModel):
    """Who a doll is told to be in place of its character; empty for its persona's."""

    model_config = ConfigDict(extra="forbid")
    instruction: Annotated[str, Field(max_length=MAX_CHARACTER_CHARS)]


class Volume(BaseModel):
    """How loud a doll speaks."""

    model_config = ConfigDict(extra="forbid")
    volume: Annotated[int, Field(ge=0, le=100)]


class Recorder(BaseModel):
    """For how long a doll's turns are recorded from now on; 0 ends it."""

    model_config = ConfigDict(extra="forbid")
    hours: Annotated[float, Field(ge=0, le=168)]


def care_routes(dolls: Dolls, services: Services, overview: Overview) -> APIRouter:
    """For dolls that are paired."""
    router = APIRouter(prefix="/api/devices/{device_id}", tags=["care"])
    router.dependencies.append(Depends(owner))
    registry, settings = dolls.registry, services.settings
    wishes = Wishes(dolls, overview)

    async def fulfil(wish: Wish) -> None:
        if wrong := await wishes.fulfil(wish):
            raise problem(409, wrong)

    def shown(record: DeviceRecord) -> OwnAndUsual:
        endpoint, listen = settings.endpoint, settings.listen
        return OwnAndUsual(
            own=Own(
                endpoint=_known(Endpoint, record.settings.get("endpoint")),
                listen=_known(Listen, record.settings.get("listen")),
            ),
            usual=Own(
                endpoint=Endpoint(
                    silence_ms=endpoint.silence_ms, min_ms=endpoint.min_ms, max_ms=endpoint.max_ms
                ),
                listen=Listen(by_name=listen.by_name, follow_s=listen.follow_s),
            ),
        )

    @router.get("/settings")
    async def own(device_id: DeviceId) -> OwnAndUsual:
        """What this doll has of its own."""
        with told():
            return shown(await registry.find(device_id))

    @router.put("/settings")
    async def change(device_id: DeviceId, given: Own) -> OwnAndUsual:
        """Replace what this doll has of its own."""
        endpoint = given.endpoint.model_dump(exclude_none=True)
        listen = given.listen.model_dump(exclude_none=True)
        if listen.get("by_name") and services.stt is None:
            raise problem(422, "no_ear_for_a_name")
        try:
            settings.endpoint.for_doll(endpoint)
        except ValueError:
            raise problem(422, "bad_endpoint") from None
        with told():
            record = await registry.find(device_id)
            others = {k: v for k, v in record.settings.items() if k not in ("endpoint", "listen")}
            new = {**others, "endpoint": endpoint, "listen": listen}
            return shown(await registry.change(record.id, settings=new))

    @router.get("/instruction")
    async def instruction(device_id: DeviceId) -> Instruction:
        """What its owner has told it to be: here, in Telegram or on the command line."""
        with told():
            return Instruction(instruction=(await registry.find(device_id)).instruction)

    @router.put("/instruction")
    async def instruct(device_id: DeviceId, given: Instruction) -> Instruction:
        """Change it; it counts from the doll's next answer on, in Telegram too."""
        with told():
            record = await registry.find(device_id)
            record = await registry.change(record.id, instruction=given.instruction)
            return Instruction(instruction=record.instruction)

    @router.put("/volume", status_code=204)
    async def volume(device_id: DeviceId, given: Volume) -> None:
        """Set it now; the doll must be here, and have a tool for it."""
        await fulfil(Wish(device_id, "volume", given.volume))

    @router.post("/update", status_code=204)
    async def update(device_id: DeviceId) -> None:
        """Have it fetch the newer firmware that is there, as soon as nobody talks to it."""
        await fulfil(Wish(device_id, "update"))

    @router.put("/recorder", status_code=204)
    async def recorder(device_id: DeviceId, given: Recorder) -> None:
        """Record its turns for so long, or not any more; the doll shows it first."""
        until = int(time.time() + given.hours * 3600) if given.hours else None
        with told():
            await registry.record_until((await registry.find(device_id)).id, until)

    return router


def _known(model: type[Any], kept: object) -> Any:
    """What is kept, as far as it is good: the command line takes more than the page shows."""
    try:
        return model.model_validate(kept or {})
    except ValueError:
        return model()
