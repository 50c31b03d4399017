"""Tells words that were said from words that Whisper made up.

Given noise, Whisper does not stay silent: it writes what its training subtitles had over noise and
music. Measured on whisper-base with this relay's short window: speech has a no-speech probability
of at most 0.05, also where it was misheard; noise, hum, clicks and tones have 0.74 and more.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from importlib.resources import files

from relay.stt.whisper_engine import Hearing

#: Above this the model doubts that anybody spoke, and is right on any noise that was tried.
NO_SPEECH = 0.6
#: Unless it is this sure of the words all the same (Whisper's own rule has -1).
SURE = -0.8

#: Where one of the `doubtful` phrases counts as made up.
NO_SPEECH_DOUBTFUL = 0.3

#: A credit line is real, perhaps a child playing television, only when the model is sure of it.
SURE_CREDIT = -0.25


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
