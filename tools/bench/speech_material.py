"""What `doll bench speech` lets the relay hear: sentences with pauses in them, ends known exactly.

The English is human, the Korean synthetic: no package was found that holds Korean human speech
under a free licence. What synthetic speech cannot show, such as how a person's voice falls at the
end of a sentence, these figures do not show either.
"""

from __future__ import annotations

import tomllib
import wave
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from relay.audio import RATE_HZ, Pcm
from relay.tts.base import TextToSpeech
from tools.bench.sounds import trimmed

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")

_SENTENCES = Path(__file__).parent / "hesitations"

#: Running speech: so much silence between two recordings that were spoken apart.
_JOIN_S = 0.06

#: Pauses within sentences: log-normal around 0.4 s, as far as they are heard as hesitation at all.
_PAUSE_MEDIAN_S, _PAUSE_SIGMA, _PAUSE_LEAST_S, _PAUSE_MOST_S = 0.4, 0.4, 0.2, 1.0


class MaterialError(RuntimeError):
    """Something to listen to is missing; the message says how to get it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """One sentence at 16 kHz, from its first sound to its last."""

    language: str
    pcm: Pcm
    parts: tuple[Pcm, ...]  #: what is between the pauses
    pauses_s: tuple[float, ...]


def english(name: str, *, seed: int = 0) -> list[Sentence]:
    """The sentences `name` (`tuning`, `held-out`) of the human speaker. Raises MaterialError."""
    if not PROMPTS.is_dir():
        raise MaterialError(
            f"there are no recordings in {PROMPTS}: apt-get install asterisk-core-sounds-en-wav"
        )
    lines = tomllib.loads((_SENTENCES / "prompts.toml").read_text("utf-8"))[name]
    random = np.random.default_rng(seed)
    joint = np.zeros(int(_JOIN_S * RATE_HZ), np.int16)
    sentences = []
    for line in lines:
        parts = []
        for part in line.split(" | "):
            words = [trimmed(_recording(word)) for word in part.split()]
            spaced = [piece for word in words for piece in (word, joint)][:-1]
            parts.append(np.concatenate(spaced))
        sentences.append(_hesitating("en", parts, random))
    return sentences


async def korean(tts: TextToSpeech, name: str, *, seed: int = 0) -> list[Sentence]:
    """The sentences `name` as the voice `tts` speaks them, part by part. Raises ProviderError."""
    lines = tomllib.loads((_SENTENCES / f"{name}.toml").read_text("utf-8"))["ko"]
    random = np.random.default_rng(seed)
    sentences = []
    for line in lines:
        parts = [trimmed(await _spoken(tts, part)) for part in line.split(" | ")]
        sentences.append(_hesitating("ko", parts, random))
    return sentences


def _hesitating(language: str, parts: Sequence[Pcm], random: np.random.Generator) -> Sentence:
    pauses = np.clip(
        _PAUSE_MEDIAN_S * np.exp(_PAUSE_SIGMA * random.standard_normal(len(parts) - 1)),
        _PAUSE_LEAST_S,
        _PAUSE_MOST_S,
    )
    pieces = [parts[0]]
    for pause_s, part in zip(pauses, parts[1:], strict=True):
        pieces += [np.zeros(int(pause_s * RATE_HZ), np.int16), part]
    return Sentence(language, np.concatenate(pieces), tuple(parts), tuple(map(float, pauses)))


def _recording(name: str) -> Pcm:
    with wave.open(str(PROMPTS / f"{name}.wav")) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    return np.asarray(soxr.resample(pcm, rate, RATE_HZ), np.int16)


async def _spoken(tts: TextToSpeech, text: str) -> Pcm:
    async with aclosing(tts.speak(text, "ko")) as speech:
        pcm = np.concatenate([chunk async for chunk in speech])
    return np.asarray(soxr.resample(pcm, tts.rate_hz, RATE_HZ), np.int16)
