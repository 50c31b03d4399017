"""The owner's API for personas: list, read, write, try them out, hear them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.exc import SQLAlchemyError

from relay import wav
from relay.errors import ProviderError
from relay.languages import written_in
from relay.llm.base import Emotion, Message, Request
from relay.llm.events import Answering
from relay.persona import PersonaError
from relay.persona.form import Form
from relay.persona.form import read as read_form
from relay.persona.form import write as write_form
from relay.persona.loader import MAX_FILE_BYTES
from relay.persona.shelf import PersonaShelf
from relay.quota.base import SupersededError
from relay.services import Services
from relay.web.guard import owner, problem
from relay.web.voice_routes import VoiceId

_Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Line = Annotated[str, StringConstraints(max_length=1_000)]

#: For an answer, and for a spoken line, in seconds.
_TRY_S, _LISTEN_S = 60.0, 60.0

#: What is listened to is a line, not a book.
_MAX_SPOKEN_CHARS = 200


class Text(BaseModel):
    """A persona's file (TOML)."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(max_length=MAX_FILE_BYTES)]


class Edit(Text):
    """A persona's file, and what its fields should be."""

    form: Form | None = None


class Edited(BaseModel):
    """A persona's file and its fields; where it cannot be used, why, and which field is wrong."""

    text: str
    form: Form
    why: str = ""
    field: str = ""


class Said(BaseModel):
    """One exchange of the try-out."""

    model_config = ConfigDict(extra="forbid")
    heard: _Line
    said: _Line


class Trial(Text):
    """What is said to a persona that need not be saved yet."""

    say: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    before: Annotated[list[Said], Field(max_length=10)] = []


class Tried(BaseModel):
    """What it answers."""

    said: str
    emotion: str
    model: str
    name: str
    language: str
    voice: str  #: the persona's


class Listen(BaseModel):
    """A line to be spoken by one of the relay's voices."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_SPOKEN_CHARS)]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "ko"
    voice: VoiceId = ""


def persona_routes(services: Services) -> APIRouter:
    """Personas by the name of their file; what is saved counts from the next turn on."""
    router = APIRouter(prefix="/api", tags=["personas"], dependencies=[Depends(owner)])
    shelf, shared = PersonaShelf(services.settings.personas_folder), services.shared_personas
    trying, listening = asyncio.Lock(), asyncio.Lock()

    @router.get("/personas")
    async def listed() -> list[dict[str, Any]]:
        """All of them, and which one the relay gives to dolls that have none of their own."""
        usual = services.settings.persona.name
        return [
            {**asdict(item), "usual": item.id == usual}
            for item in await asyncio.to_thread(shelf.list)
        ]

    @router.get("/personas/{persona}")
    async def read(persona: _Id) -> Text:
        """The file as it is."""
        try:
            return Text(text=await asyncio.to_thread(shelf.text, persona))
        except PersonaError:
            raise problem(404, "no_persona") from None

    @router.put("/personas/{persona}", status_code=204)
    async def write(persona: _Id, given: Text) -> None:
        """Keep it, if it can be used."""
        try:
            if shared is not None:
                await shared.save(persona, given.text)
            else:
                await asyncio.to_thread(shelf.save, persona, given.text)
        except PersonaError as error:
            raise problem(422, "bad_text", why=str(error), field=error.field) from None
        except (OSError, SQLAlchemyError):
            raise problem(507, "not_written") from None
        await asyncio.to_thread(services.personas.look)

    @router.post("/persona-form")
    async def form(given: Edit) -> Edited:
        """The fields of a text; with fields, the text that has them, and what is wrong with it.

        Nothing is kept by this.
        """
        try:
            text = given.text if given.form is None else write_form(given.text, given.form)
            found = read_form(text)
        except PersonaError as error:
            raise problem(422, "bad_text", why=str(error)) from None
        try:
            await asyncio.to_thread(shelf.check, text)
        except PersonaError as error:
            return Edited(text=text, form=found, why=str(error), field=error.field)
        return Edited(text=text, form=found)

    @router.delete("/personas/{persona}", status_code=204)
    async def remove(persona: _Id) -> None:
        """Delete the owner's own."""
        removing = shared.remove(persona) if shared else asyncio.to_thread(shelf.remove, persona)
        if not await removing:
            raise problem(404, "no_persona")
        await asyncio.to_thread(services.personas.look)

    @router.post("/try")
    async def try_out(given: Trial) -> Tried:
        """Talk with a persona in writing. It goes to the brain that dolls have, and its quota."""
        if trying.locked():
            raise problem(429, "busy")
        async with trying:
            try:
                persona = await asyncio.to_thread(shelf.check, given.text)
            except PersonaError as error:
                raise problem(422, "bad_text", why=str(error)) from None
            request = Request(
                persona=persona,
                history=tuple(_lines(given.before)),
                text=given.say,
                language=written_in(given.say, persona.languages),
                now=datetime.now(ZoneInfo(services.settings.persona.timezone)),
            )
            try:
                async with asyncio.timeout(_TRY_S):
                    return await _answer(services, request)
            except ProviderError as error:
                raise problem(424, "no_answer", kind=str(error.kind)) from None
            except (TimeoutError, SupersededError):
                raise problem(424, "no_answer", kind="network") from None

    @router.post("/listen", response_class=Response)
    async def listen(given: Listen) -> Response:
        """A line, spoken (audio/wav). A voice that is not known is the usual one."""
        if listening.locked():
            raise problem(429, "busy")
        async with listening:
            voice = services.tts
            try:
                async with (
                    asyncio.timeout(_LISTEN_S),
                    aclosing(voice.speak(given.text, given.language, given.voice)) as speech,
                ):
                    pieces = [pcm async for pcm in speech]
            except (ProviderError, TimeoutError):
                raise problem(424, "no_voice") from None
        if not pieces:
            raise problem(422, "nothing_to_say")
        return Response(wav.encode(np.concatenate(pieces), voice.rate_hz), media_type="audio/wav")

    return router


async def _answer(services: Services, request: Request) -> Tried:
    said, emotion, model = "", "neutral", ""
    async with aclosing(services.brain.answer(request, doll="try")) as events:
        async for event in events:
            match event:
                case str():
                    said += event
                case Emotion(name):
                    emotion = name
                case Answering():
                    model = event.model
    persona = request.persona
    return Tried(
        said=said.strip(),
        emotion=emotion,
        model=model,
        name=persona.name,
        language=request.language,
        voice=persona.voice,
    )


def _lines(before: list[Said]) -> Iterator[Message]:
    for one in before:
        if one.heard and one.said:
            yield Message("user", one.heard)
            yield Message("assistant", one.said)
