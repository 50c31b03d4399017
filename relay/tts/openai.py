"""Text to speech by any server with OpenAI's `/audio/speech`: Kokoro-FastAPI, speaches, Groq …"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Final, Literal

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.openai_server import FAILURES, OpenAIServer
from relay.streaming import Deadlines
from relay.tts.formats import FormatError, decoder_for
from relay.tts.remote import RemoteVoice, SampleStream

#: What OpenAI's own `pcm` has, and the servers that follow it.
RATE_HZ: Final = 24_000

Form = Literal["pcm", "wav"]
"""`pcm` begins soonest; `wav` is for servers that know no other, or whose rate is not known."""


class OpenAITextToSpeech:
    """A TextToSpeech behind a network. Shared by all dolls."""

    def __init__(
        self,
        base_url: str,
        model: str,
        voice: str,
        *,
        voices: Mapping[str, str] | None = None,
        key: str = "",
        form: Form = "pcm",
        rate_hz: int = RATE_HZ,
        speed: float | None = None,
        instructions: str = "",
        language_field: str = "",
        extra: Mapping[str, object] | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        """`base_url` ends where `/audio/speech` begins, as in `http://localhost:8880/v1`.

        `voices` has the languages (ISO 639-1) that another voice than `voice` speaks. `rate_hz` is
        that of the server's `pcm`, and what is given out in any form. `speed`, `instructions` and
        `extra` (fields of the server's own) are sent where they are set; `language_field` is the
        field in which this server takes the language.
        """
        self._model = model
        self._voice = voice
        self._voices = dict(voices or {})
        self._server = OpenAIServer(base_url, model, key)
        self._form = form
        self._language_field = language_field
        self._set: dict[str, object] = {} if speed is None else {"speed": speed}
        if instructions:
            self._set["instructions"] = instructions
        self._extra = dict(extra or {})
        self._remote = RemoteVoice(self._server.name, rate_hz, deadlines)

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return self._remote.rate_hz

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. One request a clause.

        `voice` speaks all languages. One more request where the server refuses it, and then none
        for a while.
        """
        text = self._remote.speakable(text, language)
        if not text:
            return
        default = self._voices.get(language, self._voice)
        request = partial(self._samples, text, language)
        async with aclosing(self._remote.clause_by(request, text, voice, default)) as chunks:
            async for chunk in chunks:
                yield chunk

    def voices(self) -> list[str]:
        """Those of the settings; what else the server has is not asked for."""
        return [self._voice, *self._voices.values()]

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`. True until the server has refused it."""
        return voice not in self._remote.unknown

    async def _samples(self, text: str, language: str, voice: str) -> AsyncGenerator[bytes, None]:
        question = {
            "model": self._model,
            "voice": voice,
            "input": text,
            "response_format": self._form,
            **self._set,
            **({self._language_field: language} if self._language_field else {}),
            **self._extra,
        }
        failure: ProviderError | None = None
        try:
            async with self._server.ask("/audio/speech", json=question) as response:
                kind = response.headers.get("content-type", "")
                stream = SampleStream(decoder_for(kind, self.rate_hz), self.rate_hz)
                async for data in response.aiter_bytes():
                    yield stream.push(data)
                yield stream.flush()
        except FormatError as error:
            failure = ProviderError(
                ErrorKind.SERVER,
                f"{self._server.name} answered what cannot be played: {error}. "
                "Set tts.openai.format to what the server knows of pcm and wav.",
            )
        except FAILURES as error:
            failure = self._server.translate(error)
        # Outside of the handler: the client's error holds the request, and with it the key.
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self._remote.close()
        await self._server.close()
