"""Which ear listens, and how it is set: the sections `stt` and `stt.openai`."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

Ear = Literal["whisper", "openai"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenAISttSettings(_Section):
    """Any server with OpenAI's transcriptions: speaches, whisper.cpp, vLLM, Groq, OpenAI …"""

    base_url: str = ""  #: ends where `/audio/transcriptions` begins: `http://gpu-box:8000/v1`
    model: str = ""
    api_key: SecretStr | None = None
    #: From sending the utterance to its text; then the fallback hears it.
    timeout_s: Annotated[float, Gt(0), Le(60)] = 8.0
    #: `verbose_json` tells the language and how sure the model is; `auto` finds out what is known.
    response_format: Literal["auto", "json", "verbose_json"] = "auto"
    #: What is sent as the language where several are possible; whisper.cpp wants `auto`, the others
    #: detect when none is sent.
    detect: Annotated[str, MaxLen(20)] = ""
    prompt: Annotated[str, MaxLen(800)] = ""  #: words to expect, such as names

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return web_address(value)


class SttSettings(_Section):
    """How speech becomes text."""

    #: `gemini`: the brain hears the utterance itself, in the request that answers it.
    provider: Ear | Literal["gemini"] = "whisper"
    #: Who hears an utterance on which the one before has failed: `["whisper"]`.
    fallback: tuple[Ear, ...] = ()
    #: of `whisper`: `base` is embedded, the larger ones come by `doll models pull`
    model: Literal["base", "small", "large-v3-turbo"] = "base"
    threads: Annotated[int, Ge(1), Le(16)] = 2  #: of `whisper`
    openai: OpenAISttSettings = OpenAISttSettings()

    @property
    def order(self) -> tuple[Ear, ...]:
        """The provider and its fallbacks, each once.

        Where the brain hears, they are for when it may not: `whisper`, if none is named.
        """
        if self.provider == "gemini":
            return tuple(dict.fromkeys(self.fallback)) or ("whisper",)
        return tuple(dict.fromkeys((self.provider, *self.fallback)))


def web_address(value: str) -> str:
    """A base URL as it is used. Raises ValueError."""
    value = value.strip().rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value
