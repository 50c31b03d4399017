"""The owner's API for the Telegram chat: a code that lets one person in, and who came by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from relay.services import Services
from relay.store.database import Database
from relay.telegram.people import CODE_S, People
from relay.web.guard import owner, problem


class Code(BaseModel):
    """Good once; the person sends it to the bot, `/start CODE`."""

    code: str
    minutes: int


class Friend(BaseModel):
    """Somebody who may write to the doll because of a code."""

    id: int
    name: str


class Chat(BaseModel):
    """Whether there is a chat at all, and who was let in."""

    on: bool
    people: list[Friend]


def telegram_routes(services: Services, database: Database) -> APIRouter:
    """What `doll telegram` does on the command line."""
    router = APIRouter(prefix="/api/telegram", tags=["telegram"], dependencies=[Depends(owner)])
    people = People(database)
    on = services.settings.telegram.token is not None

    @router.get("")
    async def chat() -> Chat:
        """Who may write besides those whom the settings name."""
        found = [Friend(id=person.id, name=person.name) for person in await people.all()]
        return Chat(on=on, people=found)

    @router.post("/codes", status_code=201)
    async def new_code() -> Code:
        """Make a code for one person."""
        if not on:
            raise problem(409, "no_telegram")
        return Code(code=await people.new_code(), minutes=CODE_S // 60)

    @router.delete("/people/{person}", status_code=204)
    async def remove(person: Annotated[int, Path(ge=1, lt=2**52)]) -> None:
        """Let somebody (52 bits, as Telegram has it) write no more, from the next message on."""
        if not await people.remove(person):
            raise problem(404, "no_such_person")

    return router
