"""What the providers of `doll bench pipeline` say and how long they take, and what of that nobody
can hide. Sans-I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass

from relay.audio import FRAME_SAMPLES, RATE_HZ
from relay.hearing.endpointing import EndpointSettings
from relay.turn.sentences import ClauseSplitter

_FRAME_S = FRAME_SAMPLES / RATE_HZ

LANGUAGE = "ko"

#: What was said, by the recogniser. It reads as finished, and is nothing that needs no brain.
QUESTION = "너는 제일 좋아하는 게 뭐야?"

ANSWER = (
    "흥, 그런 걸 왜 물어봐? 굳이 말하자면 비 오는 날 창문 옆에 가만히 앉아 있는 거. "
    "아니, 같이 있고 싶다는 뜻은 절대 아니거든. 그래도 심심하면 옆에 와도 돼. "
    "대신 떠들지 말고 조용히 있어야 해, 알겠지?"
)

_TOKEN_CHARS = 2  # of Korean: what the tokenizers of today make of it, about

#: Seconds that a character sounds, and how much faster than that the voice speaks.
_CHARACTER_S = 0.15
VOICE_SPEED = 3.0
CHUNK_S = 0.1


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long each provider takes, in seconds."""

    stt: float = 0.3  #: from the utterance to its text
    first_token: float = 0.4
    tokens_per_s: float = 40.0
    first_sound: float = 0.2  #: from a clause to the first of its speech

    @property
    def token(self) -> float:
        """From one token to the next."""
        return 1 / self.tokens_per_s


def tokens(text: str = ANSWER) -> list[str]:
    """The answer as it streams."""
    return [text[at : at + _TOKEN_CHARS] for at in range(0, len(text), _TOKEN_CHARS)]


def speech_s(text: str) -> float:
    """How long a text sounds."""
    return max(CHUNK_S, _CHARACTER_S * len(text))


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The least that a turn can take, in seconds from the end of speech to its first sound."""

    silence: float  #: the configured one, in whole frames
    likely: float  #: after so much of it recognition may begin, in whole frames
    providers: float  #: recognition, first token, first clause and first sound, one after another
    first_sound: float  #: that of them which waits for the end of the silence in any case

    @property
    def held(self) -> float:
        """Push-to-talk, from the button: nothing is waited for but providers."""
        return self.providers

    @property
    def plain(self) -> float:
        """Hands-free, if nothing begins before the silence is over."""
        return self.silence + self.providers

    @property
    def speculative(self) -> float:
        """If recognition begins at the likely end, and the brain as soon as the text is there."""
        ready = self.likely + self.providers - self.first_sound
        return max(self.silence, ready) + self.first_sound


def critical_path(latencies: Latencies, endpoint: EndpointSettings) -> CriticalPath:
    """By the relay's own rule for when a clause is over."""
    to_clause = latencies.first_token + (tokens_to_first_clause() - 1) * latencies.token
    return CriticalPath(
        silence=_whole_frames(endpoint.silence_ms),
        likely=_whole_frames(endpoint.end_likely_ms),
        providers=latencies.stt + to_clause + latencies.first_sound,
        first_sound=latencies.first_sound,
    )


def tokens_to_first_clause() -> int:
    """With so many tokens it is known that the first clause is over.

    A mark may need the character behind it to be the end of anything ("3.14").
    """
    splitter = ClauseSplitter(LANGUAGE)
    for number, token in enumerate(tokens(), 1):
        if splitter.push(token):
            return number
    return len(tokens())


def first_clause() -> str:
    """The text that is spoken first."""
    splitter = ClauseSplitter(LANGUAGE)
    for token in tokens():
        if clauses := splitter.push(token):
            return clauses[0].speech
    return ANSWER


def _whole_frames(ms: int) -> float:
    return math.ceil(ms / 1000 / _FRAME_S) * _FRAME_S
