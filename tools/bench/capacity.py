"""`doll bench capacity`: how many talking dolls one core carries."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relay.hearing.endpointing import EndpointSettings
from tools.bench.cores import Meter, Used, apart, on
from tools.bench.crowd import Crowd
from tools.bench.report import Goal, Report, percentiles_ms
from tools.bench.search import Search
from tools.bench.spoken import Codec, prepare
from tools.bench.talk import THINK_S, Seen
from tools.relay_process import running_relay

#: The goals of each format: dolls on one core.
GOALS = {"adpcm": 300, "opus": 150}

#: The first sound of an answer, 95 of 100 times, beyond the silence that is waited for.
LIMIT_S = 0.050

#: How long an answer plays.
ANSWER_S = (2.0, 5.0)

#: The first trial, and how busy the core may be in the second, by what the first has cost.
_FIRST, _BUSY = 50, 0.8

_ECHO_DOLLS, _ECHO_S = 50, 4.0
SERVER = (
    *("-m", "tools.bench.server"),
    *("--shortest", str(ANSWER_S[0]), "--longest", str(ANSWER_S[1])),
)
_ECHO = ("-m", "tools.bench.echo")

_METHOD = (
    "each doll hands-free in turns without end: silence of a quiet room for "
    f"{THINK_S[0]:g} to {THINK_S[1]:g} s, a question of 1.6 to 4 s, {EndpointSettings().silence_ms}"
    f" ms of silence, an answer of {ANSWER_S[0]:g} to {ANSWER_S[1]:g} s, to its end: about 6 turns "
    "a minute, the load of `bench turn`'s 50 dolls; its microphone is open but while it is "
    "answered; real voice detector, providers that answer at once, answers 600 ms ahead; the relay "
    "has one core, the dolls another; first audio counts from the packet that completes the "
    "configured silence (Opus: and the 100 ms that stock boards are given); a packet is late when "
    "it comes after the moment in which it is to be played; a number passes with p95 <= "
    f"{LIMIT_S * 1000:g} ms, none late, none lost; the largest is found by bisection in short "
    "runs, of which one of two has to pass, and confirmed by a longer one; CPU is processor time "
    "of the whole relay"
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each part of a trial."""

    settle: float = 6.0  #: after more dolls have begun to talk
    look: float = 8.0
    confirm: float = 25.0
    search: bool = True  #: else only one trial, of the most dolls


#: Whether the most dolls pass, and nothing else.
CHECK = Timing(settle=2.0, look=6.0, search=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """So many dolls, and what became of them."""

    dolls: int
    seen: Seen
    used: Used
    lag_s: float  #: 99 of 100 packets of the client were sent no later than this

    @property
    def failure(self) -> str:
        """What was not as it has to be; empty if all was."""
        seen = self.seen
        if seen.closed or seen.lost:
            return f"{seen.closed} connections closed, {seen.lost} answers missing"
        if seen.late:
            return f"{seen.late} packets late, by up to {seen.latest * 1000:.0f} ms"
        if len(seen.first_audio) < 2:
            return "no answers"
        p95 = statistics.quantiles(seen.first_audio, n=20, method="inclusive")[18]
        return "" if p95 <= LIMIT_S else f"first sound p95 {p95 * 1000:.0f} ms"

    @property
    def passed(self) -> bool:
        return not self.failure

    @property
    def cpu_per_doll(self) -> float:
        """Of one core."""
        return self.used.cpu_s / self.used.wall_s / self.dolls

    def figures(self) -> dict[str, Any]:
        """For the report."""
        seen, used = self.seen, self.used
        packets = seen.packets_in + seen.packets_out
        return {
            "turns": len(seen.first_audio),
            **(percentiles_ms("first_audio", seen.first_audio) if seen.first_audio else {}),
            "late_packets": seen.late,
            "latest_ms": round(seen.latest * 1000, 1),
            "lost_turns": seen.lost,
            "closed": seen.closed,
            "core_percent": round(100 * used.cpu_s / used.wall_s, 1),
            "core_percent_of_others": round(100 * used.others_s / used.wall_s, 1),
            "cpu_s_per_doll_minute": round(60 * self.cpu_per_doll, 4),
            "cpu_us_per_packet": round(1e6 * used.cpu_s / max(packets, 1), 1),
            "packets_per_s": round(packets / used.wall_s),
            "client_lag_p99_ms": round(self.lag_s * 1000, 2),
        }


async def measure(codecs: Sequence[str], most: int, timing: Timing = Timing()) -> Report:
    """About two minutes for each codec."""
    baseline: dict[str, Any] = {"server": "bare websockets, each packet sent back"}
    result: dict[str, Any] = {}
    goals = []
    with apart() as core:
        result["relay_has_a_core_to_itself"] = core is not None
        for name in codecs:
            codec = await prepare(name)
            echo = await _echo(codec, core, timing)
            baseline[f"{name}_cpu_us_per_packet"] = echo.figures()["cpu_us_per_packet"]
            trials = await _search(codec, core, most, timing)
            best = trials[-1]
            dolls = best.dolls if best.passed else 0
            result[f"{name}_dolls"] = dolls
            result[f"{name}_trials"] = [
                f"{trial.dolls} {trial.failure or 'passed'}" for trial in trials
            ]
            result |= {f"{name}_{key}": value for key, value in best.figures().items()}
            goals.append(Goal(f"{name}_dolls_on_one_core", dolls, GOALS[name], "", at_least=True))
    return Report("capacity", _METHOD, baseline, result, goals)


async def _search(codec: Codec, core: int | None, most: int, timing: Timing) -> list[Trial]:
    """All trials; the last one is the confirming one."""
    names = [f"bench-{number}" for number in range(most)]
    room = {"DOLL_RELAY__MAX_DOLLS": str(most + 1)}
    with on(core):
        relay_here = running_relay(command=SERVER, environment=room)
        relay = await relay_here.__aenter__()
    crowd = Crowd(codec)
    try:
        url, tokens = await relay.url(), await relay.tokens(*names)
        meter = Meter(relay.pid, core)
        connected = 0

        async def trial(dolls: int, seconds: float) -> Trial:
            nonlocal connected
            await crowd.connect(url, {name: tokens[name] for name in names[connected:dolls]})
            connected = max(connected, dolls)
            return await look(crowd, meter, dolls, timing.settle, seconds)

        if not timing.search:
            return [await trial(most, timing.look)]
        search, trials = Search(_FIRST, most=most), list[Trial]()
        while (dolls := search.next) is not None:
            trials.append(await trial(dolls, timing.look))
            if not trials[-1].passed:  # perhaps somebody else took the core for a moment
                trials.append(await trial(dolls, timing.look))
            guess = int(_BUSY / trials[0].cpu_per_doll) if dolls == _FIRST else None
            search.tell(trials[-1].passed, guess)
        dolls = search.passed
        while dolls:  # a longer look finds what a short one has missed
            trials.append(await trial(dolls, timing.confirm))
            if trials[-1].passed:
                break
            dolls = int(dolls * 0.95)
        return trials
    finally:
        await crowd.close()
        await relay_here.__aexit__(None, None, None)


async def _echo(codec: Codec, core: int | None, timing: Timing) -> Trial:
    with on(core):
        server_here = running_relay(command=_ECHO)
        server = await server_here.__aenter__()
    crowd = Crowd(codec)
    try:
        names = dict.fromkeys((f"echo-{number}" for number in range(_ECHO_DOLLS)), "")
        await crowd.connect(await server.url(), names)
        meter = Meter(server.pid, core)
        return await look(crowd, meter, _ECHO_DOLLS, 1.0, _ECHO_S if timing.search else 1.0)
    finally:
        await crowd.close()
        await server_here.__aexit__(None, None, None)


async def look(crowd: Crowd, meter: Meter, dolls: int, settle_s: float, seconds: float) -> Trial:
    """Let so many dolls talk, and look at them for some seconds when all of them do."""
    crowd.talk(dolls, within_s=settle_s / 2)
    await asyncio.sleep(settle_s)
    gc.collect()  # not while we look
    crowd.look()
    meter.read()
    await asyncio.sleep(seconds)
    used, lags = meter.read(), sorted(crowd.lag_s)
    return Trial(dolls, crowd.look(), used, lags[len(lags) * 99 // 100] if lags else 0.0)
