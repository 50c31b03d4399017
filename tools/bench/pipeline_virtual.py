"""The part of `doll bench pipeline` in virtual time, where work costs nothing: what is left of a
difference is waiting that the relay's logic puts in, to the microsecond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from relay.hearing.endpointing import EndpointSettings
from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.quota.unlimited import Unlimited
from tools.bench.pipeline_script import CriticalPath, Latencies, critical_path
from tools.bench.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    Streams,
)
from tools.bench.virtual import MemoryRelay, memory_relay, run
from tools.bench.virtual_doll import FRAME_S, QUIET, VirtualDoll

_SPEECH_FRAMES = 40
_SETTLE_S = 2.0

#: An answer is interrupted once in each of so many milliseconds from the end of the question.
STEP_MS = 47


@dataclass(slots=True)
class Interrupted:
    """What interruptions came to, at most; in seconds after the abort has arrived."""

    tried: int = 0
    last_frame: float = 0.0
    streams_closed: float = 0.0
    streams_cut: int = 0  #: that were open when they came
    left_open: int = 0


@dataclass(slots=True)
class Exact:
    """Voice to voice, in seconds, and the least that it can be."""

    path: CriticalPath
    held: float = 0.0
    plain: float = 0.0
    speculative: float = 0.0
    interrupted: Interrupted = field(default_factory=Interrupted)


def measure(latencies: Latencies | None = None, step_ms: int = STEP_MS) -> Exact:
    """Everything, on the thread of the caller."""
    latencies = latencies or Latencies()
    exact = Exact(critical_path(latencies, EndpointSettings(learned=False)))
    exact.held, exact.plain = run(_voice_to_voice(latencies, early=False))
    _, exact.speculative = run(_voice_to_voice(latencies, early=True))
    exact.interrupted = run(_interrupt(latencies, step_ms, exact.path.providers + 1.5))
    return exact


async def _voice_to_voice(latencies: Latencies, *, early: bool) -> tuple[float, float]:
    streams = [Streams() for _ in range(3)]
    async with _relay(latencies, streams, early=early) as relay, _doll(relay) as doll:
        await doll.hold(_SPEECH_FRAMES * FRAME_S)
        released = _now()
        held = await doll.first_frame() - released
        await _to_rest(doll)
        doll.begin("auto")
        await doll.speak(_SPEECH_FRAMES * FRAME_S)
        ended = _now() - FRAME_S  # the last frame of speech was sent, and counts, then
        silence = asyncio.create_task(doll.speak(10.0, QUIET))
        hands_free = await doll.first_frame() - ended
        silence.cancel()
        await _to_rest(doll)
        return held, hands_free


async def _interrupt(latencies: Latencies, step_ms: int, to_s: float) -> Interrupted:
    """Interrupt an answer at every moment of it."""
    result = Interrupted()
    streams = [Streams() for _ in range(3)]
    async with _relay(latencies, streams, early=True) as relay, _doll(relay) as doll:
        for after_ms in range(0, round(to_s * 1000), step_ms):
            await doll.hold(_SPEECH_FRAMES * FRAME_S)
            await asyncio.sleep(after_ms / 1000)
            were_open = sum(stream.open for stream in streams)
            for stream in streams:
                stream.cut_at.clear()
            stops, aborted = doll.stops, _now()
            doll.abort()
            await doll.stopped(stops)
            await asyncio.sleep(_SETTLE_S)
            cuts = [at for stream in streams for at in stream.cut_at]
            result.tried += 1
            result.streams_cut += len(cuts)
            result.left_open += max(0, were_open - len(cuts)) + sum(s.open for s in streams)
            late = max([0.0, *(at - aborted for at in doll.frames_at)])
            result.last_frame = max(result.last_frame, late)
            result.streams_closed = max([result.streams_closed, *(at - aborted for at in cuts)])
    return result


@asynccontextmanager
async def _relay(
    latencies: Latencies, streams: list[Streams], *, early: bool
) -> AsyncIterator[MemoryRelay]:
    flags: dict[str, dict[str, object]] = {
        "endpoint": {"learned": False},
        "limits": {"turns_per_min": 600.0},
        "turn": {"early_stt": early, "early_answer": early, "max_fillers": 0},
    }
    ear, brain, voice = streams
    async with memory_relay(
        ScriptedSpeechToText(latencies, ear),
        Chain([Link(ScriptedLanguageModel(latencies, brain), Unlimited())]),
        ScriptedTextToSpeech(latencies, voice),
        flags,
    ) as relay:
        yield relay


@asynccontextmanager
async def _doll(relay: MemoryRelay) -> AsyncIterator[VirtualDoll]:
    doll = VirtualDoll(relay.connect("bench", await relay.token("bench")))
    try:
        await doll.hello()
        yield doll
    finally:
        await doll.leave()


async def _to_rest(doll: VirtualDoll) -> None:
    stops = doll.stops
    doll.abort()
    await doll.stopped(stops)
    await asyncio.sleep(_SETTLE_S)


def _now() -> float:
    return asyncio.get_running_loop().time()
