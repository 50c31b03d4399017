"""`doll bench turn`: what the relay itself adds to a turn, in time, CPU and memory."""

from __future__ import annotations

import asyncio
import statistics
import wave
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.endpointing import EndpointSettings
from relay.hearing.hearing import Hearing, UtteranceEnded
from relay.hearing.silero import SileroDetector
from relay.wire.blocks import Blocks
from relay.wire.codecs.adpcm import AdpcmEncoder
from tools.bench.doll import FRAME_S, bench_doll
from tools.bench.report import Goal, Report, percentiles_ms
from tools.relay_process import RelayProcess, running_relay

_SPEECH = Path(__file__).parents[1] / "demo" / "questions" / "en-arithmetic.wav"
_SPEECH_S = 1.4  # its first words: long enough for an utterance, short enough for many turns
_SERVER = ("-m", "tools.bench.server")
_FLOOR = ("-m", "tools.bench.floor")
_TURNS = 25
_CYCLE_S = 10.0  # one turn in this time, as people talk
_CYCLES = 3
_IDLE_DOLLS = 200

_METHOD = (
    "relay and client are two processes on loopback; providers answer at once, the voice detector "
    "is the real one; frames of 32 ms ADPCM in real time; hands-free time counts from the last "
    "frame that the detector takes for speech, minus the configured silence; many dolls: "
    f"hands-free, microphone always open, one turn of {_SPEECH_S} s speech and a 2 s answer in "
    f"{_CYCLE_S:g} s"
)


@dataclass(frozen=True, slots=True)
class Sound:
    """A question as wire frames."""

    frames: list[bytes]
    last_speech: int  # the last frame that holds speech
    silence: list[bytes]


async def measure(dolls: int) -> Report:
    """Run all parts one after another; about two minutes."""
    sound = await spoken_question()
    silence_s = EndpointSettings().silence_ms / 1000
    floor = await _floor(sound)
    async with running_relay(command=_SERVER) as relay:
        url = await relay.url()
        tokens = await relay.tokens("bench-alone", *(f"bench-{n}" for n in range(dolls)))
        alone_ptt, alone_auto = await _alone(url, tokens, sound)
        crowd_ptt = await _crowd_push_to_talk(url, tokens, sound, dolls)
        crowd_auto, cpu_s_per_minute = await _crowd(relay, tokens, sound, dolls)
    async with running_relay(command=_SERVER) as relay:
        idle_kb = await _idle(relay, await relay.url())
    alone_auto = [t - silence_s for t in alone_auto]
    crowd_auto = [t - silence_s for t in crowd_auto]
    result = {
        **percentiles_ms("push_to_talk", alone_ptt),
        **percentiles_ms("hands_free_beyond_silence", alone_auto),
        f"push_to_talk_{dolls}_dolls_turns": len(crowd_ptt),
        **percentiles_ms(f"push_to_talk_{dolls}_dolls", crowd_ptt),
        f"hands_free_{dolls}_dolls_turns": len(crowd_auto),
        **percentiles_ms(f"hands_free_{dolls}_dolls_beyond_silence", crowd_auto),
        "cpu_s_per_doll_minute": round(cpu_s_per_minute, 3),
        "memory_per_idle_doll_kb": round(idle_kb, 1),
    }
    frame_ms = FRAME_S * 1000
    ptt_ms = result["push_to_talk_p50_ms"]
    many = f"{dolls}_dolls"
    return Report(
        name="turn",
        method=_METHOD,
        baseline={"server": "bare websockets", **percentiles_ms("push_to_talk", floor)},
        result=result,
        goals=[
            Goal("push_to_talk_p50", ptt_ms, 3.0, "ms"),
            Goal(
                "push_to_talk_p50_over_floor",
                round(ptt_ms / (statistics.median(floor) * 1000), 2),
                3.0,
                "times",
            ),
            Goal(
                "hands_free_p50_beyond_silence",
                result["hands_free_beyond_silence_p50_ms"],
                frame_ms + 10,
                "ms",
            ),
            Goal(f"push_to_talk_{many}_p95", result[f"push_to_talk_{many}_p95_ms"], 20.0, "ms"),
            Goal(
                f"hands_free_{many}_p95_beyond_silence_and_frame",
                round(result[f"hands_free_{many}_beyond_silence_p95_ms"] - frame_ms, 2),
                20.0,
                "ms",
            ),
            Goal("cpu_per_doll_minute", result["cpu_s_per_doll_minute"], 0.25, "s"),
            Goal("memory_per_idle_doll", result["memory_per_idle_doll_kb"], 60.0, "KB"),
        ],
    )


async def spoken_question() -> Sound:
    """The speech as wire frames, and where it ends by the relay's own ear."""
    with wave.open(str(_SPEECH)) as file:
        speech = np.frombuffer(file.readframes(int(_SPEECH_S * RATE_HZ)), "<i2").astype(np.int16)
    noise = np.random.default_rng(1).normal(0, 6, 3 * RATE_HZ).astype(np.int16)
    detector = SileroDetector()
    hearing = Hearing(detector.stream(), EndpointSettings())
    hearing.start(ListenMode.AUTO)
    last_speech = None
    for frame in Blocks(FRAME_SAMPLES).push(np.concatenate([speech, noise])):
        event = await hearing.push(frame)
        if isinstance(event, UtteranceEnded):
            last_speech = round(event.utterance.speech_end_s / FRAME_S) - 1
            break
    await detector.close()
    assert last_speech is not None, "the detector finds no speech in the recording"
    return Sound(_encoded(speech), last_speech, _encoded(noise))


def _encoded(pcm: Pcm) -> list[bytes]:
    encoder = AdpcmEncoder()
    return [encoder.encode(frame) for frame in Blocks(FRAME_SAMPLES).push(pcm)]


async def _floor(sound: Sound) -> list[float]:
    """The same push-to-talk turns with a bare server."""
    async with (
        running_relay(command=_FLOOR) as server,
        bench_doll(await server.url(), "bench-floor") as doll,
    ):
        await doll.push_to_talk(sound.frames)
        return [await doll.push_to_talk(sound.frames) for _ in range(_TURNS)]


async def _alone(url: str, tokens: dict[str, str], sound: Sound) -> tuple[list[float], list[float]]:
    async with bench_doll(url, "bench-alone", tokens["bench-alone"]) as doll:
        await doll.push_to_talk(sound.frames)  # the first turn warms up
        held = [await doll.push_to_talk(sound.frames, listen=False) for _ in range(_TURNS)]
        free = [
            await doll.hands_free(sound.frames, sound.last_speech, sound.silence, listen=False)
            for _ in range(_TURNS)
        ]
        return held, free


async def _crowd_push_to_talk(
    url: str, tokens: dict[str, str], sound: Sound, dolls: int
) -> list[float]:
    """All dolls hold their buttons at once, spread over one cycle."""

    async def talk(number: int) -> list[float]:
        name = f"bench-{number}"
        async with bench_doll(url, name, tokens[name]) as doll:
            await asyncio.sleep(number / dolls * _CYCLE_S / 2)
            return [await doll.push_to_talk(sound.frames) for _ in range(_CYCLES)]

    return [time for times in await _together(dolls, talk) for time in times]


async def _crowd(
    relay: RelayProcess, tokens: dict[str, str], sound: Sound, dolls: int
) -> tuple[list[float], float]:
    """All dolls talk hands-free; also the relay's CPU seconds per doll and minute."""
    url = await relay.url()

    async def talk(number: int) -> list[float]:
        name = f"bench-{number}"
        async with bench_doll(url, name, tokens[name]) as doll:
            await doll.stream(sound.silence, number / dolls * _CYCLE_S)
            times = []
            for _ in range(_CYCLES):
                start = perf_counter()
                times.append(await doll.hands_free(sound.frames, sound.last_speech, sound.silence))
                await doll.stream(sound.silence, max(0.0, _CYCLE_S - (perf_counter() - start)))
            return times

    process = psutil.Process(relay.pid)
    before, start = sum(process.cpu_times()[:2]), perf_counter()
    times = [time for times in await _together(dolls, talk) for time in times]
    # A doll is there for its cycles and, on the average, half a cycle of waiting for its start.
    minutes = dolls * (_CYCLES + 0.5) * _CYCLE_S / 60
    assert perf_counter() - start < (_CYCLES + 2) * _CYCLE_S, "the client did not keep up"
    return times, (sum(process.cpu_times()[:2]) - before) / minutes


async def _together(dolls: int, talk: Callable[[int], Awaitable[list[float]]]) -> list[list[float]]:
    return await asyncio.gather(*(talk(number) for number in range(dolls)))


async def _idle(relay: RelayProcess, url: str) -> float:
    """Kilobytes that the relay grows by for each doll that is connected and silent."""
    process = psutil.Process(relay.pid)
    warm = await relay.tokens(*(f"warm-{number}" for number in range(20)))
    idle = await relay.tokens(*(f"idle-{number}" for number in range(_IDLE_DOLLS)))
    async with AsyncExitStack() as stack:
        for name, token in warm.items():  # what grows only once grows now
            await stack.enter_async_context(bench_doll(url, name, token))
        before = process.memory_info().rss
        for name, token in idle.items():
            await stack.enter_async_context(bench_doll(url, name, token))
        await asyncio.sleep(1)
        return (process.memory_info().rss - before) / 1024 / _IDLE_DOLLS
