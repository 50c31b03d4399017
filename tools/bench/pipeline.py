"""`doll bench pipeline`: what a turn takes with providers that take their time."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from relay.hearing.endpointing import EndpointSettings
from tools.bench.doll import BenchDoll, bench_doll
from tools.bench.pipeline_baseline import asked, asleep
from tools.bench.pipeline_http import ScriptedServer, scripted_server
from tools.bench.pipeline_script import (
    CriticalPath,
    Latencies,
    critical_path,
    first_clause,
    tokens_to_first_clause,
)
from tools.bench.pipeline_virtual import STEP_MS, Exact
from tools.bench.pipeline_virtual import measure as measure_virtually
from tools.bench.report import Goal, Report, percentiles_ms
from tools.bench.turn import Sound, spoken_question
from tools.relay_process import running_relay

#: An interrupted answer was listened to for so long: its brain and its voice are still at work.
_LISTENS_S = 0.2

#: For the providers to see that nobody is there any more.
_SETTLE_S = 0.5

_METHOD = (
    "voice to voice: from the last frame of speech (push-to-talk: from `listen stop`) to the first "
    "frame of the answer at the client; critical path: what cannot overlap, which is the "
    "configured silence in whole frames (hands-free), recognition, the first token, the tokens up "
    "to the one with which the splitter knows the first clause, and the voice's first sound; with "
    "speculation, recognition and brain begin at the likely end of the speech; real: `doll relay` "
    "with the real voice detector, its OpenAI clients and a provider server over local HTTP, "
    "ADPCM frames in real time, each answer interrupted 0.2 s after its first frame; virtual: "
    "relay, database and providers in one process where work takes no time, so a difference is a "
    "wait of the relay's own"
)


@dataclass(slots=True)
class Heard:
    """What turns with one relay came to, in seconds."""

    held: list[float] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    last_frames: list[float] = field(default_factory=list)  #: after the abort was sent
    closed: list[float] = field(default_factory=list)  #: each stream, after the abort was sent
    interrupted: int = 0


async def measure(turns: int = 12) -> Report:
    """With 12 turns of each kind about three minutes."""
    latencies = Latencies()
    path = critical_path(latencies, EndpointSettings(learned=False))
    exact = await asyncio.to_thread(measure_virtually, latencies, STEP_MS)
    sound = await spoken_question()
    async with scripted_server(latencies) as server:
        few = max(2, turns // 3)
        sleeps = [await asleep(latencies) for _ in range(few)]
        scripts = [await asked(server.url, whole=False) for _ in range(few)]
        serial = [await asked(server.url, whole=True) for _ in range(few)]
        plain = await talk(server, sound, turns, early=False)
        early = await talk(server, sound, turns, early=True)
    baseline = {
        "critical_path_push_to_talk_ms": _ms(path.held),
        "critical_path_hands_free_ms": _ms(path.plain),
        "critical_path_speculative_ms": _ms(path.speculative),
        "silence_ms": _ms(path.silence),
        "providers_ms": _ms(path.providers),
        "first_clause": first_clause(),
        "tokens_to_first_clause": tokens_to_first_clause(),
        "providers_as_sleeps_p50_ms": _ms(statistics.median(sleeps)),
        "providers_asked_by_a_script_p50_ms": _ms(statistics.median(scripts)),
        "serial_pipeline_hands_free_p50_ms": _ms(path.silence + statistics.median(serial)),
    }
    return report(path, exact, baseline, plain, early)


def report(
    path: CriticalPath, exact: Exact, baseline: dict[str, Any], plain: Heard, early: Heard
) -> Report:
    """From turns `plain` and with speculation (`early`), two of each kind at least."""
    result = {
        **_virtual(exact),
        **percentiles_ms("push_to_talk_beyond", [t - path.held for t in plain.held]),
        **percentiles_ms("hands_free_beyond", [t - path.plain for t in plain.free]),
        **percentiles_ms("speculative_hands_free", early.free),
        **percentiles_ms("speculative_beyond", [t - path.speculative for t in early.free]),
        **_interruptions(plain, early),
    }
    return Report("pipeline", _METHOD, baseline, result, _goals(path, exact, result))


async def talk(server: ScriptedServer, sound: Sound, turns: int, *, early: bool) -> Heard:
    """So many turns of each kind with a relay of their own."""
    heard = Heard()
    environment = server.settings(early=early)
    async with running_relay(environment=environment) as relay:
        url = await relay.url()
        token = (await relay.tokens("bench"))["bench"]
        async with bench_doll(url, "bench", token) as doll:
            doll.listens_s = _LISTENS_S

            async def hold() -> float:
                return await doll.push_to_talk(sound.frames, listen=False)

            async def free() -> float:
                return await doll.hands_free(
                    sound.frames, sound.last_speech, sound.silence, listen=False
                )

            await hold()  # warms up
            await asyncio.sleep(_SETTLE_S)
            for _ in range(turns):
                heard.held.append(await _interrupted(hold, doll, server, heard))
                heard.free.append(await _interrupted(free, doll, server, heard))
    return heard


async def _interrupted(
    turn: Callable[[], Awaitable[float]], doll: BenchDoll, server: ScriptedServer, heard: Heard
) -> float:
    server.journal.gone_at.clear()
    took = await turn()
    await asyncio.sleep(_SETTLE_S)
    heard.interrupted += 1
    heard.last_frames.append(doll.last_frame - doll.aborted)
    heard.closed += [at - doll.aborted for at in server.journal.gone_at if at > doll.aborted]
    return took


def _virtual(exact: Exact) -> dict[str, Any]:
    path, cut = exact.path, exact.interrupted
    return {
        "virtual_push_to_talk_beyond_ms": _ms(exact.held - path.held),
        "virtual_hands_free_beyond_ms": _ms(exact.plain - path.plain),
        "virtual_speculative_hands_free_ms": _ms(exact.speculative),
        "virtual_speculative_beyond_ms": _ms(exact.speculative - path.speculative),
        "virtual_interruptions": cut.tried,
        "virtual_last_frame_after_abort_max_ms": _ms(cut.last_frame),
        "virtual_streams_closed_after_abort_max_ms": _ms(cut.streams_closed),
        "virtual_streams_cut": cut.streams_cut,
        "virtual_streams_left_open": cut.left_open,
    }


def _interruptions(*runs: Heard) -> dict[str, Any]:
    late = [second for run in runs for second in run.last_frames]
    closed = [second for run in runs for second in run.closed]
    return {
        "interruptions": sum(run.interrupted for run in runs),
        **percentiles_ms("last_frame_after_abort", late),
        "streams_closed": len(closed),
        **(percentiles_ms("stream_closed_after_abort", closed) if len(closed) > 1 else {}),
    }


def _goals(path: CriticalPath, exact: Exact, result: dict[str, Any]) -> list[Goal]:
    cut = exact.interrupted
    return [
        Goal(
            "push_to_talk_p50_beyond_critical_path",
            result["push_to_talk_beyond_p50_ms"],
            20.0,
            "ms",
        ),
        Goal("hands_free_p50_beyond_critical_path", result["hands_free_beyond_p50_ms"], 20.0, "ms"),
        Goal(
            "speculative_p50_of_the_non_speculative_critical_path",
            round(result["speculative_hands_free_p50_ms"] / (path.plain * 1000), 3),
            1.0,
            "times",
        ),
        Goal("last_frame_after_abort_p95", result["last_frame_after_abort_p95_ms"], 40.0, "ms"),
        Goal(
            "stream_closed_after_abort_p95",
            result.get("stream_closed_after_abort_p95_ms", 1e9),
            100.0,
            "ms",
        ),
        Goal(
            "streams_closed_per_interruption",
            round(result["streams_closed"] / result["interruptions"], 2),
            2.0,
            "streams",
            at_least=True,
        ),
        Goal("virtual_hands_free_beyond", result["virtual_hands_free_beyond_ms"], 20.0, "ms"),
        Goal("virtual_last_frame_after_abort", _ms(cut.last_frame), 40.0, "ms"),
        Goal("virtual_streams_closed_after_abort", _ms(cut.streams_closed), 100.0, "ms"),
        Goal("virtual_streams_left_open", cut.left_open, 0, "streams"),
    ]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2) + 0.0
