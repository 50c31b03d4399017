"""One turn: what was said is understood, answered and spoken. It runs in one task; cancelling that
task stops everything downstream of it, the streams of the providers included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from zoneinfo import ZoneInfo

from structlog.typing import FilteringBoundLogger

from relay.devices.device import Device
from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Part, Request
from relay.memory.conversation import Conversation
from relay.persona.base import Persona
from relay.services import Services
from relay.stt.base import Transcript
from relay.turn.chime import chime
from relay.turn.reply import Doll, Reply
from relay.turn.timeline import Timeline
from relay.wire.errors import Disconnected
from relay.wire.messages import Stt, Tts


class Turn:
    """Answers one utterance of one doll."""

    def __init__(
        self,
        doll: Doll,
        services: Services,
        device: Device,
        conversation: Conversation,
        reply: Reply,
        timeline: Timeline,
        log: FilteringBoundLogger,
    ) -> None:
        self._doll = doll
        self._services = services
        self._device = device
        self._persona: Persona = device.persona
        self._conversation = conversation
        self._reply = reply
        self._timeline = timeline
        self._log = log
        self._language = self._persona.language
        self._said: str | None = None
        self._talking = False

    async def run(self, recognition: asyncio.Task[Transcript] | None) -> None:
        """Answer what `recognition` comes to; None if there was no speech to recognise.

        However it goes, the doll has heard something and got `tts stop` when this returns. When it
        is cancelled nothing more is sent. Then, and when the doll has gone (Disconnected is
        raised), what was heard of the answer is remembered.
        """
        try:
            async with asyncio.timeout(self._services.settings.turn.turn_timeout_s):
                await self._answer(recognition)
        except ProviderError as error:
            self._log.warning("turn failed", kind=error.kind, why=error.message)
            await self._say_line(f"failure.{error.kind}")
        except TimeoutError:
            self._log.warning("turn failed", kind=ErrorKind.NETWORK, why="it took too long")
            await self._say_line(f"failure.{ErrorKind.NETWORK}")
        except (Disconnected, asyncio.CancelledError):
            self._remember(self._reply.heard())
            raise
        except Exception:  # noqa: BLE001 (logged; a bug ends the turn, not the doll)
            self._log.exception("turn failed", kind="internal")
            await self._say_line("failure.internal")
        finally:
            # What was said stays between the doll and its owner: the log has it only for debugging.
            moments = self._timeline.since_speech_end_ms()
            self._log.info("turn", language=self._language, **moments)
        self._remember(self._reply.said())
        await self._doll.send(Tts(state="stop"))

    async def _answer(self, recognition: asyncio.Task[Transcript] | None) -> None:
        transcript = await recognition if recognition is not None else None
        self._timeline.mark("transcript", asyncio.get_running_loop().time())
        if transcript is None or not transcript.text:
            await self._say_line("failure.not_heard")
            return
        self._said, self._language = transcript.text, transcript.language
        self._log.debug("heard", text=transcript.text)
        await self._doll.send(Stt(text=transcript.text))
        await self._talk()
        request = Request(
            persona=self._persona,
            history=self._conversation.history(),
            text=transcript.text,
            language=transcript.language,
            now=datetime.now(ZoneInfo(self._services.settings.persona.timezone)),
        )
        await self._reply.say(_words(self._services.llm.reply(request)), self._language)

    async def _talk(self) -> None:
        # As early as possible: a stock board drops audio that comes right behind `tts start`.
        if not self._talking:
            self._talking = True
            await self._doll.send(Tts(state="start"))

    async def _say_line(self, key: str) -> None:
        """Speak a fixed line, and if even that fails, play the chime."""
        self._remember(self._reply.said())
        await self._talk()
        line = self._device.line(key, self._language)
        self._log.info("says", line=key)
        try:
            async with asyncio.timeout(self._services.settings.turn.turn_timeout_s):
                await self._reply.say(_whole(line), self._language)
        except (ProviderError, TimeoutError) as error:
            self._log.warning("no voice", why=str(error) or "it took too long")
            await self._reply.sound(chime(self._doll.encoder.rate_hz))
        self._reply.forget()

    def _remember(self, answer: str) -> None:
        """Keep what was said and what was spoken of the answer to it, once."""
        if self._said and answer:
            self._conversation.add(self._said, answer)
            self._log.debug("answered", text=answer)
        self._said = None
        self._reply.forget()


async def _words(answer: AsyncGenerator[Part, None]) -> AsyncGenerator[str, None]:
    async with aclosing(answer):
        async for part in answer:
            if isinstance(part, str):
                yield part


async def _whole(text: str) -> AsyncGenerator[str, None]:
    yield text
