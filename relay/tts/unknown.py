"""Voices that dolls ask a provider for, and that it turned out not to have. Sans-I/O."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import structlog

#: A service may get a voice later: it is asked for it again, once in so many seconds.
ASK_AGAIN_S: Final = 600.0

#: How many are kept: more than personas have voices.
_MOST: Final = 256

_log = structlog.get_logger(__name__)


class UnknownVoices:
    """One for each provider. The log tells each voice once, until it is there."""

    def __init__(self, tts: str, advice: str = "") -> None:
        """`tts` names the provider in the log; `advice` says what to do."""
        self._about = {"tts": tts, **({"help": advice} if advice else {})}
        self._missed_at: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, voice: str) -> bool:
        return voice in self._missed_at

    def worth_asking(self, voice: str, now: float) -> bool:
        """Whether a service should be asked for it; `now` is in seconds, on any one clock."""
        missed_at = self._missed_at.get(voice)
        return missed_at is None or now - missed_at >= ASK_AGAIN_S

    def missed(self, voice: str, now: float = 0.0) -> None:
        """It was not there."""
        if voice not in self._missed_at:
            _log.warning("voice not known, the default speaks", voice=voice, **self._about)
        self._missed_at[voice] = now
        self._missed_at.move_to_end(voice)
        if len(self._missed_at) > _MOST:
            self._missed_at.popitem(last=False)

    def found(self, voice: str) -> None:
        """It is there."""
        self._missed_at.pop(voice, None)
