"""How a turn went in time, as it is kept beside what was said in it: no word of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

#: Moments that are kept: `relay.turn.timeline.Timeline` has ten.
_MAX_MOMENTS: Final = 16

_MAX_MODEL_CHARS: Final = 80
_MAX_KEPT_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Course:
    """One turn's."""

    timeline_ms: dict[str, int] = field(default_factory=dict)
    """`Timeline.since_speech_end_ms`, as far as it had come when the turn was written down."""
    outcome: str = ""  #: `relay.turn.ended.Outcome`
    model: str = ""  #: which one answered; empty if none did
    fillers: int = 0


def encode(course: Course) -> str:
    """As it is kept: JSON of a few hundred characters at most."""
    bounded = Course(
        dict(list(course.timeline_ms.items())[:_MAX_MOMENTS]),
        course.outcome,
        course.model[:_MAX_MODEL_CHARS],
        course.fillers,
    )
    return msgspec.json.encode(bounded).decode()


def decode(kept: str | None) -> Course | None:
    """What was kept; None where there is nothing, or nothing that can be read."""
    if not kept or len(kept) > _MAX_KEPT_CHARS:
        return None
    try:
        return msgspec.json.decode(kept, type=Course)
    except msgspec.MsgspecError:
        return None
