"""One doll's conversation: its messages and its audio drive the machine, and what the machine
decides is carried out here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.devices.device import Device
from relay.hearing.base import ListenMode
from relay.hearing.hearing import (
    EndLikely,
    Hearing,
    HearingEvent,
    SpeechResumed,
    SpeechStarted,
    Utterance,
    UtteranceEnded,
)
from relay.metrics.refusals import Limit, count
from relay.services import Services
from relay.stt.base import Transcript
from relay.turn import own
from relay.turn.answering import Answering
from relay.turn.asking import Asking
from relay.turn.delivery import Delivery
from relay.turn.early import Early
from relay.turn.earshot import Earshot, Heard
from relay.turn.errands import Errands, calling
from relay.turn.machine import Do, Machine, State
from relay.turn.moved import Line, Moved
from relay.turn.recognition import Said
from relay.turn.timeline import Timeline
from relay.turn.upkeep import Upkeep
from relay.turn.wake import Wake, written
from relay.wire.blocks import Blocks
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import Abort, DeviceMessage, Listen, Tts

_FRAME_S = FRAME_SAMPLES / RATE_HZ

#: A press shorter than this with nothing said is a slip of the finger: no answer to it.
_SLIP_S = 0.5

#: So long after it has played an answer at the latest, a doll listens again.
_SETTLE_S = 1.0

#: A doll that listens for its name is asked to begin anew after this.
_LISTENS_S = 45.0


class Session:
    """Runs until the doll has gone for good. `delivery` takes over its new connections."""

    def __init__(
        self,
        connection: Connection,
        services: Services,
        device: Device,
        moved: Moved | None = None,
    ) -> None:
        """`moved`: another worker began it, and here it goes on."""
        self.device = device
        self._moved = moved
        self._services = services
        self._log = connection.log
        self._machine = Machine()
        if moved is not None:
            self._machine.go_on(moved.state, moved.mode)
        settings = services.settings.turn
        self.delivery = Delivery(
            connection,
            lambda: self._machine.state,
            keep_s=settings.resume_s,
            head_start_s=settings.head_start_ms / 1000,
        )
        if moved is not None:
            self.delivery.take_up(moved.received, moved.kept)
        self.delivery.on_message = partial(services.live.message, device.id)
        self.delivery.at_once = self._hear_at_once
        services.expect(device.persona)
        mcp = connection.hello.features.mcp
        self.upkeep = Upkeep(self.delivery, services, device, self._log, mcp=mcp)
        self._blocks = Blocks(FRAME_SAMPLES)
        self._frames: deque[Pcm] = deque()  # that have come and are not heard yet
        self._event: HearingEvent | None = None  # that was heard and is to be followed
        self._hearing = Hearing(
            services.detector.stream(),
            own.endpoint(services.settings.endpoint, device, self._log),
            pauses=services.pauses.of(connection.device_id),
            melody=services.melody,
        )
        listen = own.listen(services, device, self._log)
        self._earshot = Earshot(listen, lambda: calling(device.persona))
        self._errands = Errands(device, self._clock)
        early = Early(services, device, self._errands, self._clock)
        self._asking = Asking(services, device, early, self._is_meant, self._log)
        self._answering = Answering(
            self.delivery, services, device, self._machine, self._errands, self._earshot, self._log
        )
        self._wake = Wake()
        self._listened_s = 0.0  # audio heard since `listen start`
        self._spoke = False  # somebody did, since then
        self._speaks = False  # somebody does
        self._began = 0.0  # since when, about
        self._now = asyncio.get_running_loop().time
        self.over = asyncio.Event()  #: it has ended, and all that was heard is remembered

    @property
    def has_moved(self) -> bool:
        """Whether another worker began it."""
        return self._moved is not None

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self._machine.state

    @property
    def answers(self) -> bool:
        """Whether its doll is there, and waits for an answer or plays one, the end included."""
        return self.delivery.is_connected and (self._machine.busy or self._answer_sounds())

    async def run(self) -> None:
        """Serve the doll. Returns when it has gone, whatever the reason, with nothing left over."""
        try:
            self.upkeep.begin()
            if self._moved is not None:
                self._go_on(self._moved)
            else:
                self._answering.greet(self._clock())
            while True:
                received = await self.delivery.receive()
                if not isinstance(received, np.ndarray):
                    await self._obey(received)
                elif not self._hear_at_once(received):
                    await self._hear_on()
        except Disconnected:
            pass
        finally:
            self.upkeep.close()
            self._forget_heard()
            await self._answering.cancel()
            await self._asking.close()
            self._hearing.stop()
            await self.delivery.close(CloseCode.INTERNAL, "the session has ended")
            self.over.set()

    def _go_on(self, moved: Moved) -> None:
        self.delivery.catch_up()
        if self._machine.busy:
            self._answering.follow(moved.rest)
        else:
            moved.rest.leave()
        if self._machine.hears:
            self._hearing.start(self._machine.mode, after_answer=True)

    def move(self, received: int, line: Line) -> tuple[State, ListenMode, list[str | bytes]]:
        """The doll has come to another worker, with so many messages received: where it stands,
        and what it has not got. What is still made of the answer goes over `line`; `see_off` is
        next. Only if `delivery.can_go_on`.
        """
        state, mode = self._machine.state, self._machine.mode
        self.upkeep.close()
        self._forget_heard()
        self._hearing.stop()
        return state, mode, self.delivery.hand_over(received, line)

    async def see_off(self, cut: asyncio.Event) -> None:
        """Wait until the answer is made and remembered, or `cut` says that nobody wants it."""
        await self.delivery.close_replaced()
        await self._answering.finished(cut)

    async def _obey(self, message: DeviceMessage) -> None:
        match message:
            case Listen(state="start"):
                self.delivery.cut()
                await self._do(self._machine.listen_start(ListenMode(message.mode)))
            case Listen(state="stop"):
                await self._do(self._machine.listen_stop())
            case Listen(state="detect") if self._machine.state is State.LISTENING:
                if message.text:  # no board does that: a program writes what to answer
                    await self._told(message.text)
            case Listen(state="detect"):
                self._log.info("wake word")
                self._wake.detected()
                self._earshot.open(self._now(), self._now())
                if self._machine.busy:
                    self.delivery.cut()
                    await self._do(self._machine.abort())
            case Abort():
                self._log.info("abort", reason=message.reason)
                self._earshot.open(self._now(), self._now())
                self.delivery.cut()
                await self._do(self._machine.abort())
            case _:
                await self.upkeep.obey(message, idle=self._machine.state is State.IDLE)

    def _hear_at_once(self, pcm: Pcm) -> bool:
        """Hear what has come, as far as nothing has to be waited for and nothing comes of it;
        whether that is all of it. Else `_hear_on` is next."""
        self._frames.extend(self._blocks.push(pcm))
        while self._frames and self._nothing_follows():
            if not self._hearing.ready or self._earshot.waits or self._wake.waits:
                return False
            frame = self._frames.popleft()
            if self._is_to_be_heard():
                self._event = self._hearing.push_now(frame)
        return self._nothing_follows()

    def _nothing_follows(self) -> bool:
        """From the frames up to here. What does follow stays until `_hear_on` has done it."""
        return self._event is None and not (self._machine.hears and self._nobody_speaks())

    async def _hear_on(self) -> None:
        """Hear the rest, and do what follows from all of it."""
        event, self._event = self._event, None
        await self._follow(event)
        while self._frames:
            frame = self._frames.popleft()
            if self._is_to_be_heard():
                await self._follow(await self._hearing.push(frame))

    def _is_to_be_heard(self) -> bool:
        """Whether the next frame is."""
        if not self._machine.hears:
            return False
        self._listened_s += _FRAME_S
        if self._machine.state is State.SPEAKING:
            self._hearing.doll_speaks()
        return True

    async def _follow(self, event: HearingEvent | None) -> None:
        """Do what follows from the frames up to here."""
        match event:
            case SpeechStarted():
                self._wake.over()
                self._spoke = self._speaks = True
                self._began = self._now()
                self._services.activity.notice()
                if not self._needs_name(self._now()):
                    await self._do(self._machine.speech_started())
            case EndLikely(utterance):
                self._asking.likely_over(utterance.pcm)
            case SpeechResumed():
                self._asking.goes_on()
            case UtteranceEnded(utterance, reason):
                self._speaks = False
                if reason == "too_long":
                    count(Limit.UTTERANCE)
                    self._log.info("utterance cut", limit="endpoint.max_utterance_s")
                await self._said(utterance)
        await self._answer_if_meant()
        held = self._machine.mode is ListenMode.MANUAL
        if not held and self._wake.answers(self._listened_s):
            await self._told(self.device.persona.names_in(self.device.languages[0])[0])
        if self._nobody_speaks():
            await self._do(self._machine.nothing_heard())

    def _is_meant(self, early: Transcript) -> bool:
        """What a pause comes to that is likely the end: whether it is for the doll, then."""
        self._hearing.transcribed(early.text, early.language)
        return not self._needs_name(self._began) or self._earshot.is_called(early.text)

    def _needs_name(self, began: float) -> bool:
        """Whether what began then has to call the doll. A button that is held says enough."""
        held = self._machine.mode is ListenMode.MANUAL
        return not held and self._earshot.needs_name(began, busy=self._machine.busy)

    async def _answer_if_meant(self) -> None:
        busy, speaks = self._machine.busy, self._speaks
        if (heard := self._earshot.meant(self._now(), busy=busy, speaks=speaks)) is not None:
            utterance = self._machine.utterance()
            await self._do(utterance, pcm=heard.pcm, timeline=heard.timeline, said=heard.said)

    async def _told(self, text: str) -> None:
        """Somebody writes to it; or calls it by its wake word, and says nothing more."""
        await self._do(self._machine.utterance(), said=written(text, self.device.languages))

    def _clock(self) -> datetime:
        return datetime.now(ZoneInfo(self._services.settings.persona.timezone))

    def _answer_sounds(self) -> bool:
        """Whether the doll may just have played the end of an answer."""
        last = self._answering.timeline.last_audio
        head_start_s = self._services.settings.turn.head_start_ms / 1000
        return last is not None and self._now() - last < head_start_s + _SETTLE_S

    def _nobody_speaks(self) -> bool:
        if self._machine.mode is not ListenMode.AUTO or self._spoke or self._earshot.waits:
            return False
        if not self._earshot.by_name:
            return self._listened_s >= self._services.settings.turn.no_speech_s
        # It listens all day. A doll of ours gives up after a minute; told before, it begins anew.
        return self.delivery.firmware is not None and self._listened_s >= _LISTENS_S

    async def _said(self, utterance: Utterance) -> None:
        """An utterance is complete: answer it."""
        now = self._now()
        timeline = Timeline(
            speech_start=now - (utterance.decided_s - utterance.speech_start_s),
            speech_end=now - (utterance.decided_s - utterance.speech_end_s),
            endpoint=now,
        )
        pcm = self._asking.over(utterance.pcm)
        if not self._needs_name(timeline.speech_start or now):
            await self._do(self._machine.utterance(), pcm=pcm, timeline=timeline)
            return
        self._spoke = False
        said = self._asking.text(pcm)
        if isinstance(said, asyncio.Task):  # without a recogniser nobody knows what it was
            self._earshot.add(Heard(said, pcm, timeline))

    def _forget_heard(self) -> None:
        """What was said up to now will not be answered."""
        self._asking.forget()
        self._earshot.clear()

    async def _do(
        self,
        actions: Sequence[Do],
        *,
        pcm: Pcm | None = None,
        timeline: Timeline | None = None,
        said: Said | None = None,
    ) -> None:
        for action in actions:
            match action:
                case Do.START_HEARING:
                    self._services.activity.notice()
                    self._forget_heard()
                    self._asking.carry(None)
                    self._blocks.clear()
                    self._listened_s, self._spoke, self._speaks = 0.0, False, False
                    self._hearing.start(self._machine.mode, after_answer=self._answer_sounds())
                case Do.DROP_HEARING:
                    self._wake.over()
                    self._forget_heard()
                    self._hearing.stop()
                case Do.FINISH_HEARING:
                    await self._finish_hearing()
                case Do.CANCEL_TURN:
                    self._answering.count_barge_in()
                    await self._answering.cancel()
                case Do.CARRY_UTTERANCE:
                    self._asking.carry(self._answering.utterance)
                case Do.START_TURN:
                    self._start_turn(pcm, timeline or Timeline(), said)
                case Do.SEND_STOP:
                    await self.delivery.send(Tts(state="stop", interrupted=True))

    async def _finish_hearing(self) -> None:
        """The doll closed its microphone by hand."""
        utterance = self._hearing.stop()
        if utterance is not None:
            await self._said(utterance)
        elif self._listened_s < _SLIP_S:
            await self._do(self._machine.nothing_heard())
        else:
            await self._do(self._machine.utterance(), timeline=Timeline(endpoint=self._now()))

    def _start_turn(self, pcm: Pcm | None, timeline: Timeline, said: Said | None) -> None:
        if self._machine.mode is not ListenMode.REALTIME:
            self._hearing.stop()
        said, ahead = self._asking.take(said, pcm)
        self._answering.start(said, ahead, pcm, timeline)
