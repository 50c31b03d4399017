"""A voice server: samples left there once, clauses spoken, voices deleted. The asyncio shell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2

from relay.errors import ErrorKind, ProviderError
from relay.tts.formats import FormatError, decoder_for
from relay.tts.remote import SampleStream
from relay.tts.voices.dialects import DIALECTS, Ask, Keeping
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import OwnVoice, VoiceError

#: What is read of an answer that is no speech.
MAX_ANSWER_BYTES: Final = 1 << 20
MAX_MESSAGE_CHARS: Final = 200

#: To ask whether a voice is there, and to have one deleted.
QUESTION_S: Final = 10.0

_FAILURES: Final = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)


class VoiceServer:
    """The server of the settings. Shared by all dolls."""

    def __init__(self, settings: OwnVoiceSettings, shelf: VoiceShelf) -> None:
        self._dialect = DIALECTS[settings.server](settings)
        self._settings = settings
        self._shelf = shelf
        self._base_url = settings.base_url.rstrip("/")
        key = settings.api_key.get_secret_value().strip() if settings.api_key else ""
        self._key = key
        # No time-outs of its own (see relay.streaming), and no proxy or .netrc of whoever
        # started the relay: a voice goes to the server of the settings and nowhere else.
        self._http = httpx2.AsyncClient(
            timeout=None,
            trust_env=False,
            headers={"authorization": f"Bearer {key}"} if key else {},
        )
        self.name = f"{settings.server} at {httpx2.URL(self._base_url).host}"
        self._there: set[str] = set()
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._samples: dict[str, bytes] = {}  # one, where each request takes it

    async def samples(
        self, voice: OwnVoice, text: str, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """Stream one clause: 16-bit samples of this machine at `rate_hz`.

        The sample is left at the server before, if it is not there (any more). Raises
        ProviderError.
        """
        known = self._is_there(voice, language)
        for attempt in (1, 2):
            await self.register(voice, language)
            ask = self._dialect.speak(voice, await self._inline(voice), text, language)
            try:
                async with self._answer(ask) as response:
                    kind = response.headers.get("content-type", "")
                    stream = SampleStream(decoder_for(kind, rate_hz), rate_hz)
                    async for data in response.aiter_bytes():
                        yield stream.push(data)
                    yield stream.flush()
                    return
            except FormatError as error:
                raise ProviderError(
                    ErrorKind.SERVER, f"{self.name} answered what cannot be played: {error}."
                ) from None
            except ProviderError as error:
                # A server that was started anew has forgotten the voice. It says so before any
                # sound, so nothing was heard yet.
                if not known or attempt == 2 or error.kind is not ErrorKind.BAD_REQUEST:
                    raise
                self._forgotten(voice)

    async def register(self, voice: OwnVoice, language: str) -> None:
        """Leave the sample at the server, once, if it is one that keeps samples.

        It goes on when whoever waits for it is cancelled: an engine may take longer over a sample
        than a doll waits, and the next clause finds it there. Raises ProviderError.
        """
        if not isinstance(self._dialect, Keeping) or self._is_there(voice, language):
            return
        key = self._dialect.key(voice, language)
        task = self._leaving.get(key)
        if task is None:
            task = asyncio.create_task(self._leave(self._dialect, voice, key, language))
            self._leaving[key] = task
            task.add_done_callback(lambda done: self._left(key, done))
        await asyncio.shield(task)

    async def _leave(self, dialect: Keeping, voice: OwnVoice, key: str, language: str) -> None:
        status, body = await self._asked(dialect.look(key), QUESTION_S)
        if not dialect.found(status, body, key):
            ask = dialect.register(voice, await self._read(voice), language)
            status, body = await self._asked(ask, self._settings.register_s)
            if not 200 <= status < 300:
                raise self._refused(ask, status, body)
        self._there.add(key)

    def _left(self, key: str, task: asyncio.Task[None]) -> None:
        del self._leaving[key]
        if not task.cancelled():
            task.exception()  # seen: who waited has it, and nobody may have waited

    async def forget(self, voice: OwnVoice) -> bool:
        """Have the sample and all that was made of it deleted; False if nothing was there.

        Raises ProviderError.
        """
        self._samples.clear()
        if not isinstance(self._dialect, Keeping):
            return False
        deleted = False
        for key in self._dialect.keys(voice):
            ask = self._dialect.forget(key)
            status, body = await self._asked(ask, QUESTION_S)
            if 200 <= status < 300:
                deleted = True
            elif status != 404:
                raise self._refused(ask, status, body)
            self._there.discard(key)
        return deleted

    @property
    def keeps(self) -> bool:
        """Whether the server keeps samples, so that there is something to forget."""
        return isinstance(self._dialect, Keeping)

    async def close(self) -> None:
        """Close the connections. May be called again."""
        self._samples.clear()
        leaving = list(self._leaving.values())
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await self._http.aclose()

    def _is_there(self, voice: OwnVoice, language: str) -> bool:
        dialect = self._dialect
        return isinstance(dialect, Keeping) and dialect.key(voice, language) in self._there

    def _forgotten(self, voice: OwnVoice) -> None:
        if isinstance(self._dialect, Keeping):
            self._there.difference_update(self._dialect.keys(voice))

    async def _inline(self, voice: OwnVoice) -> bytes:
        if not self._dialect.inline:
            return b""
        if voice.key not in self._samples:
            sample = await self._read(voice)
            self._samples = {voice.key: sample}
        return self._samples[voice.key]

    async def _read(self, voice: OwnVoice) -> bytes:
        try:
            return await asyncio.to_thread(self._shelf.sample, voice)
        except VoiceError as error:
            raise ProviderError(ErrorKind.SERVER, f"{error}.") from None

    async def _asked(self, ask: Ask, patience_s: float) -> tuple[int, bytes]:
        """One short answer, whatever its status. Raises ProviderError (NETWORK, AUTH, SERVER)."""
        body = bytearray()
        try:
            async with asyncio.timeout(patience_s), self._sent(ask) as response:
                async for data in response.aiter_bytes():
                    body += data
                    if len(body) > MAX_ANSWER_BYTES:
                        raise ProviderError(
                            ErrorKind.SERVER, f"{self.name} answered without end to {ask.path}."
                        )
        except TimeoutError:
            raise ProviderError(
                ErrorKind.NETWORK, f"{self.name} was too slow to answer {ask.method} {ask.path}."
            ) from None
        if response.status_code in (401, 403) or response.status_code >= 500:
            raise self._refused(ask, response.status_code, bytes(body))
        return response.status_code, bytes(body)

    @asynccontextmanager
    async def _answer(self, ask: Ask) -> AsyncIterator[httpx2.Response]:
        """The answer to a clause, if it was not refused. Raises ProviderError."""
        async with self._sent(ask) as response:
            if response.status_code != 200:
                body = bytearray()
                async for data in response.aiter_bytes():
                    body += data
                    if len(body) > MAX_ANSWER_BYTES:
                        break
                retry_after = response.headers.get("retry-after", "")
                raise self._refused(ask, response.status_code, bytes(body), retry_after)
            yield response

    @asynccontextmanager
    async def _sent(self, ask: Ask) -> AsyncIterator[httpx2.Response]:
        content: dict[str, Any] = {}
        if ask.file is not None:
            field, sample = ask.file
            content = {"data": ask.form, "files": {field: ("sample.wav", sample, "audio/wav")}}
        elif ask.json is not None:
            content = {"json": ask.json}
        failure: ProviderError | None = None
        try:
            async with self._http.stream(
                ask.method, self._base_url + ask.path, **content
            ) as response:
                yield response
        except _FAILURES as error:
            failure = ProviderError(
                ErrorKind.NETWORK,
                f"{self.name} was not reached or was cut off: {type(error).__name__}.",
            )
        # Outside of the handler: the error holds the request, and with it the key and the sample.
        if failure is not None:
            raise failure

    def _refused(self, ask: Ask, status: int, body: bytes, retry_after: str = "") -> ProviderError:
        said = body.decode("utf-8", "replace")
        for secret in (self._key, *_told(ask)):
            said = said.replace(secret, "[…]") if secret else said
        said = " ".join(said.split())[:MAX_MESSAGE_CHARS]
        retry_after_s = float(retry_after) if retry_after.isdecimal() else None
        return ProviderError(
            _kind(status), f"{self.name} said {status}: {said}", retry_after_s=retry_after_s
        )


def _told(ask: Ask) -> list[str]:
    """What a request says: servers repeat it in their errors, and it is nothing for the log."""
    fields = [*(ask.json or {}).items(), *ask.form.items()]
    texts = [
        value
        for name, value in fields
        if isinstance(value, str) and len(value) > 1 and "lang" not in name
    ]
    escaped = [json.dumps(text)[1:-1] for text in texts]
    return sorted({*texts, *escaped}, key=len, reverse=True)


def _kind(status: int) -> ErrorKind:
    if status == 429:
        return ErrorKind.RATE
    if status in (401, 403):
        return ErrorKind.AUTH
    if status == 402:
        return ErrorKind.QUOTA
    return ErrorKind.BAD_REQUEST if 400 <= status < 500 else ErrorKind.SERVER
