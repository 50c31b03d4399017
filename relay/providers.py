"""From settings to providers. A provider's own packages are imported only when it is chosen."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

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
from relay.tts.providers import open_lines_voice, open_tts
from relay.tts.recorder import Recorder
from relay.tts.repertoire import Repertoire
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual


async def build(settings: Settings) -> Services:
    """Load what the settings choose; takes seconds. Raises ConfigError or ProviderError."""
    from relay.hearing.silero import SileroDetector

    await asyncio.to_thread(prepare)
    persona = load(settings.persona.name, settings.personas_folder)
    voices = VoiceShelf.of(settings.relay.data)
    stt, tts = await asyncio.gather(_stt(settings), open_tts(settings.tts, voices))
    activity, lines_voice = Activity(), await open_lines_voice(settings)
    lines = _lines(settings, tts, voices, lines_voice)
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
        recorder=Recorder(lines, activity) if lines else None,
        personas=Personas(
            settings.personas_folder,
            LearnedShelf(settings.learned_folder),
            settings.persona.name,
        ),
        shelf=Shelf(settings.updates.folder, automatic=settings.updates.automatic),
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
    # The voice detector's weights come in faster-whisper's wheel, also where CTranslate2 is not.
    needed = ("faster_whisper", "ctranslate2")
    if "whisper" in settings.stt.order and not all(map(find_spec, needed)):
        return None
    return LazySpeechToText(lambda: open_stt(settings.stt))


def _lines(
    settings: Settings, tts: OwnOrUsual, voices: VoiceShelf, lines_voice: TextToSpeech | None
) -> Repertoire | None:
    """The fixed lines of all voices, as far as they were recorded."""
    if not settings.turn.record_lines:
        return None
    engine = settings.tts.lines or settings.tts.provider
    # All that makes the voice sound as it does. A key is hidden in `repr`, and this goes into a
    # digest only.
    how = "" if engine == "kokoro" else repr(getattr(settings.tts, engine))
    name = f"{engine}/{settings.tts.voice}/{how}/{KOKORO.files[0].sha256}/{__version__}"
    folder = cache_directory() / "lines"
    return Repertoire(tts, voices, settings.tts.own, folder, name, lines_voice)
