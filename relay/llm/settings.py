"""Which brain answers, and how it is set: the sections `llm`, `llm.gemini` and `llm.openai`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

#: Ordered: a model that may not be asked now leaves the turn to the next one. Each has a quota of
#: its own; the Flash-Lite models have the largest (docs/models.md).
DEFAULT_CHAIN = ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite", "gemini-3.6-flash")


Safety = Literal["low", "medium", "high", "off"]
"""From which probability of harm on Google refuses content, in each of its four categories
(harassment, hate, sexual, dangerous). What endangers children it refuses always."""

Brain = Literal["local", "gemini", "gemini-legacy", "openai"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GeminiSettings(_Section):
    """Google's Gemini; the key comes from aistudio.google.com."""

    api_key: SecretStr | None = None
    models: Annotated[tuple[str, ...], MinLen(1), MaxLen(10)] = DEFAULT_CHAIN
    base_url: str | None = None  #: another server that speaks the same API
    safety: Safety = "medium"
    temperature: Annotated[float, Ge(0), Le(2)] | None = None  #: None: the model's own
    max_output_tokens: Annotated[int, Ge(64), Le(8192)] = 800  #: emotion and note included

    @field_validator("models")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip().removeprefix("models/") for name in value)
        if not all(names):
            raise ValueError("must be names of models, such as gemini-3.5-flash-lite")
        return tuple(dict.fromkeys(names))


class Sampling(_Section):
    """How the next word is chosen. What is not set is not sent: the server decides."""

    temperature: Annotated[float, Ge(0), Le(2)] | None = None
    top_p: Annotated[float, Gt(0), Le(1)] | None = None
    frequency_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    #: Not OpenAI's: vLLM and OpenRouter know it; llama.cpp's `repeat_penalty` goes in `extra_body`.
    repetition_penalty: Annotated[float, Gt(0), Le(2)] | None = None
    max_tokens: Annotated[int, Ge(0), Le(8192)] = 512  #: of an answer; 0 is not sent
    stop: Annotated[tuple[str, ...], MaxLen(4)] = ()  #: the answer ends before any of these
    #: Anything else that the server takes, sent as it is: `{top_k = 40}`.
    extra_body: dict[str, Any] = {}


class OpenAISettings(Sampling):
    """Any server with OpenAI's chat API: Ollama, llama.cpp, vLLM, Groq, OpenRouter …"""

    base_url: str = "http://127.0.0.1:11434/v1"
    model: str = ""
    api_key: SecretStr | None = None
    #: Ask for fields by a JSON schema: emotion, reply, note, and what the doll is to do. A server
    #: that refuses is asked for plain text with marks instead, from then on.
    fields: bool = True


class LlmSettings(_Section):
    """Which brain answers. `auto` takes Gemini where there is a key, else the embedded one.

    `gemini-legacy` is Gemini by google-generativeai, which Google has given up; docs/models.md says
    what that costs.
    """

    provider: Literal["auto", "local", "gemini", "gemini-legacy", "openai"] = "auto"
    gemini: GeminiSettings = GeminiSettings()
    openai: OpenAISettings = OpenAISettings()
