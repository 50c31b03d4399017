"""Speech to text by any server with OpenAI's `/audio/transcriptions`: speaches, Groq, OpenAI …"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

import msgspec
import structlog

from relay import wav
from relay.audio import RATE_HZ, Pcm, duration_s
from relay.errors import ErrorKind, ProviderError
from relay.languages import code_of, is_code, written_in
from relay.openai_server import FAILURES, OpenAIServer
from relay.stt.base import Transcript
from relay.stt.noise import Hearing, holds_no_word, is_made_up

#: More of an utterance than this is not sent: 1.9 MB, and nobody talks to a doll for so long.
LONGEST_S: Final = 60.0

#: An answer is read no further. The verbose form of a minute of speech takes some 30 kB.
MAX_ANSWER_BYTES: Final = 1 << 19

#: Fast speech has ten characters a second; a longer text is a recogniser that repeats itself.
MAX_TEXT_CHARS: Final = 1_200

#: What is taken for the probabilities of a server that tells none: speech, and nothing is sure.
_NO_SPEECH_UNTOLD: Final = 0.0
_LOG_PROBABILITY_UNTOLD: Final = -1.0

ResponseFormat = Literal["auto", "json", "verbose_json"]
"""`verbose_json` tells the language and how sure the model is; `auto` uses it where it is known."""

_log = structlog.get_logger(__name__)


class _Segment(msgspec.Struct):
    text: str = ""
    no_speech_prob: float | None = None
    avg_logprob: float | None = None


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    segments: list[_Segment] | None = None


class OpenAISpeechToText:
    """A SpeechToText behind a network. Shared by all dolls; nothing is kept between requests."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key: str = "",
        timeout_s: float = 8.0,
        response_format: ResponseFormat = "auto",
        detect: str = "",
        prompt: str = "",
    ) -> None:
        """`base_url` ends where `/audio/transcriptions` begins, as in `http://localhost:8000/v1`.

        `timeout_s` is from sending the utterance to the whole text. `detect` is sent as the
        language where several are possible; most servers detect when none is sent. `prompt` gives
        the model names to expect.
        """
        self._model = model
        self._server = OpenAIServer(base_url, model, key)
        self._timeout_s = timeout_s
        # OpenAI's own models after Whisper answer in the short form only.
        plain = response_format == "auto" and model.startswith("gpt-")
        self._verbose = response_format == "verbose_json" or not (
            plain or response_format == "json"
        )
        self._learns = response_format == "auto"
        self._detect = detect
        self._prompt = prompt
        self._closed = False

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        """See `SpeechToText.transcribe`. Only the first 60 s of an utterance are sent.

        One request; one more where the server heard a language that was not asked for, and once
        where it turns out not to know the verbose form.
        """
        if self._closed:
            raise ProviderError(ErrorKind.SERVER, "Speech recognition is closed.")
        asked = [language for language in languages if is_code(language)]
        if not asked:
            raise ProviderError(
                ErrorKind.BAD_REQUEST,
                f"None of {list(languages)!r} is a language; give ISO 639-1 codes.",
            )
        if holds_no_word(utterance):
            return Transcript("", asked[0])
        if duration_s(utterance) > LONGEST_S:
            _log.warning("utterance cut", seconds=round(duration_s(utterance)), heard=LONGEST_S)
            utterance = utterance[: round(LONGEST_S * RATE_HZ)]
        file = wav.encode(utterance, RATE_HZ)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._hear(file, asked)
        except TimeoutError:
            pass
        raise ProviderError(
            ErrorKind.NETWORK,
            f"{self._server.name} was too slow: no text in {self._timeout_s:g} s.",
        )

    async def _hear(self, file: bytes, asked: list[str]) -> Transcript:
        answer = await self._ask(file, asked)
        heard = code_of(answer.language or "")
        if len(asked) > 1 and heard and heard not in asked and _text(answer, heard):
            # Accented or childlike Korean passes for Japanese: hold it to what was expected.
            _log.info("a language that was not expected", heard=heard, expected=asked[0])
            asked = asked[:1]
            answer = await self._ask(file, asked)
        text = _text(answer, asked[0])
        if len(asked) == 1:
            return Transcript(text, asked[0])
        return Transcript(text, heard if heard in asked else written_in(text, asked))

    async def _ask(self, file: bytes, asked: list[str]) -> _Answer:
        try:
            return await self._send(file, asked, verbose=self._verbose)
        except ProviderError as error:
            if not (self._learns and self._verbose and error.kind is ErrorKind.BAD_REQUEST):
                raise
        answer = await self._send(file, asked, verbose=False)
        self._verbose = False  # that was it; had it been something else, this had failed too
        _log.info("no verbose answers from this server", stt=self._server.name)
        return answer

    async def _send(self, file: bytes, asked: list[str], *, verbose: bool) -> _Answer:
        form: dict[str, str | list[str]] = {
            "model": self._model,
            "response_format": "verbose_json" if verbose else "json",
        }
        if language := asked[0] if len(asked) == 1 else self._detect:
            form["language"] = language
        if len(asked) > 1 and self._model.startswith("gpt-transcribe"):
            form["languages[]"] = asked
        if self._prompt:
            form["prompt"] = self._prompt
        upload = ("speech.wav", file, "audio/wav")
        try:
            async with self._server.ask(
                "/audio/transcriptions", form=form, file=upload
            ) as response:
                body = await _body(response.aiter_bytes())
            return msgspec.json.decode(body, type=_Answer, strict=False)
        except msgspec.DecodeError:
            failure = ProviderError(
                ErrorKind.SERVER, f"{self._server.name} answered what is no transcription."
            )
        except FAILURES as error:
            failure = self._server.translate(error)
        # Outside of the handler: the client's error holds the request, and with it the key.
        raise failure

    async def close(self) -> None:
        """See `SpeechToText.close`."""
        self._closed = True
        await self._server.close()


async def _body(pieces: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError("the answer has no end")
    return bytes(body)


def _text(answer: _Answer, language: str) -> str:
    """What was said, without what a Whisper makes up over noise and at the end of speech."""
    segments = [segment for segment in answer.segments or () if segment.text.strip()]
    said = "".join(
        segment.text
        for segment in segments or [_Segment(answer.text)]
        if not is_made_up(_hearing(segment, language))
    )
    return said.strip()[:MAX_TEXT_CHARS]


def _hearing(segment: _Segment, language: str) -> Hearing:
    no_speech, sure = segment.no_speech_prob, segment.avg_logprob
    return Hearing(
        segment.text,
        language,
        _NO_SPEECH_UNTOLD if no_speech is None else no_speech,
        _LOG_PROBABILITY_UNTOLD if sure is None else sure,
    )
