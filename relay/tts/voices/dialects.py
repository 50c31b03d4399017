"""What each kind of voice server wants to be asked. Sans-I/O: requests out, answers in.

A server keeps samples (it is then sent a sample once, under a key that tells the recording and
nobody's name), or takes one with every clause, or reads it from a folder of its own.
"""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from relay.tts.voices.settings import OwnVoiceSettings, ServerKind
from relay.tts.voices.shelf import SAMPLE
from relay.tts.voices.voice import OwnVoice, VoiceError

#: What Qwen3-TTS calls its languages; any other is "Auto".
QWEN_LANGUAGES: Final = {
    "zh": "Chinese",
    "en": "English",
    "ja": "Japanese",
    "ko": "Korean",
    "de": "German",
    "fr": "French",
    "ru": "Russian",
    "pt": "Portuguese",
    "es": "Spanish",
    "it": "Italian",
}

#: What Chatterbox's multilingual model speaks.
CHATTERBOX_LANGUAGES: Final = (
    "ar", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "it", "ja",
    "ko", "ms", "nl", "no", "pl", "pt", "ru", "sv", "sw", "tr", "zh",
)  # fmt: skip

#: The length of a sample that GPT-SoVITS takes; it refuses any other with every clause.
SOVITS_S: Final = (3.0, 10.0)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `path` goes behind the server's address."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None  #: the form's field, and a WAV file for it


class Dialect(ABC):
    """One kind of server."""

    inline: ClassVar = False  #: whether `speak` needs the sample

    def __init__(self, settings: OwnVoiceSettings) -> None:
        self._settings = settings

    @abstractmethod
    def speak(self, voice: OwnVoice, sample: bytes, text: str, language: str) -> Ask:
        """Have a clause spoken; the answer is WAV, or raw samples that tell their rate.

        `sample` is a WAV file, empty unless the dialect is `inline`.
        """

    def _body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The owner's own fields go before ours."""
        return {**fields, **self._settings.extra_body}

    def _openai(self, text: str) -> dict[str, Any]:
        model = {"model": self._settings.model} if self._settings.model else {}
        return {**model, "input": text, "response_format": "wav"}


class Keeping(Dialect):
    """A server that keeps samples."""

    def key(self, voice: OwnVoice, language: str) -> str:  # noqa: ARG002
        """What the server calls the voice for a clause in this language."""
        return voice.key

    def keys(self, voice: OwnVoice) -> list[str]:
        """All that it may call the voice."""
        return [voice.key]

    @abstractmethod
    def look(self, key: str) -> Ask:
        """Ask whether the voice is there."""

    def found(self, status: int, body: bytes, key: str) -> bool:  # noqa: ARG002
        """What the answer to `look` says."""
        return status == 200

    @abstractmethod
    def register(self, voice: OwnVoice, sample: bytes, language: str) -> Ask:
        """Leave the sample there, a WAV file."""

    @abstractmethod
    def forget(self, key: str) -> Ask:
        """Have it deleted."""


class DollServer(Keeping):
    """`doll voice serve`, and whatever keeps the contract of docs/voice-server.md."""

    def look(self, key: str) -> Ask:
        return Ask("GET", f"/v1/voices/{key}")

    def register(self, voice: OwnVoice, sample: bytes, language: str) -> Ask:  # noqa: ARG002
        body = {"sample": _base64(sample), "text": voice.text, "language": voice.language}
        return Ask("PUT", f"/v1/voices/{voice.key}", json=body)

    def forget(self, key: str) -> Ask:
        return Ask("DELETE", f"/v1/voices/{key}")

    def speak(self, voice: OwnVoice, sample: bytes, text: str, language: str) -> Ask:  # noqa: ARG002
        fields = {"voice": voice.key, "text": text, "language": language}
        return Ask("POST", "/v1/speech", json=self._body(fields))


class OpenAIReference(Dialect):
    """OpenAI's `/audio/speech` with the sample in each request, as vLLM-Omni takes it."""

    inline = True

    def speak(self, voice: OwnVoice, sample: bytes, text: str, language: str) -> Ask:
        fields: dict[str, Any] = {
            **self._openai(text),
            "language": QWEN_LANGUAGES.get(language, "Auto"),
            "stream_format": "audio",
            self._settings.audio_field: "data:audio/wav;base64," + _base64(sample),
        }
        if voice.text:
            fields[self._settings.text_field] = voice.text
        else:
            fields["x_vector_only_mode"] = True
        return Ask("POST", "/audio/speech", json=self._body(fields))


class VllmOmni(Keeping):
    """vLLM-Omni with the sample uploaded: `/audio/voices`, then `voice` by its name."""

    def look(self, key: str) -> Ask:  # noqa: ARG002
        return Ask("GET", "/audio/voices")

    def found(self, status: int, body: bytes, key: str) -> bool:
        try:
            uploaded = json.loads(body).get("uploaded_voices", ())
            return status == 200 and key in [entry["name"] for entry in uploaded]
        except (ValueError, AttributeError, TypeError, KeyError):
            return False

    def register(self, voice: OwnVoice, sample: bytes, language: str) -> Ask:  # noqa: ARG002
        # It insists on `consent`, an id; whose voice it is stays here.
        form = {"name": voice.key, "consent": voice.key}
        if voice.text:
            form["ref_text"] = voice.text
        return Ask("POST", "/audio/voices", form=form, file=("audio_sample", sample))

    def forget(self, key: str) -> Ask:
        return Ask("DELETE", f"/audio/voices/{key}")

    def speak(self, voice: OwnVoice, sample: bytes, text: str, language: str) -> Ask:  # noqa: ARG002
        fields = {
            **self._openai(text),
            "voice": voice.key,
            "language": QWEN_LANGUAGES.get(language, "Auto"),
            "stream_format": "audio",
        }
        return Ask("POST", "/audio/speech", json=self._body(fields))


class ChatterboxApi(Keeping):
    """chatterbox-tts-api: a library of voices, each of which speaks one language."""

    def key(self, voice: OwnVoice, language: str) -> str:
        return f"{voice.key}-{language}"

    def keys(self, voice: OwnVoice) -> list[str]:
        # Each of its versions tells in another way which of them are there.
        return [self.key(voice, language) for language in CHATTERBOX_LANGUAGES]

    def look(self, key: str) -> Ask:
        return Ask("GET", f"/voices/{key}")

    def register(self, voice: OwnVoice, sample: bytes, language: str) -> Ask:
        form = {"voice_name": self.key(voice, language), "language": language}
        return Ask("POST", "/voices", form=form, file=("voice_file", sample))

    def forget(self, key: str) -> Ask:
        return Ask("DELETE", f"/voices/{key}")

    def speak(self, voice: OwnVoice, sample: bytes, text: str, language: str) -> Ask:  # noqa: ARG002
        fields = {**self._openai(text), "voice": self.key(voice, language)}
        return Ask("POST", "/audio/speech", json=self._body(fields))


class GptSovits(Dialect):
    """GPT-SoVITS's `api_v2.py`: it reads the sample from a path of its own machine."""

    def speak(self, voice: OwnVoice, sample: bytes, text: str, language: str) -> Ask:  # noqa: ARG002
        fields = {
            "text": text,
            "text_lang": language,
            "ref_audio_path": f"{self._settings.samples.rstrip('/')}/{voice.name}/{SAMPLE}",
            "prompt_text": voice.text,
            "prompt_lang": voice.language,
            "text_split_method": "cut0",  # a clause is short, and its first sound urgent
            "media_type": "wav",  # the raw form does not tell its rate
            "streaming_mode": True,
        }
        return Ask("POST", "/tts", json=self._body(fields))


DIALECTS: Final[Mapping[ServerKind, type[Dialect]]] = {
    "doll": DollServer,
    "reference": OpenAIReference,
    "vllm-omni": VllmOmni,
    "chatterbox-api": ChatterboxApi,
    "gpt-sovits": GptSovits,
}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def check_fits(voice: OwnVoice, settings: OwnVoiceSettings) -> None:
    """Raises VoiceError for a sample that the server of the settings would refuse each time."""
    if settings.server == "gpt-sovits" and not SOVITS_S[0] <= voice.seconds <= SOVITS_S[1]:
        raise VoiceError(
            f"GPT-SoVITS takes samples of {SOVITS_S[0]:.0f} to {SOVITS_S[1]:.0f} seconds, and that "
            f"of {voice.name!r} has {voice.seconds:.1f}; record one or two sentences for it"
        )
