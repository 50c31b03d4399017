"""Text to speech with the voices of Microsoft's Edge browser, by the package edge-tts.

Good Korean with no key; but what it talks to is no offered service: it has changed before, and it
asks for a new connection with each clause. A fallback belongs behind it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Final

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.extras import MissingExtraError
from relay.streaming import Deadlines
from relay.tts.formats import FormatError
from relay.tts.mp3 import Mp3Decoder
from relay.tts.remote import RemoteVoice, SampleStream

try:
    import aiohttp
    import edge_tts
    from edge_tts.exceptions import EdgeTTSException, NoAudioReceived
except ImportError as error:
    raise MissingExtraError("Edge", "edge", error) from None

#: What the service sends is 24 kHz, always.
RATE_HZ: Final = 24_000

#: What a request may end in. ValueError: an answer that the package cannot read.
_FAILURES: Final = (EdgeTTSException, aiohttp.ClientError, OSError, ValueError, KeyError)


class EdgeTextToSpeech:
    """A TextToSpeech by Microsoft's voices. Shared by all dolls."""

    def __init__(
        self,
        voices: Mapping[str, str],
        *,
        rate: str = "+0%",
        pitch: str = "+0Hz",
        deadlines: Deadlines | None = None,
    ) -> None:
        """`voices` are by language: `{"ko": "ko-KR-SunHiNeural"}`. `rate` and `pitch` are changes.

        Raises ProviderError (BAD_REQUEST) for what the service would not take.
        """
        self._voices = dict(voices)
        self._rate = rate
        self._pitch = pitch
        self._remote = RemoteVoice("Edge TTS", RATE_HZ, deadlines)
        for voice in self._voices.values():
            if not self._is_voice(voice):
                raise ProviderError(
                    ErrorKind.BAD_REQUEST,
                    f"tts.edge: {voice!r} is no voice; edge-tts --list-voices shows all.",
                )

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return RATE_HZ

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. One connection a clause.

        `voice` speaks the language in its name, ko-KR-InJoonNeural Korean; others have theirs. One
        more connection where the service has no such voice, and then none for a while.
        """
        text = self._remote.speakable(text, language)
        default = self._voices.get(language, "")
        if voice and not self._is_voice(voice):
            self._remote.unknown.missed(voice)
            voice = ""
        elif voice.partition("-")[0] != language:
            voice = ""
        elif not default:
            default = voice
        if not default:
            raise ProviderError(
                ErrorKind.BAD_REQUEST, f"tts.edge.voices has no voice for {language!r}."
            )
        if not text:
            return
        request = partial(self._samples, text, default=default)
        async with aclosing(self._remote.clause_by(request, text, voice, default)) as chunks:
            async for chunk in chunks:
                yield chunk

    def voices(self) -> list[str]:
        """Those of the settings; the service has some hundred more."""
        return list(self._voices.values())

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`. True for what may be one until the service has refused it."""
        return not voice or (voice not in self._remote.unknown and self._is_voice(voice))

    def _is_voice(self, voice: str) -> bool:
        """Whether it is the name of one, by its form."""
        try:
            self._request("", voice, None)
        except ValueError:
            return False
        return True

    async def _samples(self, text: str, voice: str, *, default: str) -> AsyncGenerator[bytes, None]:
        connector = _Connector()
        request = self._request(text, voice, connector)
        stream = SampleStream(Mp3Decoder(), RATE_HZ)
        received = 0
        failure: ProviderError | None = None
        try:
            async with aclosing(request.stream()) as messages:
                async for message in messages:
                    if message["type"] == "audio":
                        received += len(message["data"])
                        yield stream.push(message["data"])
            # The package takes a lost connection for the end, but it counts only what was ended.
            if request.state["cumulative_audio_bytes"] != received:
                raise ConnectionResetError("the connection was lost before the end")
            yield stream.flush()
        except FormatError as error:
            failure = ProviderError(
                ErrorKind.SERVER, f"Edge TTS answered what cannot be played: {error}."
            )
        except NoAudioReceived as error:
            failure = _translate(error)
            if voice != default:  # no more than this is said about a voice that is not there
                failure = ProviderError(ErrorKind.BAD_REQUEST, f"Edge TTS has no voice {voice!r}.")
        except _FAILURES as error:
            failure = _translate(error)
        finally:
            await connector.hang_up()
        if failure is not None:
            raise failure

    def _request(
        self, text: str, voice: str, connector: aiohttp.BaseConnector | None
    ) -> edge_tts.Communicate:
        return edge_tts.Communicate(
            text, voice, rate=self._rate, pitch=self._pitch, connector=connector
        )

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self._remote.close()


class _Connector(aiohttp.TCPConnector):
    """The connections of one clause, closed by us.

    The package opens a session for each request, and a session closes its connector; but where the
    service dislikes the clock of this machine, the package corrects it and asks once more.
    """

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Stay open."""

    async def hang_up(self) -> None:
        """Close all sockets at once."""
        await super().close(abort_ssl=True)


def _translate(error: Exception) -> ProviderError:
    if isinstance(error, aiohttp.ClientResponseError):
        kind = ErrorKind.RATE if error.status == 429 else ErrorKind.SERVER
        advice = " (a newer edge-tts may know why)" if error.status in (401, 403) else ""
        return ProviderError(kind, f"Edge TTS said {error.status}{advice}.")
    if isinstance(error, aiohttp.ClientError | OSError | edge_tts.exceptions.WebSocketError):
        return ProviderError(
            ErrorKind.NETWORK, f"Edge TTS was not reached or was cut off: {type(error).__name__}."
        )
    return ProviderError(
        ErrorKind.SERVER, f"Edge TTS answered what edge-tts cannot read: {type(error).__name__}."
    )
