"""The voices that an engine has learned: in memory only, so that a stop forgets them all."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

#: The one used longest ago goes; the relay leaves its sample again when it needs it.
MOST: Final = 16


class LearnedVoices:
    """What an engine made of samples, by key."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._voices: OrderedDict[str, Any] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._voices

    def __getitem__(self, key: str) -> Any:
        """Raises KeyError."""
        self._voices.move_to_end(key)
        return self._voices[key]

    def put(self, key: str, voice: Any) -> None:
        """Keep a voice, in place of one of that key."""
        self._voices[key] = voice
        self._voices.move_to_end(key)
        if len(self._voices) > self._most:
            self._voices.popitem(last=False)

    def forget(self, key: str) -> bool:
        """Whether it was there."""
        return self._voices.pop(key, None) is not None
