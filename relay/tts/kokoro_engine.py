"""Kokoro-82M on ONNX Runtime: phonemes in, samples out. Blocks; not a provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

RATE_HZ: Final = 24_000

#: Phonemes that the model takes at once, without the two marks around them.
MOST_PHONEMES: Final = 510

#: What is given to it at once where there is a choice, some eight seconds of speech: its memory and
#: the time to the first sound grow with the length.
COMFORTABLE_PHONEMES: Final = 120

#: Where a phoneme string that is too long is parted, the best place first.
BREAKS: Final = (".!?", ",;:", " ")


class KokoroEngine:
    """One loaded model with its voices. Used by one thread at a time."""

    def __init__(self, directory: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that wait for the next clause by spinning would take the time of everything else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(directory / "kokoro-v1.0.int8.onnx"), options, providers=["CPUExecutionProvider"]
        )
        vocabulary = json.loads((directory / "vocab.json").read_text(encoding="utf-8"))
        self._numbers: Mapping[str, int] = vocabulary["vocab"]
        with np.load(directory / "voices.npz") as styles:
            #: Voice -> a style vector for each number of phonemes, shape (510, 1, 256).
            self._styles = {name: styles[name] for name in styles.files}

    @property
    def voices(self) -> list[str]:
        """The names of the voices, in order."""
        return sorted(self._styles)

    def speak(
        self, phonemes: str, voice: str, speed: float, run: onnxruntime.RunOptions
    ) -> NDArray[np.float32]:
        """Mono samples at 24 kHz, full scale 1. At most 510 phonemes; unknown ones are skipped.

        Setting `run.terminate` in another thread ends the computation soon, with an exception.
        """
        numbers = [self._numbers[sign] for sign in phonemes if sign in self._numbers]
        numbers = numbers[:MOST_PHONEMES]
        if not numbers:
            return np.zeros(0, np.float32)
        inputs = {
            "tokens": np.array([[0, *numbers, 0]], np.int64),
            "style": self._styles[voice][len(numbers) - 1],
            "speed": np.array([speed], np.float32),
        }
        # Give back the memory of this clause: 300 MB after a long one, and it costs no time.
        run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        samples: NDArray[np.float32] = self._session.run(None, inputs, run)[0].ravel()
        return samples


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
