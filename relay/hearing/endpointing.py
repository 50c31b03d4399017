"""When speech begins and ends: a state machine over one probability of voice per frame.

Time is audio time. Nothing here looks at a clock, so a slow network or a busy processor never cuts
a sentence short.

    probability  ▁▁▁▂▇▇▇▇▇▇▆▁▁▁▁▇▇▇▇▅▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    onset            ^
    events             started ─ likely ─ resumed ─ likely ─ endpoint
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto

from relay.audio import FRAME_SAMPLES, RATE_HZ
from relay.hearing.hangover import Hangover

_FRAME_MS = 1000 * FRAME_SAMPLES / RATE_HZ

#: What a doll may have for itself.
_PER_DOLL = ("silence_ms", "min_ms", "max_ms")


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What counts as speech, and what as its end.

    The two thresholds with their distance of 0.15 are those that Silero recommends (its
    `VADIterator`). Times that are counted in frames of 32 ms are rounded up to whole ones.
    """

    start_threshold: float = 0.5  #: probability from which a frame counts as voice
    stop_threshold: float = 0.35  #: speech pauses below this; voice again at `start_threshold`
    start_frames: int = 3  #: speech begins when so many …
    start_window_frames: int = 4  #: … of so many frames in a row are voice
    min_speech_ms: int = 160  #: voice shorter than this is a cough or a click, and no turn
    silence_ms: int = 600  #: hangover: speech has ended after so much silence …
    learned: bool = True  #: … or less or more, by what was said and by how the speaker pauses
    min_ms: int = 320  #: the shortest that is learned, …
    max_ms: int = 1500  #: … and the longest; a `silence_ms` outside of the two widens them
    end_likely_ms: int = 200  #: after so much silence it has likely ended; recognition may start
    max_utterance_s: float = 30.0  #: an utterance is ended at this length, its lead-in included
    lead_in_ms: int = 300  #: audio kept from before the first frame of voice
    lead_out_ms: int = 200  #: audio kept from after the last frame of voice
    echo_tail_ms: int = 300  #: after an answer, a room still sounds of it: so much is not heard
    interrupt_ms: int = 400  #: voice that interrupts a doll that hears itself speak is this long
    smart_turn: bool = False  #: also listen to the melody; needs the extra `smart-turn`

    def __post_init__(self) -> None:
        """Raises ValueError with the name of the setting that cannot be."""
        if not 0 < self.stop_threshold <= self.start_threshold < 1:
            raise ValueError("needs 0 < stop_threshold <= start_threshold < 1")
        if not 1 <= self.start_frames <= self.start_window_frames <= 31:
            raise ValueError("needs 1 <= start_frames <= start_window_frames <= 31")
        if not 0 <= self.min_speech_ms <= 2000:
            raise ValueError("min_speech_ms must be 0 to 2000")
        if not 100 <= self.silence_ms <= 10_000:
            raise ValueError("silence_ms must be 100 to 10000")
        if not 100 <= self.min_ms <= self.max_ms <= 10_000:
            raise ValueError("needs 100 <= min_ms <= max_ms <= 10000")
        if not 0 <= self.echo_tail_ms <= 2000:
            raise ValueError("echo_tail_ms must be 0 to 2000")
        if not 0 <= self.interrupt_ms <= 2000:
            raise ValueError("interrupt_ms must be 0 to 2000")
        if not 0 <= self.lead_in_ms <= 2000:
            raise ValueError("lead_in_ms must be 0 to 2000")
        if not 0 <= self.lead_out_ms <= self.end_likely_ms:
            # Longer, what is recognised early would not be what is recognised in the end.
            raise ValueError("lead_out_ms must be 0 to end_likely_ms")
        if not 1 <= self.max_utterance_s <= 120:
            raise ValueError("max_utterance_s must be 1 to 120")
        if self.max_frames <= self.start_window_frames:
            raise ValueError("max_utterance_s must be longer than lead_in_ms and a start of speech")

    def for_doll(self, own: object) -> EndpointSettings:
        """These settings with a doll's own for the silence that ends speech.

        `own` may have `silence_ms`, `min_ms` and `max_ms`, whole numbers. Raises ValueError.
        """
        if not isinstance(own, Mapping) or any(key not in _PER_DOLL for key in own):
            raise ValueError(f"endpoint of a doll has only {', '.join(_PER_DOLL)}")
        if any(type(value) is not int for value in own.values()):
            raise ValueError("endpoint of a doll has whole numbers of milliseconds")
        return replace(self, **own)

    @property
    def max_frames(self) -> int:
        """Frames from the onset after which an utterance is too long."""
        return int((1000 * self.max_utterance_s - self.lead_in_ms) // _FRAME_MS)


class Mark(StrEnum):
    """What an endpointer noticed."""

    SPEECH_STARTED = auto()
    END_LIKELY = auto()  #: a pause that is likely the end
    SPEECH_RESUMED = auto()  #: it was not: forget the likely end
    ENDPOINT = auto()  #: the speaker has finished
    TOO_LONG = auto()  #: the speaker has not finished, but the utterance is as long as it may be


@dataclass(frozen=True, slots=True)
class Event:
    """A mark, and the speech that it is about. Frames are counted from the first `push`."""

    mark: Mark
    onset: int  #: the first frame of voice
    voice_end: int  #: the frame after the last one of voice so far


class _Phase(Enum):
    QUIET = auto()
    VOICE = auto()
    PAUSE = auto()  # within speech, or after it: the hangover will tell


class Endpointer:
    """Finds utterances in a stream of probabilities. Sans I/O.

    After ENDPOINT or TOO_LONG it waits for the next utterance. With `held`, something else ends
    the turn (a button): silence never does, and any start of speech counts, however short, because
    whoever holds a button means to be heard.
    """

    def __init__(
        self,
        settings: EndpointSettings,
        *,
        held: bool = False,
        hangover: Hangover | None = None,
    ) -> None:
        self._settings = settings
        self._held = held
        self._hangover = hangover or Hangover(settings)
        self.guarded = False  #: the doll speaks and may hear itself: only long voice is speech
        self._min_voice = 0 if held else _frames(settings.min_speech_ms)
        self._likely_after = _frames(settings.end_likely_ms)
        self._min_interruption = max(self._min_voice, _frames(settings.interrupt_ms))
        self._recent: deque[bool] = deque(maxlen=settings.start_window_frames)
        self._phase = _Phase.QUIET
        self._position = 0
        self._onset = 0
        self._voice_end = 0
        self._voice = 0  # frames of voice in this speech
        self._started = False  # SPEECH_STARTED is out
        self._likely = False  # END_LIKELY is out, and neither taken back nor confirmed
        self._ended: int | None = None  # where voice ended before the last endpoint

    @property
    def position(self) -> int:
        """Frames pushed so far."""
        return self._position

    @property
    def busy(self) -> bool:
        """Whether speech goes on or may be beginning: no frame may be taken for silence unseen."""
        return self._phase is not _Phase.QUIET or any(self._recent)

    def decides_within(self, frames: int) -> bool:
        """Whether silence in so many more frames makes a likely end, or an end."""
        if not self._started:
            return False
        silence = self._position - self._voice_end + frames
        if not self._likely and silence >= self._likely_after:
            return True
        return not self._held and silence >= _frames(self._hangover.ms)

    @property
    def onset(self) -> int:
        """The first frame that the speech that goes on may turn out to hold.

        Between utterances, the first one that a start of speech could still count.
        """
        if self._phase is _Phase.QUIET:
            return self._position - len(self._recent)
        return self._onset

    @property
    def speech(self) -> tuple[int, int] | None:
        """Onset and end of voice of what goes on; None between utterances.

        It need not be long enough yet to be sure that it is speech.
        """
        return None if self._phase is _Phase.QUIET else (self._onset, self._voice_end)

    def push(self, probability: float) -> Event | None:
        """Take the probability of voice in the next frame."""
        self._position += 1
        if self._phase is _Phase.QUIET:
            mark = self._quiet(probability)
        else:
            mark = self._limited(self._started, self._speech(probability))
        if mark is None:
            return None
        event = Event(mark, self._onset, self._voice_end)
        if mark in (Mark.ENDPOINT, Mark.TOO_LONG):
            self._rest()
        return event

    def _quiet(self, probability: float) -> Mark | None:
        self._recent.append(probability >= self._settings.start_threshold)
        if sum(self._recent) < self._settings.start_frames:
            return None
        self._onset = self._position - len(self._recent) + self._recent.index(True)
        self._voice = sum(self._recent)
        self._voice_end = self._position
        self._phase = _Phase.VOICE
        self._recent.clear()
        return self._announce()

    def _speech(self, probability: float) -> Mark | None:
        settings = self._settings
        voice = probability >= (
            settings.stop_threshold if self._phase is _Phase.VOICE else settings.start_threshold
        )
        if not voice:
            self._phase = _Phase.PAUSE
            return self._silence(self._position - self._voice_end)
        silence = self._position - 1 - self._voice_end
        self._phase = _Phase.VOICE
        self._voice += 1
        self._voice_end = self._position
        if self._likely:
            self._likely = False
            if not self._held:
                self._hangover.resumed(silence * _FRAME_MS)
            return Mark.SPEECH_RESUMED
        return self._announce()

    def _announce(self) -> Mark | None:
        needed = self._min_interruption if self.guarded else self._min_voice
        if self._started or self._voice < needed:
            return None
        self._started = True
        gap = math.inf if self._ended is None or self.guarded else self._onset - self._ended
        self._hangover.started(gap * _FRAME_MS)
        self._ended = None
        return Mark.SPEECH_STARTED

    def _silence(self, frames: int) -> Mark | None:
        if not self._started:
            if frames >= self._likely_after:
                self._rest()  # too short to be speech
            return None
        if not self._held and frames >= _frames(self._hangover.ms):
            self._hangover.ended()
            self._ended = self._voice_end
            return Mark.ENDPOINT
        if frames >= self._likely_after and not self._likely:
            self._likely = True
            self._hangover.pause()
            return Mark.END_LIKELY
        return None

    def _limited(self, was_started: bool, mark: Mark | None) -> Mark | None:
        """`mark`, or what becomes of it when the speech is as long as it may be."""
        if mark is Mark.ENDPOINT or self._position - self._onset < self._settings.max_frames:
            return mark
        if was_started:
            return Mark.TOO_LONG
        self._rest()  # voice so sparse, for so long, is no speech
        return None

    def _rest(self) -> None:
        self._phase = _Phase.QUIET
        self._recent.clear()
        self._started = self._likely = False


def _frames(ms: float) -> int:
    return math.ceil(ms / _FRAME_MS)
