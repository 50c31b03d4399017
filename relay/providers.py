"""From settings to providers. A provider's own packages are imported only when it is chosen."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import structlog

from relay import __version__
from relay.activity import Activity
from relay.config import ConfigError, Settings
from relay.devices.shelf import Shelf
from relay.files import cache_directory
from relay.hearing.base import MelodyDetector
from relay.intents.finder import prepare
from relay.llm.providers import open_brain
from relay.models import KOKORO
from relay.persona import load
from relay.persona.learning.shelf import LearnedShelf
from relay.persona.personas import Personas
from relay.services import Services
from relay.stt.base import SpeechToText
from relay.stt.lazy import LazySpeechToText
from relay.stt.providers import open_stt
from relay.tts.base import TextToSpeech
from relay.tts.lines import RecordedLines
from relay.tts.providers import open_lines_voice, open_tts, preferred
from relay.tts.recorder import Recorder
from relay.tts.voices.lines import own_lines
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual


async def build(settings: Settings) -> Services:
    """Load what the settings choose; takes seconds. Raises ConfigError or ProviderError."""
    from relay.hearing.silero import SileroDetector

    await asyncio.to_thread(prepare)
    persona = load(settings.persona.name, settings.personas_folder)
    voices = VoiceShelf.of(settings.relay.data)
    stt, tts = await asyncio.gather(_stt(settings), open_tts(settings.tts, persona.voice, voices))
    activity, lines_voice = Activity(), await open_lines_voice(settings)
    lines = await _lines(settings, persona.voice, lines_voice or tts, voices)
    return Services(
        settings=settings,
        detector=SileroDetector(),
        melody=await _melody(settings),
        stt=stt,
        brain=await open_brain(settings, None if stt else _embedded_ears(settings)),
        tts=tts,
        persona=persona,
        activity=activity,
        lines=lines,
        lines_voice=lines_voice,
        recorder=Recorder(lines_voice or preferred(tts), lines, activity) if lines else None,
        personas=Personas(
            settings.personas_folder,
            LearnedShelf(settings.learned_folder),
            settings.persona.name,
        ),
        shelf=Shelf(settings.updates.folder),
    )


async def _melody(settings: Settings) -> MelodyDetector | None:
    if not settings.endpoint.smart_turn:
        return None
    from relay.hearing.smart_turn import SmartTurn

    return await SmartTurn.load()


async def _stt(settings: Settings) -> SpeechToText | None:
    """The recogniser; None where the brain hears by itself."""
    if settings.stt.provider != "gemini":
        return await open_stt(settings.stt)
    if settings.brain != "gemini":
        raise ConfigError(
            "stt.provider: Gemini hears in the request that it answers: "
            "set llm.provider = gemini as well, or choose another stt.provider"
        )
    return None


def _embedded_ears(settings: Settings) -> SpeechToText | None:
    """For the days when Gemini may not hear; loaded when they come."""
    if "whisper" in settings.stt.order and find_spec("faster_whisper") is None:
        return None
    return LazySpeechToText(lambda: open_stt(settings.stt))


async def _lines(
    settings: Settings, voice: str, tts: TextToSpeech, voices: VoiceShelf
) -> RecordedLines | None:
    """The fixed lines of this voice, as far as they were recorded."""
    if not settings.turn.record_lines:
        return None
    engine = settings.tts.lines or settings.tts.provider
    # All that makes the voice sound as it does. A key is hidden in `repr`, and this goes into a
    # digest only.
    how = voice if engine == "kokoro" else repr(getattr(settings.tts, engine))
    name = f"{engine}/{settings.tts.voice}/{how}/{KOKORO.files[0].sha256}/{__version__}"
    if isinstance(tts, OwnOrUsual) and voices.has(tts.name):
        lines = own_lines(voices, tts.name, settings.tts.own, tts.rate_hz)
    else:
        lines = RecordedLines(cache_directory() / "lines", name, tts.rate_hz)
    try:
        await lines.open()
    except OSError as error:
        structlog.get_logger().warning("no lines are recorded", why=str(error))
        return None
    return lines
