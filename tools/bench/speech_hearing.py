"""`doll bench speech --only hearing`: are ends of speech found, how soon, and at what cost?"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode, MelodyDetector
from relay.hearing.endpointing import EndpointSettings
from relay.hearing.hangover import Pauses
from relay.hearing.hearing import EndLikely, Hearing, SpeechResumed, Utterance, UtteranceEnded
from relay.hearing.silero import SileroDetector
from relay.hearing.silero_model import SileroModel
from relay.stt.base import SpeechToText
from tools.bench import sounds
from tools.bench.report import Goal, Report, percentiles_ms
from tools.bench.speech_material import Sentence, english, korean

_FRAME_S = FRAME_SAMPLES / RATE_HZ
_DOLLS = (1, 50, 300)
_LEAD_S = 1.0

#: A sound that is shorter is no word that a doll has to answer.
_SHORTEST_S = 0.3

#: An end that was found this close to the true one is right.
_TOLERANCE_S = 0.35

_FIXED = EndpointSettings(learned=False)
_LEARNED = EndpointSettings()

#: Audio time between a likely end and its transcript: what the embedded recogniser takes on two
#: cores, and what a good server or a bigger machine does. Not the time of this run, which would
#: blur the figures with what else the machine does.
_STT_S = {"350_ms_stt": 0.35, "150_ms_stt": 0.15}
_MELODY_S = 0.06

METHOD = (
    "held-out sentences with pauses of 0.2 to 1 s in them (log-normal, median 0.4 s), in a quiet "
    "room: English of a human speaker (asterisk prompts joined), Korean synthetic (Kokoro, each "
    "part spoken apart); transcripts of likely ends are the embedded recogniser's own and arrive "
    "after a fixed time; an end found within 0.35 s of the true one counts; delay: from the last "
    "sound to the decision; CPU: real-time streams of one noisy doll each, minus the same without "
    "a detector"
)


async def measure(stt: SpeechToText, tts: Any, melody: MelodyDetector | None) -> Report:
    """Three minutes, most of which is making the Korean. `melody` is left out without its model."""
    sentences = [*english("held-out"), *await korean(tts, "held-out")]
    detector = SileroDetector()
    result: dict[str, Any] = {"sentences": len(sentences)}
    result["pauses_in_sentences"] = sum(len(sentence.pauses_s) for sentence in sentences)
    goals: list[Goal] = []
    try:
        for name, pcm, ends in _conditions(sentences):
            result["utterances"] = len(ends)
            precision, recall = await _endpoints(detector, pcm, ends)
            for figure, value in (("precision", precision), ("recall", recall)):
                result[f"endpoint_{figure}_{name}"] = value
                goals.append(Goal(f"endpoint_{figure}_{name}", value, 0.98, "", at_least=True))
        memory: dict[bytes, Any] = {}
        fixed = await _delays(detector, sentences, _FIXED)
        baseline = _figures("fixed", *fixed)
        runs: dict[str, tuple[SpeechToText, float, MelodyDetector | None]] = {
            name: (stt, seconds, None) for name, seconds in _STT_S.items()
        }
        if melody is not None:
            runs["350_ms_stt_and_smart_turn"] = (stt, _STT_S["350_ms_stt"], melody)
            runs["150_ms_stt_and_smart_turn"] = (stt, _STT_S["150_ms_stt"], melody)
        for name, (recogniser, stt_s, sound) in runs.items():
            heard = _Recogniser(recogniser, stt_s, memory)
            delays = await _delays(detector, sentences, _LEARNED, heard, sound)
            result |= _figures(f"learned_{name}", *delays)
        goals.append(Goal("learned_cut_off", result["learned_350_ms_stt_cut_off"], 0, "sentences"))
    finally:
        await detector.close()
    result |= _cost_of_the_model()
    for dolls in _DOLLS:
        result[f"cpu_us_per_frame_{dolls}_dolls"] = await _cost_of_hearing(dolls)
    goals.append(Goal("cpu_per_frame_50_dolls", result["cpu_us_per_frame_50_dolls"], 60.0, "us"))
    return Report("speech", METHOD, baseline, result, goals)


def _conditions(sentences: Sequence[Sentence]) -> list[tuple[str, Pcm, list[float]]]:
    """One long recording in each kind of room, and where speech ends in it, in seconds.

    The parts of the sentences are utterances of their own here.
    """
    random = np.random.default_rng(7)
    pieces: list[Pcm] = [np.zeros(2 * RATE_HZ, np.int16)]
    ends, samples = [], len(pieces[0])
    for part in (part for sentence in sentences for part in sentence.parts):
        if len(part) < _SHORTEST_S * RATE_HZ:
            continue
        gap = np.zeros(int(random.uniform(1.5, 2.5) * RATE_HZ), np.int16)
        ends.append((samples + len(part)) / RATE_HZ)
        samples += len(part) + len(gap)
        pieces += [part, gap]
    speech = np.concatenate(pieces)
    room = speech + random.normal(0, 6, len(speech))
    return [
        ("clean", room.astype(np.int16), ends),
        ("pink_10_db", sounds.mixed(speech, sounds.pink_noise(len(speech)), 10), ends),
        ("music_10_db", sounds.mixed(speech, sounds.music(len(speech)), 10), ends),
    ]


async def _endpoints(
    detector: SileroDetector, pcm: Pcm, ends: Sequence[float]
) -> tuple[float, float]:
    """Precision and recall of the ends that are found in `pcm`."""
    hearing = Hearing(detector.stream(), _FIXED)
    hearing.start(ListenMode.AUTO)
    found = []
    for frame in _frames(pcm):
        event = await hearing.push(frame)
        if isinstance(event, UtteranceEnded):
            found.append(event.utterance.speech_end_s)
    left = list(ends)
    for end in found:
        match = min(left, key=lambda true: abs(true - end), default=math.inf)
        if abs(match - end) <= _TOLERANCE_S:
            left.remove(match)
    right = len(ends) - len(left)
    return round(right / max(len(found), 1), 3), round(right / len(ends), 3)


class _Recogniser:
    """Transcripts that take `seconds` of audio time; each utterance is recognised only once."""

    def __init__(self, stt: SpeechToText, seconds: float, memory: dict[bytes, Any]) -> None:
        self._stt = stt
        self._memory = memory
        self.frames = math.ceil(seconds / _FRAME_S)

    async def read(self, sentence: Sentence, pcm: Pcm) -> str:
        key = pcm.tobytes()
        if key not in self._memory:
            self._memory[key] = (await self._stt.transcribe(pcm, [sentence.language])).text
        return str(self._memory[key])


class _LateMelody:
    """A melody detector whose answer comes after a fixed audio time."""

    def __init__(self, melody: MelodyDetector) -> None:
        self._melody = melody
        self._computed, self._due = asyncio.Event(), asyncio.Event()
        self._computed.set()
        self._left = 0

    async def sounds_complete(self, utterance: Pcm) -> bool:
        self._computed.clear()
        complete = await self._melody.sounds_complete(utterance)
        self._left = math.ceil(_MELODY_S / _FRAME_S)
        self._due.clear()
        self._computed.set()
        await self._due.wait()
        return complete

    async def close(self) -> None: ...

    async def frame(self) -> None:
        """A frame passes. The computation itself costs no audio time, so it is waited for."""
        await asyncio.sleep(0)
        await self._computed.wait()
        self._left -= 1
        if self._left == 0:
            self._due.set()
            await asyncio.sleep(0)


async def _delays(
    detector: SileroDetector,
    sentences: Sequence[Sentence],
    settings: EndpointSettings,
    recogniser: _Recogniser | None = None,
    melody: MelodyDetector | None = None,
) -> tuple[list[float], list[Sentence]]:
    """Seconds from the end of each sentence to its endpoint; and the sentences that were cut."""
    pauses: dict[str, Pauses] = {}
    delays, cut = [], []
    for sentence in sentences:
        late = None if melody is None else _LateMelody(melody)
        hearing = Hearing(
            detector.stream(),
            settings,
            pauses=pauses.setdefault(sentence.language, Pauses()),
            melody=late,
        )
        utterance = await _first_end(hearing, sentence, recogniser, late)
        end = _LEAD_S + len(sentence.pcm) / RATE_HZ
        if utterance is None or utterance.speech_end_s < end - _TOLERANCE_S:
            cut.append(sentence)
        else:
            delays.append(utterance.decided_s - end)
    return delays, cut


async def _first_end(
    hearing: Hearing,
    sentence: Sentence,
    recogniser: _Recogniser | None,
    melody: _LateMelody | None,
) -> Utterance | None:
    random = np.random.default_rng(3)
    still = np.zeros(3 * RATE_HZ, np.int16)
    pcm = np.concatenate((still[: int(_LEAD_S * RATE_HZ)], sentence.pcm, still))
    pcm = (pcm + random.normal(0, 6, len(pcm))).clip(-32768, 32767).astype(np.int16)
    hearing.start(ListenMode.AUTO)
    text, due = "", -1
    for number, frame in enumerate(_frames(pcm)):
        if number == due:
            hearing.transcribed(text, sentence.language)
        if melody is not None:
            await melody.frame()
        event = await hearing.push(frame)
        if isinstance(event, EndLikely) and recogniser is not None:
            text = await recogniser.read(sentence, event.utterance.pcm)
            due = number + recogniser.frames
        elif isinstance(event, SpeechResumed):
            due = -1
        elif isinstance(event, UtteranceEnded):
            hearing.stop()
            return event.utterance
    return None


def _figures(name: str, delays: Sequence[float], cut: Sequence[Sentence]) -> dict[str, Any]:
    percentiles = percentiles_ms(f"{name}_endpoint_delay", delays)
    return {
        f"{name}_cut_off": len(cut),
        f"{name}_cut_off_pauses_ms": sorted(round(1000 * max(s.pauses_s)) for s in cut),
        **{key: value for key, value in percentiles.items() if "_max_" not in key},
    }


def _cost_of_the_model() -> dict[str, float]:
    """CPU time of the network alone, in calls of one frame for each doll."""
    model = SileroModel()
    random = np.random.default_rng(0)
    costs = {}
    for dolls in _DOLLS:
        frames = [random.normal(0, 1000, FRAME_SAMPLES).astype(np.int16) for _ in range(dolls)]
        states = [model.fresh() for _ in range(dolls)]
        times = []
        for _ in range(max(10, 1000 // dolls)):
            begun = time.thread_time()
            _, states = model.step(frames, states)
            times.append(time.thread_time() - begun)
        costs[f"model_us_per_frame_{dolls}_dolls"] = round(1e6 * float(np.median(times)) / dolls, 1)
    return costs


async def _cost_of_hearing(dolls: int) -> float:
    """CPU of everything from `Hearing.push` on, each doll in a room that is never silent."""
    detector = SileroDetector()

    async def nothing(frame: Pcm) -> None:
        pass

    def ear() -> Callable[[Pcm], Awaitable[Any]]:
        hearing = Hearing(detector.stream(), _FIXED)
        hearing.start(ListenMode.AUTO)
        return hearing.push

    frames = max(60, 200 // dolls)
    idle = await _stream(dolls, frames, lambda: nothing)
    busy = await _stream(dolls, frames, ear)
    await detector.close()
    return round(1e6 * (busy - idle) / (dolls * frames), 1)


async def _stream(
    dolls: int, frames: int, ear: Callable[[], Callable[[Pcm], Awaitable[Any]]]
) -> float:
    """CPU seconds of `dolls` streams in real time, out of step with each other."""
    random = np.random.default_rng(0)
    # Each frame louder than the last by the gate's measure: the detector has to look at all.
    sound = [
        (random.normal(0, 100, FRAME_SAMPLES) * 1.5 ** (n % 8)).astype(np.int16) for n in range(64)
    ]
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def doll(number: int, push: Callable[[Pcm], Awaitable[Any]]) -> None:
        for n in range(frames):
            delay = start + (n + number / dolls) * _FRAME_S - loop.time()
            await asyncio.sleep(max(0.0, delay))
            await push(sound[n % len(sound)])

    before = time.process_time()
    await asyncio.gather(*(doll(number, ear()) for number in range(dolls)))
    return time.process_time() - before


def _frames(pcm: Pcm) -> list[Pcm]:
    whole = len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES
    return list(pcm[:whole].reshape(-1, FRAME_SAMPLES))
