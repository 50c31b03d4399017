"""A recogniser that is loaded when it is needed for the first time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from relay.audio import Pcm
from relay.stt.base import SpeechToText, Transcript


class LazySpeechToText:
    """Where models hear by themselves, the embedded recogniser is for the days they may not."""

    def __init__(self, load: Callable[[], Coroutine[Any, Any, SpeechToText]]) -> None:
        self._load = load
        self._loading: asyncio.Task[SpeechToText] | None = None

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        """See SpeechToText.transcribe. The first call loads the model, which takes seconds.

        Raises also what loading raises; the next call tries it anew.
        """
        if self._loading is None or _failed(self._loading):
            self._loading = asyncio.create_task(self._load())
        # A turn that is cancelled leaves the loading to the next one.
        recogniser = await asyncio.shield(self._loading)
        return await recogniser.transcribe(utterance, languages)

    async def close(self) -> None:
        """See SpeechToText.close."""
        loading, self._loading = self._loading, None
        if loading is None:
            return
        loading.cancel()
        await asyncio.wait((loading,))
        if not _failed(loading):
            await loading.result().close()


def _failed(task: asyncio.Task[SpeechToText]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
