"""Models that look at a photo, and which one of a chain is asked to."""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

from relay.devices.sight import MAX_ANSWER_CHARS
from relay.llm.base import Request
from relay.llm.meter import Meter, MeteredModel

#: What a photo takes of the allowance at most: Gemini 3 at its usual resolution, rounded up.
PHOTO_TOKENS = 1_200

_ENDS = re.compile(r"[.!?…](?=\s|$)")


@runtime_checkable
class SeeingModel(MeteredModel, Protocol):
    """A MeteredModel that may see."""

    @property
    def sees(self) -> bool:
        """Whether `look` may be used. May turn false when the provider refuses pictures."""
        ...

    async def look(self, jpeg: bytes, request: Request, meter: Meter | None = None) -> str:
        """What the character says to `request.text` about a photo; at most MAX_ANSWER_CHARS.

        One request, or one more where the model refuses something. Raises ProviderError.
        """
        ...


def shortened(text: str) -> str:
    """An answer of at most MAX_ANSWER_CHARS, cut behind a sentence where it has one."""
    text = " ".join(text.split())
    if len(text) <= MAX_ANSWER_CHARS:
        return text
    text = text[:MAX_ANSWER_CHARS]
    ends = [end.end() for end in _ENDS.finditer(text)]
    return text[: ends[-1]] if ends else text
