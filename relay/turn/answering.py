"""The turn that answers just now, if one does: started, waited for, and cancelled as one task."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from structlog.typing import FilteringBoundLogger

from relay.audio import Pcm
from relay.devices.device import Device
from relay.metrics import turns
from relay.services import Services
from relay.turn.ahead import Ahead
from relay.turn.delivery import Delivery
from relay.turn.earshot import Earshot
from relay.turn.errands import Errands
from relay.turn.greeting import Greeting, is_due
from relay.turn.lines import Lines
from relay.turn.machine import Machine
from relay.turn.moved import Rest, RestLostError
from relay.turn.recognition import Said
from relay.turn.reply import Doll, Reply
from relay.turn.timeline import Timeline
from relay.turn.turn import Turn
from relay.wire.errors import Disconnected
from relay.wire.messages import Tts

#: How long a cancelled turn may take to let go before the session goes on without it.
_LET_GO_S = 1.0


class Answering:
    """One for a session. Tells the machine when a turn makes its first sound, and when it ends."""

    def __init__(
        self,
        delivery: Delivery,
        services: Services,
        device: Device,
        machine: Machine,
        errands: Errands,
        earshot: Earshot,
        log: FilteringBoundLogger,
    ) -> None:
        self.timeline = Timeline()  #: of the last turn
        self.utterance: Pcm | None = None  #: that is being answered
        self._delivery = delivery
        self._services = services
        self._device = device
        self._machine = machine
        self._errands = errands
        self._earshot = earshot
        self._log = log
        self._head_start_s = services.settings.turn.head_start_ms / 1000
        self._task: asyncio.Task[None] | None = None
        self._turns = 0
        self._now = asyncio.get_running_loop().time

    def start(
        self, said: Said | None, ahead: Ahead | None, pcm: Pcm | None, timeline: Timeline
    ) -> None:
        """Answer what was said; `pcm` is its sound, if it had one. `ahead` may be the answer."""
        self.utterance, self.timeline = pcm, timeline
        self._turns += 1
        log = self._log.bind(turn=self._turns)
        tape = self._device.tape(self._delivery, pcm)
        doll = tape or self._delivery
        reply = self._reply(doll, timeline)
        turn = Turn(
            doll, self._services, self._device, reply, self._errands, timeline, log, self._turns
        )
        running = self._run(partial(turn.run, said, ahead), log)
        self._task = asyncio.create_task(tape.around(running, timeline) if tape else running)

    def greet(self, now: datetime) -> None:
        """A doll has come: if it was just switched on, let it say so. `now` is its local time."""
        if not self._services.settings.turn.greeting or not is_due(
            self._delivery.firmware, self._device.persona, now
        ):
            return
        self._machine.greet()
        self.utterance, self.timeline = None, Timeline()
        greeting = Greeting(
            self._delivery,
            self._device,
            self._reply(self._delivery, self.timeline),
            Lines(self._device, self._services.lines),
            self._log,
        )
        self._task = asyncio.create_task(self._run(partial(greeting.run, now), self._log))

    def _reply(self, doll: Doll, timeline: Timeline) -> Reply:
        return Reply(
            doll,
            self._services.tts,
            timeline,
            head_start_s=self._head_start_s,
            voice=self._device.voice,
            voice_timeout_s=self._services.settings.turn.voice_timeout_s,
            on_first_audio=self._machine.first_audio,
        )

    def follow(self, rest: Rest) -> None:
        """Pass on an answer that is being made at another worker."""
        self.utterance, self.timeline = None, Timeline()
        self._task = asyncio.create_task(self._follow(rest))

    def count_barge_in(self) -> None:
        """Somebody interrupts."""
        if self._task is not None and not self._task.done():
            heard = self.timeline.first_audio is not None
            what = turns.Interrupted
            turns.interrupted(what.SPEAKING if heard else what.THINKING)

    async def finished(self, cut: asyncio.Event) -> None:
        """Wait for the end of the turn, or end it as soon as `cut` is set."""
        if self._task is None or self._task.done():
            return
        cutting = asyncio.create_task(cut.wait())
        await asyncio.wait((self._task, cutting), return_when=asyncio.FIRST_COMPLETED)
        cutting.cancel()
        await self.cancel()

    async def cancel(self) -> None:
        """End it, and everything downstream of it."""
        task, self._task = self._task, None
        if task is None or task.done():
            return
        task.cancel()
        _, late = await asyncio.wait({task}, timeout=_LET_GO_S)
        if late:
            self._log.error("a provider does not let go of a cancelled turn")

    async def _run(self, speak: Callable[[], Awaitable[None]], log: FilteringBoundLogger) -> None:
        try:
            with self._services.activity.turn():
                await speak()
            self._ended()
        except Disconnected:
            pass
        except Exception:
            # Even the failure line failed, and the chime: the doll must not wait for ever.
            log.exception("turn failed", kind="internal")
            self._machine.turn_ended()
            with contextlib.suppress(Disconnected):
                await self._delivery.send(Tts(state="stop"))

    async def _follow(self, rest: Rest) -> None:
        try:
            async for data in rest:
                if isinstance(data, bytes):
                    self._machine.first_audio()
                    self.timeline.mark("first_audio", self._now())
                await self._delivery.pass_on(data)
                if isinstance(data, bytes):
                    self.timeline.last_audio = self._now()
                rest.passed_on()
            self._ended()
        except Disconnected:
            pass
        except RestLostError as error:
            self._log.warning("the rest of the answer is lost", why=str(error))
            self._machine.turn_ended()
            with contextlib.suppress(Disconnected):
                await self._delivery.send(Tts(state="stop"))
        finally:
            rest.leave()

    def _ended(self) -> None:
        self._machine.turn_ended()
        self._earshot.open(self._now(), self._now() + self._head_start_s)
