"""A turn's timeline as the stages that its time went to. Sans-I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from relay.turn.timeline import Timeline


class Stage(StrEnum):
    """What the relay was at. A stage that a turn did not have has no time either."""

    SPEECH = "speech"  #: somebody spoke
    ENDPOINT = "endpoint"  #: the silence that it took to know that they had finished
    RECOGNITION = "recognition"  #: speech to text, as far as the endpoint had to be waited for
    QUOTA = "quota"  #: until the model might be asked
    MODEL = "model"  #: from the request to its first text
    CLAUSE = "clause"  #: from there to a clause that can be spoken
    VOICE = "voice"  #: from there to its first sound, a filler's end included
    SPEAKING = "speaking"  #: from there to the last sound


#: The moment that ends a stage, and those that may begin it: the latest that came before counts.
#: A model that hears is asked before there is a text; an answer ahead is granted before the end.
_BETWEEN: Mapping[Stage, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        Stage.SPEECH: ("speech_end", ("speech_start",)),
        Stage.ENDPOINT: ("endpoint", ("speech_end",)),
        Stage.RECOGNITION: ("transcript", ("endpoint", "granted")),
        Stage.QUOTA: ("granted", ("endpoint", "transcript")),
        Stage.MODEL: ("first_token", ("endpoint", "transcript", "granted")),
        Stage.CLAUSE: ("first_clause", ("first_token",)),
        Stage.VOICE: ("first_audio", ("first_clause",)),
        Stage.SPEAKING: ("last_audio", ("first_audio",)),
    }
)


def stages(timeline: Timeline) -> Iterator[tuple[Stage, float, float]]:
    """Each stage that the turn had, with its beginning and its end on the timeline's clock."""
    for stage, (last, firsts) in _BETWEEN.items():
        end: float | None = getattr(timeline, last)
        if end is None:
            continue
        begun = [at for name in firsts if (at := getattr(timeline, name)) is not None and at <= end]
        if begun:
            yield stage, max(begun), end


def response_s(timeline: Timeline) -> tuple[float | None, float | None]:
    """From the end of the speech to the first sound of any kind, and to that of the answer."""
    asked = timeline.speech_end if timeline.speech_end is not None else timeline.endpoint
    if asked is None:
        return None, None
    sounds = [at for at in (timeline.first_filler, timeline.first_audio) if at is not None]
    answer = timeline.first_audio
    return (
        max(0.0, min(sounds) - asked) if sounds else None,
        max(0.0, answer - asked) if answer is not None else None,
    )
