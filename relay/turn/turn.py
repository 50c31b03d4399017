"""One turn: what was said is understood, answered and spoken. It runs in one task; cancelling that
task stops everything downstream of it, the streams of the providers included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from structlog.typing import FilteringBoundLogger

from relay.devices.device import Device
from relay.devices.tools import ToolError
from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Action
from relay.memory.course import Course
from relay.quota.base import SupersededError
from relay.services import Services
from relay.turn.ahead import Ahead, answered
from relay.turn.answer import Answer
from relay.turn.chime import chime
from relay.turn.ended import Outcome, TurnEnded
from relay.turn.errands import Errands
from relay.turn.face import Face
from relay.turn.fillers import Fillers, Sound
from relay.turn.lines import Lines
from relay.turn.question import question
from relay.turn.quiet import NotCalledError, Quiet
from relay.turn.recognition import Said
from relay.turn.reply import Aside, Doll, Reply
from relay.turn.timeline import Timeline
from relay.wire.errors import Disconnected
from relay.wire.messages import Stt, Tts

_CUT = "…"  # nobody knows how much more of it was heard


class Turn:
    """Answers one utterance of one doll."""

    def __init__(
        self,
        doll: Doll,
        services: Services,
        device: Device,
        reply: Reply,
        errands: Errands,
        timeline: Timeline,
        log: FilteringBoundLogger,
        number: int = 1,
    ) -> None:
        """`number` is the turn's within its session."""
        self._number = number
        self._doll = doll
        self._services = services
        self._settings = services.settings.turn
        self._device = device
        self._reply = reply
        self._errands = errands
        self._rest = errands.rest
        self._timeline = timeline
        self._log = log
        self._language = device.languages[0]
        self._said: str | None = None
        self._draft: int | None = None  # of the turn, as the memory has it so far
        self._talking = False
        self._outcome, self._failure = Outcome.ANSWERED, ""
        self._lines = Lines(device, services.lines)
        self._face = Face(doll, device.persona.lights)
        since = self._now() if timeline.endpoint is None else timeline.endpoint
        answered_s = None if device.answered_at is None else self._now() - device.answered_at
        self._quiet = Quiet(device.persona, self._clock(), answered_s)
        reply.volume = self._quiet.volume
        reply.on_line = self._write_down
        bridged = replace(self._settings, max_fillers=0) if self._quiet.hushed else self._settings
        self._fillers = Fillers(reply, bridged, self._filler, self._bridge, since)
        self._answer = Answer(
            device.conversation,
            timeline,
            self._face,
            self._fillers,
            lambda outage: self._lines.honest(outage, self._language, self._clock()),
            self._act,
            self._look,
        )

    async def run(self, said: Said | None, ahead: Ahead | None = None) -> None:
        """Answer what was said; None where there was no speech in it. `ahead` may be the answer.

        However it goes, the doll has heard something and got `tts stop` when this returns. When it
        is cancelled nothing more is sent. Then, and when the doll has gone (Disconnected is
        raised), what was heard of the answer is remembered.
        """
        fillers = asyncio.create_task(self._fillers.run())
        try:
            await self._respond(said, ahead)
        finally:
            if ahead is not None:
                ahead.discard()
            fillers.cancel()
            await asyncio.wait((fillers,))
            if not fillers.cancelled() and (error := fillers.exception()) is not None:
                self._log.debug("fillers failed", why=repr(error))
            self._log_turn()
        if self._reply.begun:
            self._device.answered_at = self._now()
        self._remember(self._reply.said())
        await self._doll.send(Tts(state="stop"))

    async def _respond(self, said: Said | None, ahead: Ahead | None) -> None:
        """Answer, and say what went wrong where something does."""
        try:
            async with asyncio.timeout(self._settings.turn_timeout_s):
                await self._respond_to(said, ahead)
        except ProviderError as error:
            self._log.warning("turn failed", kind=error.kind, why=error.message)
            self._failed(error.kind)
            await self._say_failure(error)
        except TimeoutError:
            self._log.warning("turn failed", kind=ErrorKind.NETWORK, why="it took too long")
            self._failed(ErrorKind.NETWORK)
            await self._say_line(f"failure.{ErrorKind.NETWORK}")
        except NotCalledError:
            self._outcome = Outcome.GIVEN_UP
            self._log.info("turn given up", why="it is quiet, and nobody called the doll")
        except SupersededError:
            self._outcome = Outcome.GIVEN_UP
            self._log.info("turn given up", why="the doll asked for something newer")
        except (Disconnected, asyncio.CancelledError):
            self._outcome = Outcome.CUT
            self._rest.keep(self._reply.unheard(), self._language, self._now())
            self._remember(self._reply.heard())
            raise
        except Exception:  # noqa: BLE001 (logged; a bug ends the turn, not the doll)
            self._log.exception("turn failed", kind="internal")
            self._failed("internal")
            await self._say_line("failure.internal")

    async def _respond_to(self, said: Said | None, ahead: Ahead | None) -> None:
        utterance = said if isinstance(said, np.ndarray) else None
        if isinstance(said, asyncio.Task):
            transcript = await said
            self._timeline.mark("transcript", self._now())
            await self._understood(transcript.text, transcript.language)
        if utterance is None and self._said is None:
            await self._not_heard()
            return
        if utterance is None and await self._run_errand():
            return
        request = question(self._device, self._said or "", self._language, self._clock())
        brain, doll = self._services.brain, self._device.id
        events = answered(brain, request, doll, utterance, ahead)
        async with aclosing(events):
            if utterance is not None:
                heard = await self._answer.heard(events)
                self._timeline.mark("transcript", self._now())
                if heard is None or heard.kind != "speech":
                    await self._not_heard()
                    return
                await self._understood(heard.text, heard.language)
            self._rest.forget()  # something new is talked about
            await self._reply.say(self._answer.words(events), self._language)
        if not self._reply.said():
            raise ProviderError(ErrorKind.SERVER, "Nothing in the answer could be spoken.")

    async def _not_heard(self) -> None:
        self._outcome = Outcome.NOT_HEARD
        await self._say_line("failure.not_heard")

    async def _understood(self, text: str, language: str) -> None:
        self._quiet.heard(text)
        if not text:
            return
        self._said, self._language = text, language
        self._log.debug("heard", text=text)
        await self._doll.send(Stt(text=text))
        await self._talk()

    async def _run_errand(self) -> bool:
        """Do what needs no brain; whether it was that."""
        if not self._settings.local_wishes:
            return False
        spoken = await self._errands.run(self._said or "", self._language)
        if spoken is None:
            return False
        await self._face.speak()
        if not spoken.remembered:
            self._said = None
        if (sound := await self._lines.sound(spoken.text, spoken.language)) is not None:
            await self._reply.recorded(*sound, spoken.text, remembered=spoken.remembered)
        else:
            text = spoken.text if spoken.remembered else Aside(spoken.text)
            await self._reply.say(_whole(text), spoken.language)
        return True

    def _act(self, action: Action) -> None:
        if self._device.toolbox is not None:
            self._device.toolbox.act(action.tool, action.arguments)

    async def _look(self, action: Action) -> str:
        """What is seen on a photo; where there is none, a line that says so."""
        device = self._device
        try:
            if device.toolbox is None:
                raise ToolError("the doll has no tools")
            wanted = str(action.arguments.get("question") or "").strip()
            return await device.toolbox.look(wanted or self._said or "", self._language)
        except ToolError as error:
            failure = device.sight.failure if device.sight is not None else None
            self._log.warning("no photo", why=str(error), kind=failure)
            key = f"failure.{failure}" if failure is not None else "photo.failed"
            return Aside(self._lines.text(key, self._language))

    async def _talk(self) -> None:
        # As early as possible: a stock board drops audio that comes right behind `tts start`.
        if not self._talking:
            self._talking = True
            await self._doll.send(Tts(state="start"))

    async def _bridge(self) -> None:
        """A filler comes."""
        await self._talk()
        await self._face.think()

    async def _filler(self, key: str) -> Sound:
        return await self._lines.filler(key, self._language)

    async def _say_failure(self, error: ProviderError) -> None:
        """Why there is no answer, and when to ask again where that is known."""
        wait_s = error.retry_after_s
        if wait_s is None or error.kind not in (ErrorKind.RATE, ErrorKind.QUOTA):
            await self._say_line(f"failure.{error.kind}")
            return
        now = self._clock()
        key = f"back.{error.kind}"
        text = self._lines.back(key, self._language, now.timestamp() + wait_s, now)
        await self._say_line(key, text)

    async def _say_line(self, key: str, text: str = "") -> None:
        """Speak a fixed line, and if even that fails, play the chime."""
        if self._quiet.hushed:
            return
        self._remember(self._reply.said())
        await self._talk()
        text = text or self._lines.text(key, self._language)
        self._log.info("says", line=key)
        await self._face.speak()
        if (sound := await self._lines.sound(text, self._language)) is not None:
            await self._reply.recorded(*sound, text)
        else:
            try:
                async with asyncio.timeout(self._settings.turn_timeout_s):
                    await self._reply.say(_whole(text), self._language)
            except (ProviderError, TimeoutError) as error:
                self._log.warning("no voice", why=str(error) or "it took too long")
            except Disconnected:
                raise
            except Exception:  # noqa: BLE001 (logged; a bug of the voice must not end in silence)
                self._log.exception("no voice", why="a bug")
            if not self._reply.said():
                rate_hz = self._doll.encoder.rate_hz
                await self._reply.recorded(chime(rate_hz), rate_hz)
        self._reply.forget()

    def _write_down(self) -> None:
        """A clause goes out: a relay that dies now shall know what the doll has begun to say."""
        if self._said:
            so_far = self._reply.said() + _CUT
            self._draft = self._device.conversation.hold(self._said, so_far, self._draft)

    def _remember(self, answer: str) -> None:
        """Keep what was said and what was spoken of the answer to it, once."""
        if self._said and answer:
            self._device.conversation.add(self._said, answer, self._draft, self._course())
            self._log.debug("answered", text=answer)
        else:
            self._device.conversation.drop(self._draft)
        self._said = self._draft = None
        self._reply.forget()

    def _course(self) -> Course:
        moments = self._timeline.since_speech_end_ms()
        return Course(moments, self._outcome, self._answer.model, self._fillers.said)

    def _failed(self, kind: str) -> None:
        self._outcome, self._failure = Outcome.FAILED, str(kind)

    def _log_turn(self) -> None:
        # What was said stays between the doll and its owner: the log has it only for debugging.
        self._log.info(
            "turn",
            language=self._language,
            llm=self._answer.model or "none",
            waited_ms=round(self._answer.wait_s * 1000),
            fillers=self._fillers.said,
            **self._timeline.since_speech_end_ms(),
        )
        self._services.turn_ended(
            TurnEnded(
                self._device.id,
                self._number,
                self._timeline,
                self._now(),
                self._outcome,
                self._failure,
                self._language,
                self._answer.model,
                self._fillers.said,
                self._answer.wait_s,
            )
        )

    def _clock(self) -> datetime:
        return datetime.now(ZoneInfo(self._services.settings.persona.timezone))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _whole(text: str) -> AsyncGenerator[str, None]:
    yield text
