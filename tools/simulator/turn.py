"""One question and its reply, as the doll's console tells it. Sans-I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from relay.audio import RATE_HZ, Pcm
from tools.simulator.console import BoardEvent, Item, LogLine
from tools.simulator.speaker import Speaker
from tools.simulator.wav import loud_span, write_wav

_LEAD_S = 0.05  #: silence that is kept around a reply


class AskMode(StrEnum):
    """How a person tells the doll that he speaks to it."""

    HOLD = "hold"  #: holds the button while he speaks
    TAP = "tap"  #: taps it and speaks; the relay finds the end
    HANDS_FREE = "hands-free"  #: just speaks


@dataclass(slots=True)
class Timeline:
    """When things happened at the doll, in ms since the turn began; None: they did not.

    The turn begins with the press of the button, without a button with the listening. Speech and
    sound are timed by their samples, messages by the log lines about them.
    """

    press: int | None = None
    speech_start: int | None = None  #: the first loud sample of the question
    speech_end: int | None = None  #: the last one
    release: int | None = None  #: of a held button
    stt: int | None = None  #: what the relay understood has come
    tts_start: int | None = None  #: `tts start` has come
    first_audio: int | None = None  #: the first loud sample of the reply is heard
    last_audio: int | None = None  #: the last one

    @property
    def wait_ms(self) -> int | None:
        """From the end of the question to the first sound of the reply: what a person feels."""
        if self.speech_end is None or self.first_audio is None:
            return None
        return self.first_audio - self.speech_end


@dataclass(slots=True)
class Reply:
    """What became of a question."""

    transcript: str = ""
    sentences: list[str] = field(default_factory=list)
    emotion: str = ""
    wav: Path = Path()  #: the sound of the reply; a file without samples if it was silent
    timeline: Timeline = field(default_factory=Timeline)
    frames_sent: int = 0
    frames_played: int = 0
    frames_lost: int = 0  #: of both directions
    underruns: int = 0
    heap_per_frame: int = 0  #: bytes, of the worse direction; -1: a garbage collection hid it
    warnings: list[str] = field(default_factory=list)  #: what the firmware logged as W or E

    @property
    def text(self) -> str:
        """All sentences of the reply."""
        return " ".join(self.sentences)


class TurnRecord:
    """Collects a turn from the console's items.

    `now_ms` is on the board's clock, and so are the times that are kept here.
    """

    def __init__(self, mode: AskMode) -> None:
        self.mode = mode
        self.reply = Reply()
        self.over = False
        self.error: str | None = None  #: what the simulated board could not do
        self.state = ""
        self.press_ms: int | None = None
        self.release_ms: int | None = None
        self.wav_started_ms: int | None = None
        self.wav_done = False
        self.stt_ms: int | None = None
        self.tts_start_ms: int | None = None
        self._began = False

    def take(self, item: Item, now_ms: int) -> None:
        """Takes the next item."""
        if isinstance(item, BoardEvent):
            if item.name == "mic_start":
                self.wav_started_ms = item.t_ms
            elif item.name == "mic_done":
                self.wav_done = True
            elif item.name == "error":
                self.error = str(item.fields.get("message"))
        elif isinstance(item, LogLine):
            if item.level in "WE":
                self.reply.warnings.append(item.message)
            self._take_line(item, now_ms)

    def _take_line(self, line: LogLine, now_ms: int) -> None:
        reply = self.reply
        if (state := line.rest("state")) is not None:
            self._enter(state)
        elif line.rest("listen stop") is not None:
            reply.frames_sent += line.number("frames") or 0
            self._account(line)
        elif (text := line.rest("heard")) is not None:
            reply.transcript = text
            self.stt_ms = now_ms
        elif (emotion := line.rest("feels")) is not None:
            reply.emotion = emotion
        elif line.rest("reply start") is not None:
            self.tts_start_ms = now_ms
        elif (text := line.rest("says")) is not None:
            reply.sentences.append(text)
        elif line.rest("played") is not None:
            reply.frames_played += line.number("frames") or 0
            reply.underruns += line.number("underruns") or 0
            self._account(line)

    def _enter(self, state: str) -> None:
        self.state = state
        if state in ("listening", "thinking", "speaking"):
            self._began = True
        if not self._began:
            return
        # Hands-free the doll listens again after a reply; else it rests.
        again = self.mode is AskMode.HANDS_FREE and state == "listening"
        if state == "idle" or (again and self.tts_start_ms is not None):
            self.over = True

    def _account(self, line: LogLine) -> None:
        self.reply.frames_lost += line.number("lost") or 0
        heap = line.number("heap_per_frame")
        if heap is None or self.reply.heap_per_frame < 0:
            return
        self.reply.heap_per_frame = -1 if heap < 0 else max(heap, self.reply.heap_per_frame)


def finish(record: TurnRecord, question: Pcm, speaker: Speaker, wav: Path) -> Reply:
    """Completes the reply of a turn that is over: its times, and its sound as a WAV file."""
    reply = record.reply
    times = reply.timeline
    began = record.press_ms if record.press_ms is not None else record.wav_started_ms
    began = began or 0

    def since(t_ms: int | None) -> int | None:
        return None if t_ms is None else t_ms - began

    times.press = since(record.press_ms)
    times.release = since(record.release_ms)
    times.stt = since(record.stt_ms)
    times.tts_start = since(record.tts_start_ms)
    words = loud_span(question)
    if words is not None and record.wav_started_ms is not None:
        times.speech_start = since(record.wav_started_ms + words[0] * 1000 // RATE_HZ)
        times.speech_end = since(record.wav_started_ms + words[1] * 1000 // RATE_HZ)
    start = speaker.end if record.tts_start_ms is None else speaker.frame_at(record.tts_start_ms)
    first, pcm = speaker.cut(start, speaker.end)
    sound = loud_span(pcm)
    if sound is None:
        pcm = pcm[:0]
    else:
        times.first_audio = since(speaker.time_of(first + sound[0]))
        times.last_audio = since(speaker.time_of(first + sound[1]))
        lead = round(_LEAD_S * speaker.rate_hz)
        pcm = pcm[max(0, sound[0] - lead) : sound[1] + lead]
    write_wav(wav, pcm, speaker.rate_hz)
    reply.wav = wav
    return reply
