"""The owner's API for voices: all that a doll can have, a line of each, and which one it has."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from relay.devices.records import DeviceRecord
from relay.dolls import Dolls
from relay.errors import ProviderError
from relay.persona.prompt import in_character
from relay.persona.wording import wordings
from relay.services import Services
from relay.tts.gallery import Shown, gallery
from relay.tts.samples import Samples, TooManySamplesError
from relay.tts.voices.shelf import VoiceShelf
from relay.web.admin import DeviceId, told
from relay.web.guard import owner, problem

#: For a line to be spoken.
_LISTEN_S: Final = 60.0

_MAX_VOICES: Final = 200

#: Empty for the usual one, or for the persona's. The length is not in the pattern: the regular
#: expressions of pydantic would be 6 MB of tables, a copy of all letters for each place.
VoiceId = Annotated[str, StringConstraints(max_length=64, pattern=r"^[\w:.+-]*$")]


class Voice(BaseModel):
    """One of the voices."""

    model_config = ConfigDict(extra="forbid")
    voice: VoiceId = ""


class Voices(BaseModel):
    """All that this doll can have."""

    voices: list[dict[str, Any]]
    chosen: str  #: the doll's own choice; empty: it has its persona's
    persona: str  #: that of its persona; empty: the usual one
    line: str  #: what each of them says


def voice_routes(dolls: Dolls, services: Services) -> APIRouter:
    """For dolls that are paired."""
    router = APIRouter(prefix="/api/devices/{device_id}", tags=["voices"])
    router.dependencies.append(Depends(owner))
    shelf = VoiceShelf.of(services.settings.relay.data)
    samples: list[Samples] = []  # made when the first one is wanted: it belongs to the event loop

    async def every() -> list[Shown]:
        return (await asyncio.to_thread(gallery, services.tts, shelf))[:_MAX_VOICES]

    async def known(device_id: str) -> DeviceRecord:
        with told():
            return await dolls.registry.find(device_id)

    async def must_be_one(voice: str) -> None:
        if voice not in {shown.id for shown in await every()}:
            raise problem(404, "no_such_voice")

    def line(record: DeviceRecord) -> tuple[str, str]:
        """What a voice says to be chosen, and its language."""
        persona = services.persona_of(record.persona)
        language = record.language or persona.language
        text = wordings(persona, "greeting", language)[0]
        return in_character(text, *persona.names_in(language)), language

    @router.get("/voices")
    async def voices(device_id: DeviceId) -> Voices:
        """The usual voice, those of its provider, and the owner's own."""
        record = await known(device_id)
        return Voices(
            voices=[asdict(shown) for shown in await every()],
            chosen=str(record.settings.get("voice") or ""),
            persona=services.persona_of(record.persona).voice,
            line=line(record)[0],
        )

    # A POST, so that no page of others can have lines made.
    @router.post("/voices/listen", response_class=Response)
    async def listen(device_id: DeviceId, given: Voice) -> Response:
        """The doll's greeting in a voice (audio/wav)."""
        record = await known(device_id)
        await must_be_one(given.voice)
        if not samples:
            samples.append(Samples(services.tts))
        text, language = line(record)
        try:
            async with asyncio.timeout(_LISTEN_S):
                sound = await samples[0].wav(text, language, given.voice)
        except TooManySamplesError:
            raise problem(429, "too_many_samples") from None
        except (ProviderError, TimeoutError):
            raise problem(424, "no_voice") from None
        return Response(sound, media_type="audio/wav")

    @router.put("/voice", status_code=204)
    async def choose(device_id: DeviceId, given: Voice) -> None:
        """Have it speak with this one from its next turn on; empty: with its persona's again."""
        record = await known(device_id)
        if given.voice:
            await must_be_one(given.voice)
        others = {key: value for key, value in record.settings.items() if key != "voice"}
        new = {**others, "voice": given.voice} if given.voice else others
        with told():
            await dolls.registry.change(record.id, settings=new)

    return router
