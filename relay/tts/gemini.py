"""Text to speech with Gemini's voices: for fixed lines, of which a day has few enough.

The free tier has three requests a minute and ten a day, so a conversation cannot be spoken with it.
Each request is asked for at the quota first, behind the turns; without an allowance the clause is
refused at once, and whoever asked has another voice or comes back tomorrow.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from relay.audio import Pcm
from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.gemini_server import FAILURES, GeminiServer
from relay.llm.base import Message
from relay.llm.gemini_errors import BLOCKED, OverLimitError
from relay.llm.tokens import estimate
from relay.quota.base import Admission, Later, NotToday, OverError, Priority, Quota, SupersededError
from relay.streaming import Deadlines
from relay.tts.formats import FormatError, decoder_for
from relay.tts.remote import RemoteVoice, SampleStream

# The SDK comes behind the server's module, which says what to install when it is missing.
# isort: split
from google.genai import types

#: Raw samples, as all of these models stream them.
RATE_HZ: Final = 24_000

_VOICE_NAMES: Final = """
    Achernar Achird Algenib Algieba Alnilam Aoede Autonoe Callirrhoe Charon Despina Enceladus
    Erinome Fenrir Gacrux Iapetus Kore Laomedeia Leda Orus Puck Pulcherrima Rasalgethi Sadachbia
    Sadaltager Schedar Sulafat Umbriel Vindemiatrix Zephyr Zubenelgenubi
"""
#: All that the service had in November 2026; it takes their names in any case. A newer one can be
#: set as the default.
VOICES: Final = frozenset(_VOICE_NAMES.split())

#: The quota shares out by dolls; lines belong to none.
_NO_DOLL: Final = "fixed lines"

#: A whole line is made before its first sound comes.
_DEADLINES: Final = Deadlines(first_s=20.0, gap_s=10.0, total_s=60.0)


class GeminiTextToSpeech:
    """A TextToSpeech by one of Google's voices."""

    def __init__(
        self,
        server: GeminiServer,
        quota: Quota,
        model: str,
        voice: str,
        *,
        style: str = "",
        wait_s: float = 0.0,
        deadlines: Deadlines | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`style` says how to speak, apart from the text (Gemini 3.8 and later).

        `wait_s` is how long a clause may wait for its allowance. `server` and `quota` are closed
        with this. `clock` gives Unix time.
        """
        self._server = server
        self._quota = quota
        self._model = model
        self._voice = voice
        self._style = style
        self._wait_s = wait_s
        self._clock = clock
        self._remote = RemoteVoice(f"Gemini ({model})", RATE_HZ, deadlines or _DEADLINES)

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return RATE_HZ

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. One request; RATE or QUOTA where there is no allowance.

        A voice that is not one of `VOICES` is never asked for: there are ten requests a day.
        """
        text = self._remote.speakable(text, language)
        if not text:
            return
        if not self.knows(voice):
            self._remote.unknown.missed(voice)
            voice = ""
        voice = voice.title() if voice and voice != self._voice else self._voice
        tokens = estimate("", (Message("user", text),), schema=False)
        async with self._quota.place(
            self._model, doll=_NO_DOLL, tokens=tokens, priority=Priority.BACKGROUND
        ) as place:
            self._admit(place.admission)
            try:
                await place.granted()
            except OverError as over:
                raise self._not_today(over.until) from None
            except SupersededError:
                raise ProviderError(
                    ErrorKind.RATE, f"{self._remote.service}: another line goes first."
                ) from None
            samples = self._samples(text, voice)
            try:
                async with aclosing(self._remote.clause(samples, text, voice)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except ProviderError as error:
                await self._tell(error)
                raise
        await self._quota.answered(self._model)

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`."""
        return not voice or voice == self._voice or voice.title() in VOICES

    def _admit(self, admission: Admission) -> None:
        """Raises ProviderError where it would take too long."""
        if isinstance(admission, NotToday):
            raise self._not_today(admission.until)
        if isinstance(admission, Later) and admission.seconds > self._wait_s:
            raise ProviderError(
                ErrorKind.RATE,
                f"{self._remote.service} may be asked again in {admission.seconds:.0f} s.",
                retry_after_s=admission.seconds,
            )

    def _not_today(self, until: float | None) -> ProviderError:
        return ProviderError(
            ErrorKind.QUOTA,
            f"{self._remote.service}: the allowance is used up.",
            retry_after_s=None if until is None else max(0.0, until - self._clock()),
        )

    async def _tell(self, error: ProviderError) -> None:
        """Let the quota learn from a failure."""
        if isinstance(error, OverLimitError):
            await self._quota.refused(self._model, error.refusal)
        elif isinstance(error, ModelGoneError):
            await self._quota.retired(self._model)
        elif error.kind in (ErrorKind.SERVER, ErrorKind.NETWORK):
            await self._quota.failed(self._model)

    async def _samples(self, text: str, voice: str) -> AsyncGenerator[bytes, None]:
        failure: ProviderError | None = None
        stream: SampleStream | None = None
        try:
            chunks = await self._server.client.models.generate_content_stream(
                model=self._model, contents=[self._content(text)], config=_config(voice)
            )
            async for chunk in chunks:
                for blob in _sound(chunk):
                    if stream is None:
                        stream = SampleStream(decoder_for(blob.mime_type or "", RATE_HZ), RATE_HZ)
                    yield stream.push(blob.data or b"")
                if refused := _refused(chunk):
                    failure = ProviderError(
                        ErrorKind.BLOCKED, f"{self._remote.service} refused the line: {refused}."
                    )
            if stream is not None:
                yield stream.flush()
        except FormatError as error:
            failure = ProviderError(
                ErrorKind.SERVER, f"{self._remote.service} answered what cannot be played: {error}."
            )
        except FAILURES as error:
            failure = self._server.translate(error, self._model)
        # Outside of the handler: the SDK's error holds the request, and with it the key.
        if failure is not None:
            raise failure

    def _content(self, text: str) -> types.Content:
        style = types.SpeechMetadata(style=self._style) if self._style else None
        return types.Content(role="user", parts=[types.Part(text=text, speech_metadata=style)])

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self._remote.close()
        await self._server.close()
        await self._quota.close()


def _config(voice: str) -> types.GenerateContentConfig:
    prebuilt = types.PrebuiltVoiceConfig(voice_name=voice)
    return types.GenerateContentConfig(
        response_modalities=["AUDIO"],
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(prebuilt_voice_config=prebuilt)
        ),
    )


def _sound(chunk: types.GenerateContentResponse) -> list[types.Blob]:
    return [
        part.inline_data
        for candidate in (chunk.candidates or ())[:1]
        for part in (candidate.content.parts if candidate.content else None) or ()
        if part.inline_data is not None
    ]


def _refused(chunk: types.GenerateContentResponse) -> str:
    """Why the prompt or the answer was blocked; empty if neither was."""
    feedback = chunk.prompt_feedback
    if feedback is not None and feedback.block_reason:
        return str(feedback.block_reason.value)
    for candidate in (chunk.candidates or ())[:1]:
        if candidate.finish_reason and candidate.finish_reason.value in BLOCKED:
            return str(candidate.finish_reason.value)
    return ""
