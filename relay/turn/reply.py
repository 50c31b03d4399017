"""An answer on its way to the doll: text → clauses → speech → paced frames, all streaming."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Protocol

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.resample import Resampler
from relay.tts.base import TextToSpeech
from relay.turn.channel import Channel, Left
from relay.turn.pacing import Pacer
from relay.turn.script import Line, Script
from relay.turn.sentences import Clause, ClauseSplitter
from relay.turn.timeline import Timeline
from relay.wire.blocks import Blocks
from relay.wire.codecs import Encoder
from relay.wire.messages import RelayMessage, Tts

#: Clauses that wait for the voice, and seconds of speech that wait for their moment. Both only
#: bound the memory of a long answer: speech is made well ahead of the ear, not without end.
_CLAUSES_AHEAD = 16
_SPEECH_AHEAD_S = 10.0


class Doll(Protocol):
    """Where a reply goes: `relay.wire.connection.Connection`, or a test's stand-in."""

    @property
    def encoder(self) -> Encoder: ...

    async def send(self, message: RelayMessage) -> None: ...

    async def send_audio(self, frame: Pcm) -> None: ...


class Aside(str):
    """A piece of text that is spoken like the others, and is no part of the conversation."""

    __slots__ = ()


class Reply:
    """Speaks one answer, and knows how much of it has been heard.

    Until the first sound of the answer, `fill` may bridge the silence from another task; the answer
    then follows the filler that is being said, with no gap and no overlap.
    """

    def __init__(
        self,
        doll: Doll,
        tts: TextToSpeech,
        timeline: Timeline,
        *,
        head_start_s: float,
        voice: str = "",
        voice_timeout_s: float = 15.0,
        on_first_audio: Callable[[], None] = lambda: None,
    ) -> None:
        self._doll = doll
        self._tts = tts
        self._voice_name = voice
        self._timeline = timeline
        self._voice_timeout_s = voice_timeout_s
        self._on_first_audio = on_first_audio
        self._frame_samples = doll.encoder.frame_samples
        self._encoder_hz = doll.encoder.rate_hz
        self._frame_s = self._frame_samples / self._encoder_hz
        self._pacer = Pacer(self._frame_s, head_start_s)
        self._frames_sent = 0
        self._script = Script()
        self._floor = asyncio.Lock()  # who holds it speaks
        self.volume = 1.0  #: by which all samples are multiplied, 0 to 1
        self.on_line: Callable[[], None] = lambda: None  #: a clause is about to be heard
        self.begun = False  #: sound of the answer, or of what is said in its place, has gone out
        self._now = asyncio.get_running_loop().time

    async def say(self, pieces: AsyncGenerator[str, None], language: str) -> None:
        """Speak `pieces` as they come; returns when the last frame is out.

        A failure of the text or of the voice is raised once everything before it has been spoken.
        Cancelling closes `pieces` and the voice's stream, and sends nothing more.
        """
        lines: Channel[Line] = Channel(_CLAUSES_AHEAD)
        frames: Channel[Line | Pcm] = Channel(max(2, int(_SPEECH_AHEAD_S / self._frame_s)))
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            stages = [
                group.create_task(_stage(self._compose(pieces, language, lines), lines)),
                group.create_task(_stage(self._voice(lines, language, frames), frames)),
            ]
            try:
                await self._play(frames)
            except Exception as error:  # noqa: BLE001 (raised below: a group would wrap it)
                failure = error
                for stage in stages:
                    stage.cancel()
        if failure is not None:
            raise failure

    async def recorded(
        self, pcm: Pcm, rate_hz: int, text: str = "", *, remembered: bool = False
    ) -> None:
        """Play samples as they are, with `text` as their subtitle."""
        pcm_frames = self._frames_of(pcm, rate_hz)
        frames: Channel[Line | Pcm] = Channel(len(pcm_frames) + 1)
        if text:
            line = Line(Clause(text, text), remembered, frames=len(pcm_frames))
            self._script.add(line)
            self._script.made(line)
            await frames.send(line)
        for frame in pcm_frames:
            await frames.send(frame)
        frames.finish()
        await self._play(frames)

    async def fill(self, pcm: Pcm, rate_hz: int) -> bool:
        """Play samples to their end, unless the answer has begun; whether they were played.

        They have no subtitle and are no part of the answer.
        """
        frames = self._frames_of(pcm, rate_hz)
        async with self._floor:
            if self.begun:
                return False
            self._timeline.mark("first_filler", self._now())
            for frame in frames:
                await self._put(frame)
        return True

    @property
    def quiet_from(self) -> float:
        """When the doll has played all that it was sent, in the loop's seconds."""
        now = self._now()
        return now + self._pacer.remaining_s(now)

    def forget(self) -> None:
        """What was said up to now is not part of the conversation (a failure line)."""
        self._script.forget()

    def said(self) -> str:
        """All clauses that were sent. The doll plays what it has, so they will all be heard."""
        return self._script.said()

    def heard(self) -> str:
        """What the doll has played up to now, to the word."""
        return self._script.heard(self._played())

    def unheard(self) -> tuple[str, ...]:
        """The clause that is being played, and those behind it, as far as they were written."""
        return self._script.unheard(self._played())

    def _played(self) -> float:
        return self._pacer.played_s(self._now()) / self._frame_s

    async def _compose(
        self, pieces: AsyncGenerator[str, None], language: str, out: Channel[Line]
    ) -> None:
        splitter = ClauseSplitter(language)
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Aside):
                    await self._hand_on(splitter.flush(), out)
                    splitter = ClauseSplitter(language)
                    aside = [*splitter.push(piece), *splitter.flush()]
                    await self._hand_on(aside, out, remembered=False)
                    splitter = ClauseSplitter(language)
                else:
                    self._timeline.mark("first_token", self._now())
                    await self._hand_on(splitter.push(piece), out)
        await self._hand_on(splitter.flush(), out)

    async def _hand_on(
        self, clauses: Iterable[Clause], out: Channel[Line], *, remembered: bool = True
    ) -> None:
        for clause in clauses:
            self._timeline.mark("first_clause", self._now())
            line = Line(clause, remembered)
            self._script.add(line)
            await out.send(line)

    async def _voice(self, lines: Channel[Line], language: str, out: Channel[Line | Pcm]) -> None:
        try:
            blocks = Blocks(self._frame_samples)
            resample = Resampler(self._tts.rate_hz, self._encoder_hz)
            async for line in lines:
                await out.send(line)
                speech = self._tts.speak(line.clause.speech, language, self._voice_name)
                async with aclosing(speech):
                    while (pcm := await self._more(speech)) is not None:
                        for frame in blocks.push(resample.push(pcm)):
                            line.frames += 1
                            await out.send(frame)
                self._script.made(line)
            for frame in (*blocks.push(resample.flush()), *blocks.flush()):
                await out.send(frame)
        finally:
            lines.leave()

    async def _more(self, speech: AsyncGenerator[Pcm, None]) -> Pcm | None:
        """What the voice makes next; None at its end."""
        try:
            async with asyncio.timeout(self._voice_timeout_s):
                return await anext(speech, None)
        except TimeoutError:
            raise ProviderError(
                ErrorKind.NETWORK, f"The voice made no sound for {self._voice_timeout_s:g} s."
            ) from None

    async def _play(self, frames: AsyncIterator[Line | Pcm]) -> None:
        """Send what comes; its first sound waits for the end of a filler that is being said."""
        unannounced: list[Line] = []
        speaking = False
        try:
            async for item in frames:
                if isinstance(item, Line):
                    unannounced.append(item)
                    if not speaking:
                        continue  # announced with its first sound: until then it is quiet
                elif not speaking:
                    await self._floor.acquire()
                    speaking = True
                for line in unannounced:
                    await self._doll.send(Tts(state="sentence_start", text=line.clause.text))
                    line.start = self._frames_sent
                    if line.remembered:
                        self.on_line()
                unannounced.clear()
                if not isinstance(item, Line):
                    await self._sound(item)
        finally:
            if speaking:
                self._floor.release()

    async def _sound(self, frame: Pcm) -> None:
        """Send one frame of the answer."""
        await self._put(frame)
        if not self.begun:
            self.begun = True
            self._on_first_audio()
        self._timeline.mark("first_audio", self._now())

    async def _put(self, frame: Pcm) -> None:
        if (delay := self._pacer.delay(self._now())) > 0:
            await asyncio.sleep(delay)
        if self.volume < 1:
            frame = (frame * self.volume).astype(frame.dtype)
        await self._doll.send_audio(frame)
        now = self._now()
        self._pacer.sent(now)
        self._timeline.last_audio = now
        self._frames_sent += 1

    def _frames_of(self, pcm: Pcm, rate_hz: int) -> list[Pcm]:
        blocks, resample = Blocks(self._frame_samples), Resampler(rate_hz, self._encoder_hz)
        return [
            *blocks.push(resample.push(pcm)),
            *blocks.push(resample.flush()),
            *blocks.flush(),
        ]


async def _stage(work: Coroutine[Any, Any, None], out: Channel[Any]) -> None:
    """Run one stage; how it ended travels to the next one behind all that it made."""
    try:
        await work
    except Left:
        out.finish()
    except Exception as error:  # noqa: BLE001 (not swallowed: raised where the reader gets to it)
        out.finish(error)
    else:
        out.finish()
