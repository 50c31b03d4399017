"""From settings to providers. A provider's own packages are imported only when it is chosen."""

from __future__ import annotations

import asyncio

from relay.config import ConfigError, Settings
from relay.devices.shelf import Shelf
from relay.hearing.base import MelodyDetector
from relay.llm.base import LanguageModel
from relay.llm.settings import GeminiSettings, OpenAISettings
from relay.persona import load
from relay.persona.personas import Personas
from relay.services import Services
from relay.stt.providers import open_stt
from relay.tts.providers import open_tts


async def build(settings: Settings) -> Services:
    """Load what the settings choose; takes seconds. Raises ConfigError or ProviderError."""
    from relay.hearing.silero import SileroDetector

    persona = load(settings.persona.name, settings.persona.folder)
    llm = _llm(settings)
    stt, tts = await asyncio.gather(open_stt(settings.stt), open_tts(settings.tts, persona.voice))
    return Services(
        settings=settings,
        detector=SileroDetector(),
        melody=await _melody(settings),
        stt=stt,
        llm=llm,
        tts=tts,
        persona=persona,
        personas=Personas(settings.persona.folder),
        shelf=Shelf(settings.updates.folder),
    )


async def _melody(settings: Settings) -> MelodyDetector | None:
    if not settings.endpoint.smart_turn:
        return None
    from relay.hearing.smart_turn import SmartTurn

    return await SmartTurn.load()


def _llm(settings: Settings) -> LanguageModel:
    match settings.brain:
        case "gemini":
            return _gemini(settings.llm.gemini)
        case "gemini-legacy":
            return _gemini_legacy(settings.llm.gemini)
        case "openai":
            return _openai(settings.llm.openai)
        case "local":
            from relay.llm.local import LocalLanguageModel

            return LocalLanguageModel()


def _gemini(settings: GeminiSettings) -> LanguageModel:
    from relay.gemini_server import GeminiServer
    from relay.llm.gemini import GeminiModel

    server = GeminiServer(_gemini_key(settings), settings.base_url)
    return GeminiModel(
        server,
        settings.models[0],
        safety=settings.safety,
        temperature=settings.temperature,
        max_output_tokens=settings.max_output_tokens,
    )


def _gemini_legacy(settings: GeminiSettings) -> LanguageModel:
    from relay.llm.gemini_legacy import GeminiLegacyModel

    return GeminiLegacyModel(
        _gemini_key(settings),
        settings.models[0],
        base_url=settings.base_url,
        safety=settings.safety,
        temperature=settings.temperature,
        max_output_tokens=settings.max_output_tokens,
    )


def _gemini_key(settings: GeminiSettings) -> str:
    if settings.api_key is None:
        raise ConfigError(
            "llm.gemini.api_key: Gemini needs a key: get one at https://aistudio.google.com/apikey "
            "and set GEMINI_API_KEY"
        )
    return settings.api_key.get_secret_value()


def _openai(settings: OpenAISettings) -> LanguageModel:
    from relay.llm.openai import OpenAIModel

    if not settings.model:
        raise ConfigError("llm.openai.model: name the model that the server has")
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return OpenAIModel(settings.base_url, settings.model, key=key, sampling=settings)
