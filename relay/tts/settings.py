"""Which voice speaks, and how it is set: the sections `tts`, `tts.openai`, `tts.edge` and so on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from relay.languages import is_code
from relay.stt.settings import web_address
from relay.tts.voices.settings import OwnVoiceSettings

Voice = Literal["kokoro", "openai", "edge"]

#: Of the voices that Edge has, one for each language of ours; `edge-tts --list-voices` shows all.
EDGE_VOICES = {"ko": "ko-KR-SunHiNeural", "en": "en-US-AnaNeural"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _by_language(value: dict[str, str]) -> dict[str, str]:
    if not all(is_code(language) and voice for language, voice in value.items()):
        raise ValueError('must be voices by language, such as { ko = "…", en = "…" }')
    return value


class OpenAITtsSettings(_Section):
    """Any server with OpenAI's speech: Kokoro-FastAPI, speaches, chatterbox, Groq, OpenAI …"""

    base_url: str = ""  #: ends where `/audio/speech` begins: `http://gpu-box:8880/v1`
    model: str = ""
    voice: str = ""
    voices: dict[str, str] = {}  #: languages that another voice speaks: `{ en = "af_heart" }`
    api_key: SecretStr | None = None
    format: Literal["pcm", "wav"] = "pcm"  #: `wav` where the server knows no `pcm`, as Groq
    sample_rate: Annotated[int, Ge(8_000), Le(48_000)] = 24_000  #: of the server's `pcm`, Hz
    speed: Annotated[float, Ge(0.25), Le(4)] | None = None  #: None is not sent
    instructions: Annotated[str, MaxLen(2_000)] = ""  #: how to speak, for models that take it
    language_field: str = ""  #: the field in which this server takes the language, if any
    extra_body: dict[str, Any] = {}  #: anything else that the server takes, sent as it is
    first_sound_s: Annotated[float, Gt(0), Le(60)] = 6.0  #: from the request to the first sound
    gap_s: Annotated[float, Gt(0), Le(60)] = 4.0  #: without any more of it

    _url = field_validator("base_url")(web_address)
    _voices = field_validator("voices")(_by_language)


class EdgeSettings(_Section):
    """The voices of Microsoft's browser, by the package edge-tts. No key, and no promise either."""

    voices: dict[str, str] = Field(default_factory=lambda: dict(EDGE_VOICES))
    rate: Annotated[str, Field(pattern=r"^[+-]\d{1,3}%$")] = "+0%"
    pitch: Annotated[str, Field(pattern=r"^[+-]\d{1,3}Hz$")] = "+0Hz"

    _voices = field_validator("voices")(_by_language)


class GeminiTtsSettings(_Section):
    """Gemini's voices, for fixed lines only; with the key of `llm.gemini`."""

    model: str = "gemini-3.8-flash-lite-tts"
    voice: str = "Leda"
    style: Annotated[str, MaxLen(300)] = ""  #: how to speak: "a grumpy but kind little girl"


class TtsSettings(_Section):
    """How text becomes speech."""

    provider: Voice = "kokoro"
    #: Who goes on when the one before fails, also in the middle of a clause: `["kokoro"]`.
    fallback: tuple[Voice, ...] = ()
    #: Of dolls whose persona has no voice of its own, and in place of one that is not there: a
    #: voice of `provider`, or `own:NAME` for one of the owner's own (docs/voices.md). Empty for the
    #: provider's own setting or default.
    voice: str = ""
    #: Who speaks the fixed lines that are kept on disk (fillers, failures); empty for
    #: the usual voice. Ten requests a day are free with Gemini, which is enough for these.
    lines: Literal["", "gemini"] = ""
    threads: Annotated[int, Ge(1), Le(16)] = 1  #: of `kokoro`; two are slower on a shared core
    openai: OpenAITtsSettings = OpenAITtsSettings()
    edge: EdgeSettings = EdgeSettings()
    gemini: GeminiTtsSettings = GeminiTtsSettings()
    own: OwnVoiceSettings = OwnVoiceSettings()

    @property
    def order(self) -> tuple[Voice, ...]:
        """The provider and its fallbacks, each once."""
        return tuple(dict.fromkeys((self.provider, *self.fallback)))
