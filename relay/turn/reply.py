"""An answer on its way to the doll: text → clauses → speech → paced frames, all streaming."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from relay.audio import Pcm
from relay.resample import Resampler
from relay.tts.base import TextToSpeech
from relay.turn.channel import Channel, Left
from relay.turn.pacing import Pacer
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


@dataclass(slots=True)
class _Spoken:
    """A clause, and the first and the one-past-last of the frames that carry it."""

    clause: Clause
    start: int
    end: int


class Reply:
    """Speaks one answer, and knows how much of it has been heard."""

    def __init__(
        self,
        doll: Doll,
        tts: TextToSpeech,
        timeline: Timeline,
        *,
        head_start_s: float,
        on_first_audio: Callable[[], None] = lambda: None,
    ) -> None:
        self._doll = doll
        self._tts = tts
        self._timeline = timeline
        self._on_first_audio = on_first_audio
        self._frame_samples = doll.encoder.frame_samples
        self._frame_s = self._frame_samples / doll.encoder.rate_hz
        self._pacer = Pacer(self._frame_s, head_start_s)
        self._frames_sent = 0
        self._answer: list[_Spoken] = []
        self._now = asyncio.get_running_loop().time

    async def say(self, pieces: AsyncGenerator[str, None], language: str) -> None:
        """Speak `pieces` as they come; returns when the last frame is out.

        A failure of the text or of the voice is raised once everything before it has been spoken.
        Cancelling closes `pieces` and the voice's stream, and sends nothing more.
        """
        clauses: Channel[Clause] = Channel(_CLAUSES_AHEAD)
        frames: Channel[Clause | Pcm] = Channel(max(2, int(_SPEECH_AHEAD_S / self._frame_s)))
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            stages = [
                group.create_task(_stage(self._compose(pieces, language, clauses), clauses)),
                group.create_task(_stage(self._voice(clauses, language, frames), frames)),
            ]
            try:
                await self._play(frames)
            except Exception as error:  # noqa: BLE001 (raised below: a group would wrap it)
                failure = error
                for stage in stages:
                    stage.cancel()
        if failure is not None:
            raise failure

    async def sound(self, pcm: Pcm) -> None:
        """Play samples at the doll's rate as they are: what is left when there is no voice."""
        frames: Channel[Clause | Pcm] = Channel(len(pcm) // self._frame_samples + 1)
        blocks = Blocks(self._frame_samples)
        for frame in (*blocks.push(pcm), *blocks.flush()):
            await frames.send(frame)
        frames.finish()
        await self._play(frames)

    def forget(self) -> None:
        """What was said up to now is not part of the conversation (a filler, a failure line)."""
        self._answer.clear()

    def said(self) -> str:
        """All clauses that were sent. The doll plays what it has, so they will all be heard."""
        return " ".join(s.clause.text for s in self._answer)

    def heard(self) -> str:
        """The clauses that the doll has played up to now, at least half of each."""
        played = self._pacer.played_s(self._now()) / self._frame_s
        return " ".join(s.clause.text for s in self._answer if (s.start + s.end) / 2 <= played)

    async def _compose(
        self, pieces: AsyncGenerator[str, None], language: str, out: Channel[Clause]
    ) -> None:
        splitter = ClauseSplitter(language)
        async with aclosing(pieces):
            async for piece in pieces:
                self._timeline.mark("first_token", self._now())
                for clause in splitter.push(piece):
                    self._timeline.mark("first_clause", self._now())
                    await out.send(clause)
        for clause in splitter.flush():
            self._timeline.mark("first_clause", self._now())
            await out.send(clause)

    async def _voice(
        self, clauses: Channel[Clause], language: str, out: Channel[Clause | Pcm]
    ) -> None:
        try:
            blocks = Blocks(self._frame_samples)
            resample = Resampler(self._tts.rate_hz, self._doll.encoder.rate_hz)
            async for clause in clauses:
                await out.send(clause)
                async with aclosing(self._tts.speak(clause.speech, language)) as speech:
                    async for pcm in speech:
                        for frame in blocks.push(resample.push(pcm)):
                            await out.send(frame)
            for frame in (*blocks.push(resample.flush()), *blocks.flush()):
                await out.send(frame)
        finally:
            clauses.leave()

    async def _play(self, frames: AsyncIterator[Clause | Pcm]) -> None:
        async for item in frames:
            if isinstance(item, Clause):
                await self._doll.send(Tts(state="sentence_start", text=item.text))
                self._answer.append(_Spoken(item, self._frames_sent, self._frames_sent))
                continue
            if (delay := self._pacer.delay(self._now())) > 0:
                await asyncio.sleep(delay)
            await self._doll.send_audio(item)
            now = self._now()
            self._pacer.sent(now)
            self._frames_sent += 1
            if self._answer:
                self._answer[-1].end = self._frames_sent
            if self._frames_sent == 1:
                self._on_first_audio()
            self._timeline.mark("first_audio", now)
            self._timeline.last_audio = now


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
