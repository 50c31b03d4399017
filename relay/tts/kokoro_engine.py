"""Kokoro-82M on ONNX Runtime: phonemes in, samples out piece by piece. Blocks; not a provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from relay.tts.kokoro_split import FRONT, STATISTICS, VOCODER, prepared

Floats = NDArray[np.float32]

RATE_HZ: Final = 24_000

#: Phonemes that the model takes at once, without the two marks around them.
MOST_PHONEMES: Final = 510

#: What is given to it at once where there is a choice, some eight seconds of speech: its memory and
#: the time to the first sound grow with the length.
COMFORTABLE_PHONEMES: Final = 120

#: Where a phoneme string that is too long is parted, the best place first.
BREAKS: Final = (".!?", ",;:", " ")

#: Features come at 80 frames a second: samples of audio and instants of the source for each.
FRAME_SAMPLES: Final = 300
FRAME_INSTANTS: Final = 60

#: Durations are counted in two frames.
FRAMES_PER_DURATION: Final = 2

#: The decoder's half of a style vector.
STYLE: Final = 128

#: Frames around a piece that the vocoder is given besides: it sees 50 ms to each side.
CONTEXT: Final = 6

#: Frames of each piece; the last number goes on. The first sound is out soon, and making a piece
#: takes no longer than playing the one before, down to half this speed. Longer ones take more
#: memory (40 MB for 96 frames) and are no faster.
PIECES: Final = (24, 32, 48)

#: The model begins and ends with silence, half a second in all, which is not even computed. The
#: voice may begin this many frames before the first phoneme's time, and end so long after its mark.
LEAD: Final = 14
TAIL: Final = 4
MARKS: Final = frozenset(",.!?;:…")


@dataclass(frozen=True, slots=True)
class Plan:
    """A clause before it sounds: all that is needed for any piece of it."""

    features: Floats  #: shape (frames, 512)
    source: Floats  #: shape (60 * frames + 1, 22)
    style: Floats  #: shape (1, 128)
    statistics: Floats  #: shape (2, channels)
    edges: tuple[int, ...]  #: frames where the pieces meet, the outer ends included

    @property
    def pieces(self) -> int:
        """How many there are; at least one."""
        return len(self.edges) - 1


class KokoroEngine:
    """One loaded model with its voices. Used by one thread at a time."""

    def __init__(self, directory: Path, threads: int) -> None:
        """`directory` holds the files of `relay.models.KOKORO`. Raises ModelError and others."""
        home = prepared(directory)
        self._front = session(home / FRONT, threads)
        self._vocoder = session(home / VOCODER, threads)
        self._numbers = vocabulary(directory)
        self._styles = voice_styles(directory)
        with np.load(home / STATISTICS) as statistics:
            self._statistics = {name: statistics[name] for name in statistics.files}

    @property
    def voices(self) -> list[str]:
        """The names of the voices, in order."""
        return sorted(self._styles)

    def plan(self, phonemes: str, voice: str, speed: float) -> Plan | None:
        """Decide on everything but the sound; None when there is nothing to say.

        At most 510 phonemes; unknown ones are skipped. Takes some 50 ms for a second of speech.
        """
        known = [sign for sign in phonemes if sign in self._numbers][:MOST_PHONEMES]
        if not known:
            return None
        style = self._styles[voice][len(known) - 1]
        durations, features, source = self._front.run(
            ["durations", "features", "source"],
            {
                "tokens": np.array([[0, *numbered(known, self._numbers), 0]], np.int64),
                "style": style,
                "speed": np.array([speed], np.float32),
            },
            _give_back(),
        )
        lengths = [int(duration) * FRAMES_PER_DURATION for duration in durations.ravel()]
        start = max(0, lengths[0] - LEAD)
        silent = lengths[-1] + (lengths[-2] if known[-1] in MARKS else 0)
        end = len(features) - max(0, silent - TAIL)
        return Plan(features, source, style[:, :STYLE], self._statistics[voice], edges(start, end))

    def sound(self, plan: Plan, piece: int) -> Floats:
        """The samples of one piece of `plan`: mono at 24 kHz, full scale 1; they join exactly."""
        start, end = plan.edges[piece : piece + 2]
        first, last = max(0, start - CONTEXT), min(len(plan.features), end + CONTEXT)
        inputs = {
            "features": plan.features[first:last],
            "source": plan.source[first * FRAME_INSTANTS : last * FRAME_INSTANTS + 1],
            "style": plan.style,
            "mean": plan.statistics[:1],
            "square": plan.statistics[1:],
        }
        last_piece = piece == plan.pieces - 1
        samples: Floats = self._vocoder.run(None, inputs, _give_back() if last_piece else None)[0]
        return samples[(start - first) * FRAME_SAMPLES : (end - first) * FRAME_SAMPLES]


def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """A session that leaves the processor to others while it has nothing to do."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait for the next clause by spinning would take the time of everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A pattern is kept for each length that was met; they are all different (40 MB less without).
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _give_back() -> onnxruntime.RunOptions:
    """Gives the memory of a run back at its end: 300 MB after a long one, and it takes no time."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def vocabulary(directory: Path) -> Mapping[str, int]:
    """Phoneme -> its number."""
    table = json.loads((directory / "vocab.json").read_text(encoding="utf-8"))
    numbers: Mapping[str, int] = table["vocab"]
    return numbers


def voice_styles(directory: Path) -> Mapping[str, Floats]:
    """Voice -> a style vector for each number of phonemes, shape (510, 1, 256)."""
    with np.load(directory / "voices.npz") as styles:
        return {name: styles[name] for name in styles.files}


def numbered(phonemes: str | list[str], numbers: Mapping[str, int]) -> list[int]:
    """The numbers of those phonemes that have one."""
    return [numbers[sign] for sign in phonemes if sign in numbers]


def edges(start: int, end: int) -> tuple[int, ...]:
    """Where the pieces from frame `start` to `end` meet, the ends included; `end` > `start`.

    A last piece of less than half its size is joined to the one before, but never to the first:
    that one has to be out soon.
    """
    places = [start]
    while places[-1] < end:
        number = len(places) - 1
        places.append(places[-1] + PIECES[min(number, len(PIECES) - 1)])
    if len(places) > 3 and end - places[-2] < (places[-1] - places[-2]) // 2:
        places.pop()
    places[-1] = end
    return tuple(places)


def split(phonemes: str, most: int = COMFORTABLE_PHONEMES) -> list[str]:
    """Part `phonemes` into strings of at most `most`, at the best breaks there are."""
    parts = []
    rest = phonemes.strip()
    while len(rest) > most:
        end = next((end for marks in BREAKS if (end := _last(rest[:most], marks))), most)
        parts.append(rest[:end].strip())
        rest = rest[end:].strip()
    return [part for part in [*parts, rest] if re.search(r"\w", part)]


def _last(text: str, marks: str) -> int:
    """The place behind the last of `marks` in `text`; 0 where there is none."""
    return 1 + max(text.rfind(mark) for mark in marks)
