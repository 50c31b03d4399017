"""What the quiet hours of a persona ask of one turn: a soft voice, or none unless it is called."""

from __future__ import annotations

from datetime import datetime

from relay.persona import Persona
from relay.turn.errands import calling

#: After an answer the doll need not be called again for so long.
_TALKING_S = 60.0


class NotCalledError(Exception):
    """It is quiet, and what was said was not for the doll."""


class Quiet:
    """The quiet hours, as they are when a turn begins."""

    def __init__(self, persona: Persona, now: datetime, since_answer_s: float | None) -> None:
        """`since_answer_s` is how long ago the doll answered last; None where it has not yet."""
        hours = persona.quiet if persona.quiet is not None and persona.quiet.at(now) else None
        self.volume = 1.0 if hours is None else hours.volume  #: by which samples are multiplied
        self.hushed = hours is not None and hours.called
        """Nobody has called it yet: it makes no sound, whatever happens."""
        if since_answer_s is not None and since_answer_s < _TALKING_S:
            self.hushed = False
        self._calling = calling(persona)

    def heard(self, said: str) -> None:
        """Somebody said this. Raises NotCalledError if the doll is to stay quiet."""
        if self.hushed and self._calling.find(said) is None:
            raise NotCalledError
        self.hushed = False
