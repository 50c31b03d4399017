"""From settings to a brain. A provider's own packages are imported only when it is chosen."""

from __future__ import annotations

from urllib.parse import urlsplit

from relay.config import ConfigError, Settings
from relay.llm.admission import Link, Patience
from relay.llm.chain import Chain
from relay.llm.local import LocalLanguageModel
from relay.llm.meter import MeteredModel
from relay.llm.settings import GeminiSettings, OpenAISettings
from relay.quota.base import Quota
from relay.quota.factory import open_quota
from relay.quota.unlimited import Unlimited
from relay.stt.base import SpeechToText

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


async def open_brain(settings: Settings, ears: SpeechToText | None = None) -> Chain:
    """The models that the settings choose, in their order, with the embedded brain behind them.

    `ears` recognise where no model may hear. Raises ConfigError, ProviderError (AUTH),
    MissingExtraError, and StoreError for the quota's ledger.
    """
    turn = settings.turn
    return Chain(
        await _links(settings),
        tail=LocalLanguageModel(),
        ears=ears,
        ears_timeout_s=turn.stt_timeout_s,
        patience=Patience(turn.silent_wait_s, turn.max_wait_s),
        auth_pause_s=turn.auth_pause_s,
        outage_again_s=turn.outage_again_s,
    )


async def _links(settings: Settings) -> list[Link]:
    models: list[MeteredModel]
    match settings.brain:
        case "local":
            return []
        case "openai":
            models = [_openai(settings.llm.openai)]
            quota = await _openai_quota(settings)
        case "gemini" | "gemini-legacy" as provider:
            gemini = settings.llm.gemini
            make = _gemini if provider == "gemini" else _gemini_legacy
            models = make(gemini, _gemini_key(gemini))
            quota = await _quota(settings, _gemini_key(gemini), gemini.base_url or "")
    return [Link(model, quota, settings.brain) for model in models]


async def _quota(settings: Settings, key: str, server: str) -> Quota:
    timezone = settings.persona.timezone
    return await open_quota(settings.ledgers, key, timezone=timezone, server=server)


def _gemini(settings: GeminiSettings, key: str) -> list[MeteredModel]:
    from relay.gemini_server import GeminiServer
    from relay.llm.gemini import GeminiModel

    server = GeminiServer(key, settings.base_url)
    return [
        GeminiModel(
            server,
            name,
            safety=settings.safety,
            temperature=settings.temperature,
            max_output_tokens=settings.max_output_tokens,
        )
        for name in settings.models
    ]


def _gemini_legacy(settings: GeminiSettings, key: str) -> list[MeteredModel]:
    from relay.llm.gemini_legacy import GeminiLegacyModel

    return [
        GeminiLegacyModel(
            key,
            name,
            base_url=settings.base_url,
            safety=settings.safety,
            temperature=settings.temperature,
            max_output_tokens=settings.max_output_tokens,
        )
        for name in settings.models
    ]


def _gemini_key(settings: GeminiSettings) -> str:
    if settings.api_key is None:
        raise ConfigError(
            "llm.gemini.api_key: Gemini needs a key: get one at https://aistudio.google.com/apikey "
            "and set GEMINI_API_KEY"
        )
    return settings.api_key.get_secret_value()


def _openai(settings: OpenAISettings) -> MeteredModel:
    from relay.llm.openai import OpenAIModel

    if not settings.model:
        raise ConfigError("llm.openai.model: name the model that the server has")
    return OpenAIModel(
        settings.base_url,
        settings.model,
        key=_openai_key(settings),
        sampling=settings,
        fields=settings.fields,
    )


async def _openai_quota(settings: Settings) -> Quota:
    """A model at home has no limits, unless its owner has set some."""
    chosen = settings.llm.openai
    at_home = urlsplit(chosen.base_url).hostname in _THIS_MACHINE
    if at_home and chosen.model not in settings.quota.limits:
        return Unlimited()
    return await _quota(settings, _openai_key(chosen), chosen.base_url)


def _openai_key(settings: OpenAISettings) -> str:
    return settings.api_key.get_secret_value() if settings.api_key else ""
