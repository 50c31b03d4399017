"""How one doll hears: its frames go in, and what was said comes out.

frame ─ gate ─ voice detector ─ endpointer ─▶ events
  └──────────── recording ──────────────────▶ utterances
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode, VoiceStream
from relay.hearing.endpointing import Endpointer, EndpointSettings, Event, Mark
from relay.hearing.gate import EnergyGate
from relay.hearing.recording import Recording

#: The detector looks at so many frames (a second) after the last loud one, to settle in the quiet.
GATE_HANGOVER_FRAMES = 32


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
    """

    def __init__(self, stream: VoiceStream, settings: EndpointSettings) -> None:
        self._stream = stream
        self._settings = settings
        self._gate = EnergyGate()
        self._look_frames = 0  # for so many more frames the detector looks, be they loud or not
        self._turn: _Turn | None = None

    @property
    def listening(self) -> bool:
        """Between `start` and `stop` (or an utterance in manual mode that was too long)."""
        return self._turn is not None

    def start(self, mode: ListenMode) -> None:
        """Listen from here on. What was heard before is forgotten."""
        self._stream.reset()
        self._look_frames = GATE_HANGOVER_FRAMES
        self._turn = _Turn(self._settings, mode)

    async def push(self, frame: Pcm) -> HearingEvent | None:
        """Take the next frame: FRAME_SAMPLES samples at RATE_HZ. Ignored when not listening."""
        turn = self._turn
        if turn is None:
            return None
        probability = await self._probability(frame, turn.endpointer)
        if self._turn is not turn:
            return None  # stopped or started anew while the detector was at work
        event = turn.push(frame, probability)
        if isinstance(event, UtteranceEnded):
            if turn.mode is ListenMode.MANUAL:
                self._turn = None
            if event.reason == "silence":
                self._stream.reset()
        return event

    def stop(self) -> Utterance | None:
        """Listen no more. What was said and not handed out yet; None if nobody spoke."""
        turn, self._turn = self._turn, None
        return None if turn is None else turn.unfinished()

    async def _probability(self, frame: Pcm, endpointer: Endpointer) -> float:
        """How likely `frame` is voice, asking the detector only if it may be."""
        loud = self._gate.is_loud(frame)
        self._look_frames = GATE_HANGOVER_FRAMES if loud else max(self._look_frames - 1, 0)
        if self._look_frames == 0 and not endpointer.busy:
            # The detector's memory stands still meanwhile. It last heard this very quiet, and so
            # notices a voice as soon as if it had listened on.
            self._gate.learn(0.0)
            return 0.0
        probability = await self._stream.probability(frame)
        self._gate.learn(probability)
        # The detector hears voice for a frame or two more than there is.
        return 0.0 if self._gate.silent else probability


class _Turn:
    """From `start` to `stop`."""

    __slots__ = ("_recording", "_settings", "_spent", "endpointer", "mode")

    def __init__(self, settings: EndpointSettings, mode: ListenMode) -> None:
        self.mode = mode
        self.endpointer = Endpointer(settings, held=mode is ListenMode.MANUAL)
        self._settings = settings
        self._recording = Recording()
        self._spent = 0  # samples up to here were handed out in an utterance

    def push(self, frame: Pcm, probability: float) -> HearingEvent | None:
        self._recording.append(frame)
        event = self.endpointer.push(probability)
        heard = None if event is None else self._heard(event)
        if isinstance(heard, UtteranceEnded):
            self._spent = self._recording.end
        self._recording.forget_before(self._lead_in(self.endpointer.onset))
        return heard

    def unfinished(self) -> Utterance | None:
        """The speech that goes on."""
        speech = self.endpointer.speech
        return None if speech is None else self._utterance(*speech)

    def _heard(self, event: Event) -> HearingEvent:
        match event.mark:
            case Mark.SPEECH_STARTED:
                return SpeechStarted(_seconds(event.onset * FRAME_SAMPLES))
            case Mark.END_LIKELY:
                return EndLikely(self._utterance(event.onset, event.voice_end))
            case Mark.SPEECH_RESUMED:
                return SpeechResumed()
            case Mark.ENDPOINT:
                return UtteranceEnded(self._utterance(event.onset, event.voice_end), "silence")
            case Mark.TOO_LONG:
                return UtteranceEnded(self._utterance(event.onset, event.voice_end), "too_long")

    def _utterance(self, onset: int, voice_end: int) -> Utterance:
        lead_out = self._settings.lead_out_ms * RATE_HZ // 1000
        return Utterance(
            pcm=self._recording.between(self._lead_in(onset), voice_end * FRAME_SAMPLES + lead_out),
            speech_start_s=_seconds(onset * FRAME_SAMPLES),
            speech_end_s=_seconds(voice_end * FRAME_SAMPLES),
            decided_s=_seconds(self._recording.end),
        )

    def _lead_in(self, onset: int) -> int:
        """Where an utterance begins whose voice begins at `onset`; never in the one before it."""
        lead_in = self._settings.lead_in_ms * RATE_HZ // 1000
        return max(onset * FRAME_SAMPLES - lead_in, self._spent)


def _seconds(samples: int) -> float:
    return samples / RATE_HZ
