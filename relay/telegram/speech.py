"""A whole answer as speech, clause by clause as a turn speaks it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from relay.audio import Pcm
from relay.tts.base import TextToSpeech
from relay.turn.sentences import ClauseSplitter


async def speech(
    tts: TextToSpeech, text: str, language: str, voice: str
) -> AsyncGenerator[Pcm, None]:
    """Samples at `tts.rate_hz`. Raises ProviderError."""
    splitter = ClauseSplitter(language)
    for clause in (*splitter.push(text), *splitter.flush()):
        async with aclosing(tts.speak(clause.speech, language, voice)) as pieces:
            async for pcm in pieces:
                yield pcm
