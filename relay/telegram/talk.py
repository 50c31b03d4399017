"""One answer in a chat: a turn of the doll's, in writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from relay.audio import Pcm
from relay.devices.device import Device
from relay.errors import ErrorKind, ProviderError
from relay.languages import written_in
from relay.llm.base import Heard, MemoryNote
from relay.llm.events import Answering, Event
from relay.memory.records import MAX_LINE_CHARS
from relay.quota.base import SupersededError
from relay.services import Services
from relay.telegram.api import Api, TelegramTrouble
from relay.telegram.inbox import Message, Voice
from relay.telegram.pen import Pen
from relay.telegram.speech import speech
from relay.telegram.voice import MOST_BYTES, VoiceError, heard, spoken
from relay.turn.lines import Lines
from relay.turn.question import question
from relay.wire.messages import Stt, Tts

_log = structlog.get_logger(__name__)


class Talk:
    """Answers what was written in one chat."""

    def __init__(self, services: Services, api: Api, device: Device, chat: int) -> None:
        self._services = services
        self._settings = services.settings
        self._api = api
        self._device = device
        self._lines = Lines(device, None)
        self._chat = chat
        self._asked = ""  # what was said, as it is remembered
        self._aside = ""  # of the answer, what is not
        self._language = device.languages[0]
        quiet = device.persona.quiet
        self._pen = Pen(api, chat, silently=quiet is not None and bool(quiet.at(self._clock())))

    async def answer(self, messages: Sequence[Message]) -> None:
        """Answer these together. Raises TelegramTrouble where nothing can be written."""
        with self._services.activity.turn():
            try:
                async with asyncio.timeout(self._settings.turn.turn_timeout_s):
                    await self._answer(messages)
            except ProviderError as error:
                _log.warning("telegram: no answer", kind=error.kind, why=error.message)
                self._failed(error.kind)
                await self._say(self._why_not(error))
            except SupersededError:
                _log.info("telegram: given up")
            except TimeoutError:
                _log.warning("telegram: no answer", kind=ErrorKind.NETWORK, why="it took too long")
                self._failed(ErrorKind.NETWORK)
                await self._say(self._lines.text(f"failure.{ErrorKind.NETWORK}", self._language))
            finally:
                self._remember()
                self._services.live.message(self._device.id, Tts(state="stop"))

    async def _answer(self, messages: Sequence[Message]) -> None:
        text = "\n".join(message.text for message in messages if message.text)
        voice = next((message.voice for message in messages if message.voice), None)
        if len(text) > MAX_LINE_CHARS:
            await self._say(self._lines.text("failure.too_long", self._language))
            return
        pcm = None
        if voice is not None:
            pcm = await self._fetched(voice)
            if self._services.stt is not None:
                async with asyncio.timeout(self._settings.turn.stt_timeout_s):
                    found = await self._services.stt.transcribe(pcm, self._device.languages)
                text, pcm = found.text, None
                if not text:
                    await self._say(self._lines.text("failure.not_heard", self._language))
                    return
        if text:
            self._understood(text)
        request = question(self._device, text, self._language, self._clock())
        # A doll of its own for the quota: what is written must not take the place in the queue of
        # what was just said to the doll at home.
        events = self._services.brain.answer(request, doll=f"telegram-{self._chat}", utterance=pcm)
        async with aclosing(events):
            await self._write(events)
        await self._pen.finish()
        if not self._pen.text:
            raise ProviderError(ErrorKind.SERVER, "Nothing in the answer could be written.")
        self._services.live.message(
            self._device.id, Tts(state="sentence_start", text=self._pen.written)
        )
        if self._settings.telegram.voice:
            await self._speak(self._pen.written)

    async def _write(self, events: AsyncGenerator[Event, None]) -> None:
        async for event in events:
            match event:
                case str():
                    await self._pen.write(event)
                case Heard(kind="speech", text=text):
                    self._understood(text)
                case Heard():
                    await self._pen.write(self._lines.text("failure.not_heard", self._language))
                    self._asked = ""
                    return
                case MemoryNote(text):
                    self._device.conversation.note(text)
                case Answering(outage=outage) if outage is not None and outage.news:
                    self._aside = self._lines.honest(outage, self._language, self._clock())
                    await self._pen.write(self._aside)
                case _:
                    pass  # its face, a wait, and what only a doll can do

    async def _fetched(self, voice: Voice) -> Pcm:
        """What was said. Raises ProviderError."""
        try:
            data = await self._api.fetch(voice.file_id, MOST_BYTES)
            return await asyncio.to_thread(heard, data)
        except (TelegramTrouble, VoiceError) as error:
            raise ProviderError(ErrorKind.BAD_REQUEST, f"No voice message: {error}") from None

    async def _speak(self, text: str) -> None:
        """The same as a voice message. It is only more of the same: where it fails, that is all."""
        try:
            tts = self._services.tts
            pieces = [pcm async for pcm in speech(tts, text, self._language, self._device.voice)]
            if pieces:
                ogg = await asyncio.to_thread(spoken, pieces, tts.rate_hz)
                await self._api.send_voice(self._chat, ogg)
        except (ProviderError, VoiceError, TelegramTrouble, TimeoutError) as error:
            _log.warning("telegram: no voice", why=str(error) or "it took too long")

    def _understood(self, text: str) -> None:
        self._asked = text
        self._language = written_in(text, self._device.languages)
        _log.debug("heard", text=text)
        self._services.live.message(self._device.id, Stt(text=text))

    def _why_not(self, error: ProviderError) -> str:
        """Why there is no answer, and when to ask again where that is known."""
        wait_s = error.retry_after_s
        if wait_s is None or error.kind not in (ErrorKind.RATE, ErrorKind.QUOTA):
            return self._lines.text(f"failure.{error.kind}", self._language)
        now = self._clock()
        return self._lines.back(f"back.{error.kind}", self._language, now.timestamp() + wait_s, now)

    async def _say(self, line: str) -> None:
        """A fixed line, behind what was written of an answer; it is not remembered."""
        self._remember()
        await self._api.send(self._chat, line)

    def _failed(self, kind: str) -> None:
        self._services.live.failed(str(kind), device_id=self._device.id)

    def _remember(self) -> None:
        """Keep what was said, and what could be read of the answer, once."""
        answer = self._pen.written.removeprefix(self._aside.strip()).strip()
        if self._asked and answer:
            self._device.conversation.add(self._asked, answer)
        self._asked = ""

    def _clock(self) -> datetime:
        return datetime.now(ZoneInfo(self._settings.persona.timezone))
