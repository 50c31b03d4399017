"""What follows a wake word that the doll itself has heard (`listen detect`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from relay.languages import written_in
from relay.stt.base import Transcript

#: Who is woken, and hears nobody go on for so long, says that it is there. In seconds of audio.
ANSWER_S = 1.0


class Wake:
    """Whether the doll answers its wake word. Stock boards make no sound of their own then.

    "Hi doll, what time is it?" in one breath is a question like any other; only who calls and
    waits is answered. Sans-I/O.
    """

    def __init__(self) -> None:
        self._woken = False

    def detected(self) -> None:
        """It has heard its wake word."""
        self._woken = True

    def over(self) -> None:
        """Somebody speaks, or the doll has stopped listening."""
        self._woken = False

    @property
    def waits(self) -> bool:
        """Whether it was called and has not answered."""
        return self._woken

    def answers(self, listened_s: float) -> bool:
        """Whether it says now that it is there: once."""
        if not self._woken or listened_s < ANSWER_S:
            return False
        self._woken = False
        return True


def written(text: str, languages: Sequence[str]) -> asyncio.Task[Transcript]:
    """Something that was not spoken, in the place of a recognition."""
    return asyncio.create_task(_known(Transcript(text, written_in(text, languages))))


async def _known(transcript: Transcript) -> Transcript:
    return transcript
