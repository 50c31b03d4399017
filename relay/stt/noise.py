"""Tells words that were said from words that Whisper made up, here or behind a network.

Given noise, Whisper does not stay silent: it writes what its training subtitles had over noise and
music. Measured on whisper-base with this relay's short window: speech has a no-speech probability
of at most 0.05, also where it was misheard; noise, hum, clicks and tones have 0.74 and more.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm, duration_s

#: Shorter than the shortest word ("네" said quickly).
SHORTEST_S: Final = 0.15

#: An utterance whose loudest frame is quieter than this (RMS, about -60 dBFS) is silence.
SILENCE_RMS: Final = 33.0

#: Above this the model doubts that anybody spoke, and is right on any noise that was tried.
NO_SPEECH = 0.6
#: Unless it is this sure of the words all the same (Whisper's own rule has -1).
SURE = -0.8

#: Where one of the `doubtful` phrases counts as made up.
NO_SPEECH_DOUBTFUL = 0.3

#: A credit line is real, perhaps a child playing television, only when the model is sure of it.
SURE_CREDIT = -0.25


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a Whisper made of an utterance."""

    text: str
    language: str  #: ISO 639-1
    no_speech: float  #: probability that there is no speech in it, as the model sees it
    log_probability: float  #: mean over the tokens of the text; near 0 is sure, under -1 guessed


def holds_no_word(utterance: Pcm) -> bool:
    """Whether `utterance` (16 kHz) is too short or too quiet to be worth a look."""
    return duration_s(utterance) < SHORTEST_S or is_silent(utterance)


def is_silent(utterance: Pcm) -> bool:
    """Whether no frame of `utterance` is loud enough to hold a voice."""
    whole = len(utterance) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = utterance[:whole].reshape(-1, FRAME_SAMPLES).astype(np.float32)
    return not bool((np.square(frames).mean(axis=1) > SILENCE_RMS**2).any())


def is_made_up(hearing: Hearing) -> bool:
    """Whether `hearing` comes from noise and not from a voice."""
    plain = _plain(hearing.text)
    if not plain:
        return True
    if hearing.no_speech > NO_SPEECH and hearing.log_probability < SURE:
        return True
    if hearing.no_speech > NO_SPEECH_DOUBTFUL and _patterns("doubtful").fullmatch(plain):
        return True
    credit = _patterns("credits").fullmatch(plain) is not None
    return credit and hearing.log_probability < SURE_CREDIT


@functools.cache
def _patterns(kind: str) -> re.Pattern[str]:
    data = tomllib.loads(files("relay.stt").joinpath("hallucinations.toml").read_text("utf-8"))
    phrases = [".*".join(map(re.escape, map(_plain, line.split("*")))) for line in data[kind]]
    return re.compile("|".join(phrases))


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(character for character in folded if character.isalnum())
