"""Speech recognition that begins before it is certain that the speaker has finished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from relay.audio import Pcm
from relay.metrics import turns
from relay.stt.base import SpeechToText, Transcript

Said = asyncio.Task[Transcript] | Pcm
"""A question on its way to text; or the utterance itself, for a brain that hears."""


class Recognition:
    """One doll's current utterance on its way to text.

    A pause that is likely the end starts the recogniser; if speech goes on its work is thrown
    away, else the transcript is there, or nearly so, when the silence is over. `on_early` is told
    what a pause came to, and may find that it was the end. With no recogniser, for a brain that
    hears, the utterance stays what it is.
    """

    def __init__(
        self,
        stt: SpeechToText | None,
        languages: Sequence[str],
        *,
        timeout_s: float,
        on_early: Callable[[Transcript], None] = lambda _: None,
    ) -> None:
        self._on_early = on_early
        self._stt = stt
        self._languages = languages
        self._timeout_s = timeout_s
        self._early: asyncio.Task[Transcript] | None = None

    def begin(self, utterance: Pcm) -> None:
        """The speaker has likely finished: `utterance` is all that was said."""
        self.discard()
        if self._stt is None:
            return
        turns.begun(turns.Early.RECOGNITION)
        self._early = self._start(self._stt, utterance)
        self._early.add_done_callback(self._tell)

    def discard(self) -> None:
        """The speaker goes on, or nobody wants the text any more."""
        if self._early is not None:
            self._early.cancel()
            self._early = None

    def finish(self, utterance: Pcm) -> Said:
        """The text of the whole utterance; whoever takes the task may cancel it.

        The early work is used where there is some: what follows it in `utterance` is silence.
        """
        if self._stt is None:
            return utterance
        task, self._early = self._early, None
        if task is None:
            return self._start(self._stt, utterance)
        turns.used(turns.Early.RECOGNITION)
        return task

    def _start(self, stt: SpeechToText, utterance: Pcm) -> asyncio.Task[Transcript]:
        task = asyncio.get_running_loop().create_task(self._transcribe(stt, utterance))
        # A failure of work that was thrown away has nobody to tell.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def _tell(self, done: asyncio.Task[Transcript]) -> None:
        if done is self._early and not done.cancelled() and done.exception() is None:
            self._on_early(done.result())

    async def _transcribe(self, stt: SpeechToText, utterance: Pcm) -> Transcript:
        async with asyncio.timeout(self._timeout_s):
            return await stt.transcribe(utterance, self._languages)
