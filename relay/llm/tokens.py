"""About how many tokens a request takes, without asking anybody."""

from __future__ import annotations

import math

from relay.audio import Pcm, duration_s
from relay.llm.base import Message

#: Gemini's documentation: "a token is equivalent to about 4 characters". That is English; a Hangul
#: syllable is most often a token of its own or two of them one, so 0.75 is on the careful side.
_PER_ASCII = 0.25
_PER_OTHER = 0.75
_PER_MESSAGE = 4  # the marks around each
_PER_SECOND = 32  # of audio, by Gemini's documentation
_SCHEMA = 150  # the fields of a structured answer and the 21 emotions


def estimate(
    system: str, messages: tuple[Message, ...], utterance: Pcm | None = None, *, schema: bool
) -> int:
    """The input tokens of a request: rather too many than too few.

    tokens = 0.25 · ASCII characters + 0.75 · other characters + 4 · messages
             + 32 · seconds of audio (+ 150 for a schema)
    """
    texts = [system, *(message.text for message in messages)]
    total = sum(map(of_message, texts))
    if utterance is not None:
        total += _PER_SECOND * duration_s(utterance)
    return math.ceil(total + (_SCHEMA if schema else 0))


def of_message(text: str) -> float:
    """About how many tokens one message takes, with the marks around it."""
    plain = sum(map(str.isascii, text))
    return _PER_ASCII * plain + _PER_OTHER * (len(text) - plain) + _PER_MESSAGE
