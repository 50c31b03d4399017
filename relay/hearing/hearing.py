"""How one doll hears: its frames go in, and what was said comes out.

frame ─ gate ─ voice detector ─ endpointer ─▶ events
  └──────────── recording ──────────────────▶ utterances
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode, MelodyDetector, VoiceStream
from relay.hearing.endpointing import Endpointer, EndpointSettings, Event, Mark
from relay.hearing.finished import read
from relay.hearing.gate import EnergyGate
from relay.hearing.hangover import Hangover, Pauses
from relay.hearing.recording import Recording

#: The detector looks at so many frames (a second) after the last loud one, to settle in the quiet.
GATE_HANGOVER_FRAMES = 32

#: After `start` it looks at so many at least, if this doll's room is known.
SETTLING_FRAMES = 8

#: The end of an answer is on its way to the doll, and then sounds in the room, for so long after
#: the last of it was sent.
GUARD_TAIL_FRAMES = 32

_SILENCE = np.zeros(FRAME_SAMPLES, np.int16)
_SILENCE.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What was said, with a little silence around it. Times are audio time since `start`."""

    pcm: Pcm  #: 16 kHz
    speech_start_s: float  #: where voice began
    speech_end_s: float  #: where voice ended: the end of its last frame
    decided_s: float  #: how far had been heard when this was handed out


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks, and it is not just a cough."""

    speech_start_s: float  #: where voice began, in audio time since `start`


@dataclass(frozen=True, slots=True)
class EndLikely:
    """A pause that is likely the end. If it is, the utterance that follows has the same samples."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """It was only a pause."""


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The speaker has finished, or has talked for as long as an utterance may be."""

    utterance: Utterance
    reason: Literal["silence", "too_long"]


HearingEvent: TypeAlias = SpeechStarted | EndLikely | SpeechResumed | UtteranceEnded


class Hearing:
    """One doll's ear. Used by one task; what it keeps between turns is some 2 KB.

    In manual mode silence ends nothing: `stop` does. All else is as in auto mode: pauses that may
    be the end are told, so that recognition is done when the button comes up. What `stop` returns
    is everything from the first voice to the last, pauses included.

    In auto and realtime mode, hearing goes on after an utterance until `stop`.

    `pauses` is what is known of this doll's speaker, and is learned; `melody` hears whether speech
    sounds complete.
    """

    def __init__(
        self,
        stream: VoiceStream,
        settings: EndpointSettings,
        *,
        pauses: Pauses | None = None,
        melody: MelodyDetector | None = None,
    ) -> None:
        self._stream = stream
        self._settings = settings
        self._hangover = Hangover(settings, pauses)
        self._melody = melody
        self._listens_to_melody: asyncio.Task[None] | None = None
        self._deaf_frames = 0  # so many more frames hold the room's echo of an answer
        self._guard_frames = 0  # in so many more frames the doll may hear itself
        self._gate = EnergyGate()
        self._quiet_frames = 0  # so many in a row were as quiet as the room
        self._turn: _Turn | None = None
        self._verdict: Awaitable[float] | float | None = None  # of the newest frame, if due

    @property
    def listening(self) -> bool:
        """Between `start` and `stop` (or an utterance in manual mode that was too long)."""
        return self._turn is not None

    def start(self, mode: ListenMode, *, after_answer: bool = False) -> None:
        """Listen from here on. What was heard before is forgotten.

        Right `after_answer`, the room still sounds of it: so that the doll does not hear itself,
        `echo_tail_ms` are taken for silence. Not in manual mode, where someone presses a button
        and speaks, nor in realtime mode, where the doll hears itself all along (`doll_speaks`).
        """
        self._drop_verdict()
        tail = after_answer and mode is ListenMode.AUTO
        self._deaf_frames = _frames(self._settings.echo_tail_ms) if tail else 0
        self._guard_frames = 0
        self._stream.reset()
        self._quiet_frames = GATE_HANGOVER_FRAMES - SETTLING_FRAMES if self._gate.settled else 0
        self._turn = _Turn(self._settings, mode, self._hangover)

    def doll_speaks(self) -> None:
        """The doll speaks, and hears itself: from now on and for a second more, only voice of
        `interrupt_ms` is speech. To be said again for as long as it speaks."""
        self._guard_frames = GUARD_TAIL_FRAMES

    def transcribed(self, text: str, language: str) -> None:
        """What was said up to the likely end that was told last, if speech has not gone on."""
        self._hangover.read(read(text, language))

    @property
    def ready(self) -> bool:
        """Whether `push_now` can take the next frame: nothing needs to be waited for."""
        turn = self._turn
        if turn is None or self._deaf_frames > 0:
            return True
        if turn.mode is not ListenMode.MANUAL and (
            # The frame before may not be judged yet.
            self._guard_frames > 0 or turn.endpointer.decides_within(2)
        ):
            return False
        verdict = self._verdict
        if isinstance(verdict, asyncio.Future):
            return verdict.done() and not verdict.cancelled() and verdict.exception() is None
        return verdict is None or isinstance(verdict, float)

    def push_now(self, frame: Pcm) -> HearingEvent | None:
        """`push` without waiting; only when `ready`, and with the same results.

        Nearly all frames can be taken so, right where they arrive, and no task wakes up for them.
        """
        turn = self._turn
        if turn is None or self._pass_over(turn):
            return None
        self._record(turn, frame)
        event = self._judged_now(turn)
        self._look(frame, turn.endpointer, patient=True)
        if event is None and isinstance(self._verdict, float):
            event = self._judged_now(turn)
        return self._told(turn, event)

    async def push(self, frame: Pcm) -> HearingEvent | None:
        """Take the next frame: FRAME_SAMPLES samples at RATE_HZ. Ignored when not listening."""
        turn = self._turn
        if turn is None or self._pass_over(turn):
            return None
        self._record(turn, frame)
        event = await self._judged(turn)  # of the frame before, if that is due
        if self._turn is not turn:
            return None
        # One frame behind is soon enough while nothing depends on it: whoever lets go of the button
        # does not wait for the last verdict, and frames of many dolls are cheaper together.
        now = turn.mode is not ListenMode.MANUAL and (
            turn.endpointer.guarded or turn.endpointer.decides_within(1)
        )
        self._look(frame, turn.endpointer, patient=not now)
        if event is None and (now or isinstance(self._verdict, float)):
            event = await self._judged(turn)
        return self._told(turn, event)

    def stop(self) -> Utterance | None:
        """Listen no more. What was said and not handed out yet; None if nobody spoke."""
        turn, self._turn = self._turn, None
        self._drop_verdict()
        self._ignore_melody()
        return None if turn is None else turn.unfinished()

    def _pass_over(self, turn: _Turn) -> bool:
        """Take the next frame for silence, if it holds the echo of an answer; whether it does."""
        if self._deaf_frames <= 0:
            return False
        # The gate and the detector learn nothing from it: the room is not like that.
        self._deaf_frames -= 1
        turn.record(_SILENCE)
        turn.judge(0.0)
        return True

    def _record(self, turn: _Turn, frame: Pcm) -> None:
        turn.endpointer.guarded = self._guard_frames > 0
        self._guard_frames = max(self._guard_frames - 1, 0)
        turn.record(frame)

    def _told(self, turn: _Turn, event: HearingEvent | None) -> HearingEvent | None:
        """`event`, once the ear itself has drawn its conclusions."""
        if event is None:
            return None
        if isinstance(event, EndLikely):
            self._listen_to_melody(event.utterance.pcm)
        else:
            self._ignore_melody()
        if isinstance(event, UtteranceEnded):
            if turn.mode is ListenMode.MANUAL:
                self.stop()
            if event.reason == "silence":
                self._stream.reset()
        return event

    def _look(self, frame: Pcm, endpointer: Endpointer, *, patient: bool) -> None:
        """Have `frame` judged: by the detector if it may hold voice, else here and now."""
        self._quiet_frames = 0 if self._gate.is_loud(frame) else self._quiet_frames + 1
        if self._quiet_frames >= GATE_HANGOVER_FRAMES and not endpointer.busy:
            # The detector's memory stands still meanwhile. It last heard this very quiet, and so
            # notices a voice as soon as if it had listened on.
            self._verdict = 0.0
        else:
            self._verdict = self._stream.probability(frame, patient=patient)

    async def _judged(self, turn: _Turn) -> HearingEvent | None:
        """What follows from the verdict that is due, if one is."""
        verdict, self._verdict = self._verdict, None
        if verdict is None:
            return None
        if isinstance(verdict, float):
            return self._judge(turn, verdict)
        self._stream.hurry()
        probability = await verdict
        if self._turn is not turn:
            return None  # stopped or started anew while the detector was at work
        return self._judge(turn, probability)

    def _judged_now(self, turn: _Turn) -> HearingEvent | None:
        """The same, where the verdict is there."""
        verdict, self._verdict = self._verdict, None
        if verdict is None:
            return None
        if isinstance(verdict, asyncio.Future):
            verdict = verdict.result()
        assert isinstance(verdict, float), "use `push` unless `ready`"
        return self._judge(turn, verdict)

    def _judge(self, turn: _Turn, probability: float) -> HearingEvent | None:
        """What follows from this probability of voice in the newest frame."""
        self._gate.learn(probability)
        # The detector hears voice for a frame or two more than there is.
        if self._gate.silent:
            probability = 0.0
        if turn.endpointer.speech is not None or turn.mode is ListenMode.MANUAL:
            return turn.judge(probability)
        near = probability < self._settings.start_threshold or self._gate.near
        self._gate.pass_by(probability)
        event = turn.judge(probability if near else 0.0)  # a voice, and none that speaks to us
        if turn.endpointer.speech is not None:
            self._gate.take_back(self._settings.start_window_frames)
        return event

    def _listen_to_melody(self, pcm: Pcm) -> None:
        self._ignore_melody()
        if self._melody is not None and self._settings.learned:
            work = self._judge_melody(self._melody, pcm)
            self._listens_to_melody = asyncio.get_running_loop().create_task(work)

    async def _judge_melody(self, melody: MelodyDetector, pcm: Pcm) -> None:
        if await melody.sounds_complete(pcm):
            self._hangover.sounds_complete()

    def _ignore_melody(self) -> None:
        if self._listens_to_melody is not None:
            self._listens_to_melody.cancel()
            self._listens_to_melody = None

    def _drop_verdict(self) -> None:
        if isinstance(self._verdict, asyncio.Future):
            self._verdict.cancel()
        self._verdict = None


class _Turn:
    """From `start` to `stop`."""

    __slots__ = ("_recording", "_settings", "_spent", "endpointer", "mode")

    def __init__(self, settings: EndpointSettings, mode: ListenMode, hangover: Hangover) -> None:
        self.mode = mode
        held = mode is ListenMode.MANUAL
        self.endpointer = Endpointer(settings, held=held, hangover=hangover)
        self._settings = settings
        self._recording = Recording()
        self._spent = 0  # samples up to here were handed out in an utterance

    def record(self, frame: Pcm) -> None:
        self._recording.append(frame)

    def judge(self, probability: float) -> HearingEvent | None:
        event = self.endpointer.push(probability)
        heard = None if event is None else self._heard(event)
        if isinstance(heard, UtteranceEnded):
            self._spent = self.endpointer.position * FRAME_SAMPLES
        self._recording.forget_before(self._lead_in(self.endpointer.onset))
        return heard

    def unfinished(self) -> Utterance | None:
        """The speech that goes on."""
        speech = self.endpointer.speech
        return None if speech is None else self._utterance(*speech, until=self._recording.end)

    def _heard(self, event: Event) -> HearingEvent:
        if event.mark is Mark.SPEECH_STARTED:
            return SpeechStarted(_seconds(event.onset * FRAME_SAMPLES))
        if event.mark is Mark.SPEECH_RESUMED:
            return SpeechResumed()
        # A frame that is recorded and not judged yet belongs to what comes after.
        judged = self.endpointer.position * FRAME_SAMPLES
        utterance = self._utterance(event.onset, event.voice_end, until=judged)
        if event.mark is Mark.END_LIKELY:
            return EndLikely(utterance)
        return UtteranceEnded(utterance, "silence" if event.mark is Mark.ENDPOINT else "too_long")

    def _utterance(self, onset: int, voice_end: int, *, until: int) -> Utterance:
        lead_out = self._settings.lead_out_ms * RATE_HZ // 1000
        end = min(voice_end * FRAME_SAMPLES + lead_out, until)
        return Utterance(
            pcm=self._recording.between(self._lead_in(onset), end),
            speech_start_s=_seconds(onset * FRAME_SAMPLES),
            speech_end_s=_seconds(voice_end * FRAME_SAMPLES),
            decided_s=_seconds(until),
        )

    def _lead_in(self, onset: int) -> int:
        """Where an utterance begins whose voice begins at `onset`; never in the one before it."""
        lead_in = self._settings.lead_in_ms * RATE_HZ // 1000
        return max(onset * FRAME_SAMPLES - lead_in, self._spent)


def _seconds(samples: int) -> float:
    return samples / RATE_HZ


def _frames(ms: float) -> int:
    return math.ceil(ms * RATE_HZ / (1000 * FRAME_SAMPLES))
