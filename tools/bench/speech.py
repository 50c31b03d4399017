"""`doll bench speech`: how the relay hears and speaks with the embedded models."""

from __future__ import annotations

from collections.abc import Sequence

from relay.hearing.base import DetectorUnavailableError
from relay.hearing.smart_turn import SmartTurn
from relay.stt.whisper import WhisperSpeechToText
from relay.tts.kokoro import KokoroTextToSpeech
from tools.bench import speech_hearing
from tools.bench.parts import Part
from tools.bench.report import Report


async def measure(only: Part | None) -> Report:
    """Run the parts one after another, several minutes in all. Raises ProviderError."""
    reports = []
    if only in (None, Part.HEARING):
        reports.append(await _hearing())
    if only is not Part.HEARING:
        from tools.bench import speech_voice

        stt, tts = only is not Part.TTS, only is not Part.STT
        reports.append(await speech_voice.measure(None if stt and tts else "stt" if stt else "tts"))
    return merged(reports)


def merged(reports: Sequence[Report]) -> Report:
    """One report of several, whose figures have different names."""
    return Report(
        name="speech",
        method="; ".join(report.method for report in reports),
        baseline={name: value for report in reports for name, value in report.baseline.items()},
        result={name: value for report in reports for name, value in report.result.items()},
        goals=[goal for report in reports for goal in report.goals],
    )


async def _hearing() -> Report:
    stt, tts = await WhisperSpeechToText.load(), await KokoroTextToSpeech.load()
    try:
        melody: SmartTurn | None = await SmartTurn.load()
    except DetectorUnavailableError:
        melody = None  # its figures are missing, and the rest is measured
    try:
        return await speech_hearing.measure(stt, tts, melody)
    finally:
        for model in (stt, tts, melody):
            if model is not None:
                await model.close()
