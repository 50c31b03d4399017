"""The owner's API for a doll's recordings: list, play, delete."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from relay.dolls import Dolls
from relay.recorder.shelf import Kept, Recordings
from relay.services import Services
from relay.web.admin import DeviceId, told
from relay.web.guard import owner, problem
from relay.web.ranges import file_answer

_PAGE: Final = 20

#: What is shown of a turn's words; a longer one is cut.
_MAX_CHARS: Final = 300

_Moment = Annotated[str, Path(pattern=r"^\d{8}T\d{9}Z$")]


class Recorded(BaseModel):
    """One turn."""

    id: str
    at: float = Field(description="Unix time of its beginning")
    size: int = Field(description="bytes")
    heard: str
    said: str
    question: bool = Field(description="whether there is a sound of what was said")
    answer: bool


class RecordedPage(BaseModel):
    """The newest first; `before` is what to ask for those before them."""

    recordings: list[Recorded]
    before: str | None
    amount: int
    until: int | None = Field(description="recorded until then, in Unix time")
    days: int = Field(description="kept for so long")


def recording_routes(dolls: Dolls, services: Services) -> APIRouter:
    """For dolls that are paired."""
    router = APIRouter(prefix="/api/devices/{device_id}", tags=["recordings"])
    router.dependencies.append(Depends(owner))
    shelf = Recordings.of(services.settings)

    async def known(device_id: str) -> str:
        with told():
            return (await dolls.registry.find(device_id)).id

    async def found(device_id: str, moment: str) -> Kept:
        kept = await asyncio.to_thread(shelf.find, await known(device_id), moment)
        if kept is None:
            raise problem(404, "no_recording")
        return kept

    @router.get("/recordings")
    async def recordings(
        device_id: DeviceId,
        before: Annotated[str, Query(pattern=r"^(\d{8}T\d{9}Z)?$")] = "",
    ) -> RecordedPage:
        """What was recorded."""
        with told():
            record = await dolls.registry.find(device_id)
        amount, page, more = await asyncio.to_thread(_page, shelf, record.id, before)
        return RecordedPage(
            recordings=page,
            before=page[-1].id if more else None,
            amount=amount,
            until=record.recorder_until,
            days=services.settings.recorder.days,
        )

    @router.get("/recordings/{moment}/{sound}.wav", response_class=Response)
    async def play(
        request: Request,
        device_id: DeviceId,
        moment: _Moment,
        sound: Literal["question", "answer"],
    ) -> Response:
        """The sound (audio/wav), or a part of it."""
        kept = await found(device_id, moment)
        path = await asyncio.to_thread(kept.sound, sound)
        if path is None:
            raise problem(404, "no_recording")
        try:
            return await file_answer(request, path, "audio/wav")
        except OSError:  # deleted just now
            raise problem(404, "no_recording") from None

    @router.delete("/recordings/{moment}", status_code=204)
    async def drop(device_id: DeviceId, moment: _Moment) -> None:
        """Delete one turn's."""
        await asyncio.to_thread(shelf.drop, (await found(device_id, moment)).folder)

    @router.delete("/recordings", status_code=204)
    async def drop_all(device_id: DeviceId) -> None:
        """Delete all of this doll."""
        await asyncio.to_thread(shelf.delete, await known(device_id))

    return router


def _page(shelf: Recordings, device_id: str, before: str) -> tuple[int, list[Recorded], bool]:
    """How many there are, some of them, and whether there are older ones. Blocks."""
    every = shelf.list(device_id)[::-1]
    older = [kept for kept in every if not before or kept.id < before]
    return len(every), [_shown(kept) for kept in older[:_PAGE]], len(older) > _PAGE


def _shown(kept: Kept) -> Recorded:
    about = kept.about()
    return Recorded(
        id=kept.id,
        at=kept.at,
        size=kept.size,
        heard=_text(about.get("transcript")),
        said=_text(about.get("subtitles")),
        question=kept.sound("question") is not None,
        answer=kept.sound("answer") is not None,
    )


def _text(found: Any) -> str:
    parts = found if isinstance(found, list) else [found]
    text = " ".join(part for part in parts if isinstance(part, str))
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 1] + "…"
