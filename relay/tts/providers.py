"""From settings to a voice. A provider's own packages are imported only when it is chosen."""

from __future__ import annotations

from functools import partial
from typing import Final

from relay.config import ConfigError, Settings
from relay.failover import opened
from relay.llm.extras import MissingExtraError
from relay.streaming import Deadlines
from relay.tts.base import TextToSpeech
from relay.tts.fallback import FallbackTextToSpeech
from relay.tts.remote import LONGEST_S
from relay.tts.settings import EdgeSettings, OpenAITtsSettings, TtsSettings, Voice
from relay.tts.voices.dialects import check_fits
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual, OwnVoices
from relay.tts.voices.voice import PREFIX, VoiceError, checked_name, own_name

#: Three requests a minute: the next line is never further away.
LINES_WAIT_S: Final = 65.0


async def open_tts(settings: TtsSettings, shelf: VoiceShelf) -> OwnOrUsual:
    """All voices, with the fallbacks loaded. Raises ConfigError and ProviderError.

    Dolls whose persona has no voice speak with the one of the settings, of the preferred provider
    or `own:NAME`. Fallbacks have the voice of their own section. `shelf` has the owner's voices.
    """
    name = own_name(settings.voice)
    if name is not None:
        name = _checked(name, settings, shelf)
    usual = await _usual(settings, settings.voice if name is None else "")
    open_own = partial(_own, name or "", settings, shelf, usual.rate_hz)
    return OwnOrUsual(shelf, open_own, usual, PREFIX + name if name else "")


def _checked(name: str, settings: TtsSettings, shelf: VoiceShelf) -> str:
    try:
        name = checked_name(name)
        if shelf.has(name):
            check_fits(shelf.get(name), settings.own)
    except VoiceError as error:
        raise ConfigError(f"tts.voice: {error}") from None
    return name


def _own(name: str, settings: TtsSettings, shelf: VoiceShelf, rate_hz: int) -> OwnVoices:
    from relay.tts.voices.own import OwnTextToSpeech

    return OwnTextToSpeech(name, shelf, settings.own, rate_hz)


async def _usual(settings: TtsSettings, chosen: str) -> TextToSpeech:
    voices = await opened(
        [
            (name, _open(name, settings, chosen if name == settings.provider else ""))
            for name in settings.order
        ]
    )
    return voices[0][1] if len(voices) == 1 else FallbackTextToSpeech(voices)


async def open_lines_voice(settings: Settings) -> TextToSpeech | None:
    """Who speaks the fixed lines that are recorded in advance; None for the usual voice.

    It waits for its allowance, since nobody waits for it. Raises ConfigError, ProviderError (AUTH)
    and StoreError.
    """
    if settings.tts.lines != "gemini":
        return None
    from relay.gemini_server import GeminiServer
    from relay.quota.factory import open_quota
    from relay.tts.gemini import GeminiTextToSpeech

    access, chosen = settings.llm.gemini, settings.tts.gemini
    if access.api_key is None:
        raise ConfigError("tts.lines: Gemini's voices need a key: set GEMINI_API_KEY")
    key = access.api_key.get_secret_value()
    # The models of the brain have allowances of their own, so the two never wait for each other.
    quota = await open_quota(
        settings.ledgers, key, timezone=settings.persona.timezone, server=access.base_url or ""
    )
    return GeminiTextToSpeech(
        GeminiServer(key, access.base_url),
        quota,
        chosen.model,
        chosen.voice,
        style=chosen.style,
        wait_s=LINES_WAIT_S,
    )


async def _open(name: Voice, settings: TtsSettings, voice: str) -> TextToSpeech:
    match name:
        case "openai":
            return _openai(settings.openai, voice)
        case "edge":
            return _edge(settings.edge, voice)
        case "kokoro":
            try:
                from relay.tts.kokoro import KokoroTextToSpeech
            except ImportError as error:
                raise MissingExtraError("Kokoro", "embedded", error) from None
            return await KokoroTextToSpeech.load(voice=voice, threads=settings.threads)


def _openai(settings: OpenAITtsSettings, voice: str) -> TextToSpeech:
    from relay.tts.openai import OpenAITextToSpeech

    voice = voice or settings.voice or next(iter(settings.voices.values()), "")
    if not settings.base_url:
        raise ConfigError("tts.openai.base_url: name the server (https://…/v1, docs/voices.md)")
    if not settings.model:
        raise ConfigError("tts.openai.model: name the model that the server has")
    if not voice:
        raise ConfigError("tts.openai.voice: name a voice that the server has")
    return OpenAITextToSpeech(
        settings.base_url,
        settings.model,
        voice,
        voices=settings.voices,
        key=settings.api_key.get_secret_value() if settings.api_key else "",
        form=settings.format,
        rate_hz=settings.sample_rate,
        speed=settings.speed,
        instructions=settings.instructions,
        language_field=settings.language_field,
        extra=settings.extra_body,
        deadlines=Deadlines(settings.first_sound_s, settings.gap_s, LONGEST_S),
    )


def _edge(settings: EdgeSettings, voice: str) -> TextToSpeech:
    from relay.tts.edge import EdgeTextToSpeech

    voices = dict(settings.voices)
    if voice:
        voices[voice.partition("-")[0]] = voice  # "ko-KR-InJoonNeural" speaks "ko"
    return EdgeTextToSpeech(voices, rate=settings.rate, pitch=settings.pitch)
