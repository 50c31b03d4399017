"""`doll bench speech`, the embedded ear and voice: what they understand, how soon, at what cost."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tomllib
import wave
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final, Literal

import numpy as np
import soxr

from relay.audio import RATE_HZ, Pcm, duration_s
from relay.hearing.endpointing import EndpointSettings
from relay.stt.base import SpeechToText
from relay.stt.whisper import WhisperSpeechToText
from relay.tts.kokoro import KokoroTextToSpeech
from tools.bench.report import Goal, Report, percentiles_ms
from tools.bench.speech_errors import Errors
from tools.bench.speech_material import PROMPTS, MaterialError

_HERE = Path(__file__).parent

SetName = Literal["tuning", "held_out", "second"]

#: The sets that only measure.
MEASURING: Final[tuple[SetName, ...]] = ("held_out", "second")

#: The other voices through which Korean is heard, so that one voice's accent is not all there is.
_OTHER_VOICES = ("jf_nezumi", "jf_tebukuro")

METHOD = (
    "two sets of sentences that never tuned anything (sentences.toml: held_out and second), the "
    "goals over both; English recognition on human recordings at 8 kHz, Korean on the embedded "
    "voices (synthetic: an upper bound with their mispronunciations, and nothing certain about "
    "people); round trip: the voice, then the ear; Korean counts characters without spaces, "
    "English words spelled as Whisper's normaliser does; sound alike: the same after both sides "
    "are written as they are pronounced; time with early start: from a likely end to the "
    "transcript, less the shortest silence that is waited for anyway; first audio: from the text "
    "to the first samples, nothing cached; real-time factor: seconds of work for one of sound; "
    "memory: peak of a process with detector, ear and voice that does a turn in each language"
)


@dataclass(slots=True)
class _Heard:
    """What an ear made of the sets of sentences, and the seconds that it took for each sentence."""

    language: str
    errors: dict[str, Errors] = field(default_factory=dict)  #: of each set
    alike: Errors = field(init=False)  #: of all sets, compared as they are pronounced
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alike = Errors(self.language, as_pronounced=True)

    def rates(self, name: str, figure: str) -> dict[str, float]:
        """Figures in percent: over all sets, of each set, and for Korean as it sounds."""
        whole = Errors(self.language)
        for errors in self.errors.values():
            whole.merge(errors)
        all_of_them = {"": whole, **{f"_{one}": errors for one, errors in self.errors.items()}}
        if self.language == "ko":
            all_of_them["_sound_alike"] = self.alike
        return {
            f"{name}{part}_{figure}_percent": round(errors.rate * 100, 1)
            for part, errors in all_of_them.items()
        }


@dataclass(slots=True)
class _Spoken:
    """What a voice made of one set: samples at 16 kHz, and what they took."""

    sounds: list[tuple[str, Pcm]] = field(default_factory=list)  #: text, sound
    first_s: list[float] = field(default_factory=list)
    work_s: float = 0.0
    cpu_s: float = 0.0
    sound_s: float = 0.0


async def measure(only: Literal["stt", "tts"] | None = None) -> Report:
    """Some four minutes on two cores. Raises MaterialError where the recordings are missing."""
    start = perf_counter()
    stt = await WhisperSpeechToText.load(threads=2)
    stt_load_s = perf_counter() - start
    start = perf_counter()
    tts = await KokoroTextToSpeech.load(threads=1)
    tts_load_s = perf_counter() - start
    result: dict[str, Any] = {}
    goals: list[Goal] = []
    try:
        if only != "tts":
            result["stt_load_s"] = round(stt_load_s, 2)
            await _ear(stt, result, goals)
        if only != "stt":
            result["tts_load_s"] = round(tts_load_s, 2)
            await _voice(stt, tts, result, goals)
    finally:
        await asyncio.gather(stt.close(), tts.close())
    result["peak_memory_mb"] = await _memory()
    goals.append(Goal("peak_memory", result["peak_memory_mb"], 450, "MB"))
    return Report("speech", METHOD, {}, result, goals)


async def _ear(stt: SpeechToText, result: dict[str, Any], goals: list[Goal]) -> None:
    human, korean = _Heard("en"), _Heard("ko")
    for name in MEASURING:
        await _hear(stt, human_english(name), human, name)
    for voice in ("", *_OTHER_VOICES):
        tts = await KokoroTextToSpeech.load(threads=1, voice=voice)
        for name in MEASURING:
            spoken = await _speak(tts, sentences(name, "ko"), "ko")
            await _hear(stt, spoken.sounds, korean, name)
        await tts.close()
    result |= human.rates("stt_english_human", "wer")
    result |= korean.rates("stt_korean_synthetic", "cer")
    result |= percentiles_ms("stt_english", human.seconds)
    result |= percentiles_ms("stt_korean", korean.seconds)
    ends = EndpointSettings()
    hidden_s = (ends.min_ms - ends.end_likely_ms) / 1000
    waits = [max(0.0, taken - hidden_s) for taken in (*human.seconds, *korean.seconds)]
    result |= percentiles_ms("stt_beyond_the_silence_with_early_start", waits)
    goals += [
        Goal("english_wer_human", result["stt_english_human_wer_percent"], 3, "%"),
        Goal("korean_cer_held_out", result["stt_korean_synthetic_cer_percent"], 15, "%"),
        Goal(
            "stt_p50_with_early_start",
            result["stt_beyond_the_silence_with_early_start_p50_ms"],
            250,
            "ms",
        ),
    ]


async def _voice(
    stt: SpeechToText, tts: KokoroTextToSpeech, result: dict[str, Any], goals: list[Goal]
) -> None:
    first_s: list[float] = []
    for language, figure, limit in (("ko", "cer", 10), ("en", "wer", 2)):
        spoken, heard = _Spoken(), _Heard(language)
        for name in MEASURING:
            before = len(spoken.sounds)
            await _speak(tts, sentences(name, language), language, spoken)
            await _hear(stt, spoken.sounds[before:], heard, name)
        first_s += spoken.first_s
        result |= percentiles_ms(f"tts_first_audio_{language}", spoken.first_s)
        result[f"tts_real_time_factor_{language}"] = round(spoken.work_s / spoken.sound_s, 3)
        result[f"tts_cpu_s_per_second_{language}"] = round(spoken.cpu_s / spoken.sound_s, 3)
        result |= heard.rates(f"round_trip_{language}", figure)
        rate = result[f"round_trip_{language}_{figure}_percent"]
        goals.append(Goal(f"round_trip_{figure}_{language}", rate, limit, "%"))
        factor = result[f"tts_real_time_factor_{language}"]
        goals.append(Goal(f"tts_real_time_factor_{language}", factor, 0.5, ""))
    p50_ms = round(statistics.median(first_s) * 1000, 1)
    result["tts_first_audio_p50_ms"] = p50_ms
    goals.append(Goal("tts_first_audio_p50", p50_ms, 350, "ms"))


async def _hear(
    stt: SpeechToText,
    sounds: Sequence[tuple[str, Pcm]],
    heard: _Heard,
    name: str,
) -> None:
    errors = heard.errors.setdefault(name, Errors(heard.language))
    for text, pcm in sounds:
        start = perf_counter()
        transcript = await stt.transcribe(pcm, [heard.language])
        heard.seconds.append(perf_counter() - start)
        errors.add(text, transcript.text)
        heard.alike.add(text, transcript.text)


async def _speak(
    tts: KokoroTextToSpeech, texts: Sequence[str], language: str, spoken: _Spoken | None = None
) -> _Spoken:
    spoken = spoken or _Spoken()
    for text in texts:
        start, cpu = perf_counter(), process_time()
        chunks: list[Pcm] = []
        async with aclosing(tts.speak(text, language)) as speech:
            async for chunk in speech:
                if not chunks:
                    spoken.first_s.append(perf_counter() - start)
                chunks.append(chunk)
        spoken.work_s += perf_counter() - start
        spoken.cpu_s += process_time() - cpu
        whole = np.concatenate(chunks)
        spoken.sound_s += duration_s(whole, tts.rate_hz)
        spoken.sounds.append((text, soxr.resample(whole, tts.rate_hz, RATE_HZ)))
    return spoken


async def _memory() -> float:
    """Peak of the embedded stack in a process of its own, MB."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.bench.speech_memory", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError("the process that measures memory failed; its error is above")
    return float(out)


def sentences(name: SetName, language: str) -> list[str]:
    """The sentences of one of the sets."""
    sets = tomllib.loads((_HERE / "sentences.toml").read_text("utf-8"))
    chosen: list[str] = sets[name][language]
    return chosen


def human_english(name: SetName) -> list[tuple[str, Pcm]]:
    """Words and recording (16 kHz) of each human prompt of a set. Raises MaterialError."""
    sets: dict[str, dict[str, str]] = tomllib.loads((_HERE / "human.toml").read_text("utf-8"))
    if not PROMPTS.is_dir():
        raise MaterialError(
            f"there are no recordings in {PROMPTS}: apt-get install asterisk-core-sounds-en-wav"
        )
    return [(text, _recording(PROMPTS / f"{file}.wav")) for file, text in sets[name].items()]


def _recording(path: Path) -> Pcm:
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
        return np.asarray(soxr.resample(pcm, file.getframerate(), RATE_HZ), np.int16)
