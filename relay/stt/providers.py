"""From settings to an ear. A provider's own packages are imported only when it is chosen."""

from __future__ import annotations

from relay.config import ConfigError
from relay.failover import opened
from relay.llm.extras import MissingExtraError
from relay.stt.base import SpeechToText
from relay.stt.fallback import FallbackSpeechToText
from relay.stt.settings import Ear, OpenAISttSettings, SttSettings


async def open_stt(settings: SttSettings) -> SpeechToText:
    """The recogniser with its fallbacks, loaded. Raises ConfigError and ProviderError."""
    ears = await opened([(name, _open(name, settings)) for name in settings.order])
    return ears[0][1] if len(ears) == 1 else FallbackSpeechToText(ears)


async def _open(name: Ear, settings: SttSettings) -> SpeechToText:
    match name:
        case "openai":
            return _openai(settings.openai)
        case "whisper":
            try:
                from relay.stt.whisper import WhisperSpeechToText
            except ImportError as error:
                raise MissingExtraError("Whisper", "embedded", error) from None
            return await WhisperSpeechToText.load(model=settings.model, threads=settings.threads)


def _openai(settings: OpenAISttSettings) -> SpeechToText:
    from relay.stt.openai import OpenAISpeechToText

    if not settings.base_url:
        raise ConfigError("stt.openai.base_url: name the server (https://…/v1, docs/voices.md)")
    if not settings.model:
        raise ConfigError("stt.openai.model: name the model that the server has")
    return OpenAISpeechToText(
        settings.base_url,
        settings.model,
        key=settings.api_key.get_secret_value() if settings.api_key else "",
        timeout_s=settings.timeout_s,
        response_format=settings.response_format,
        detect=settings.detect,
        prompt=settings.prompt,
    )
