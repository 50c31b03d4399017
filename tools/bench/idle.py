"""`doll bench idle`: what a doll costs that nobody talks with."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil

from tools.bench.cores import Meter, apart, on
from tools.bench.crowd import Crowd
from tools.bench.report import Goal, Report
from tools.bench.spoken import prepare
from tools.relay_process import RelayProcess, running_relay

_SERVER = ("-m", "tools.bench.server")
#: What grows only once grows with the first dolls: also with the first that listen, since from
#: twelve frames at a time on the voice detector has another engine.
_WARM = 20
_LISTENING = 100

_METHOD = (
    "ADPCM dolls that say as they connect that they report and resume, as ours do. Resting: "
    "connected and not listening, as a doll with a button or a wake word is nearly all day; it "
    "answers pings. Listening: a microphone that is always open in a quiet room, 31 packets of "
    "noise at -75 dB in a second, in which the voice detector need not look. Memory is the growth "
    "of the relay's resident memory, CPU its processor time; the relay has one core, the dolls "
    "another"
)


async def measure(dolls: int, seconds: float = 20.0) -> Report:
    """About a minute with 1,000 dolls."""
    codec = await prepare("adpcm")
    listening = min(_LISTENING, dolls)
    names = [f"bench-{number}" for number in range(_WARM + dolls)]
    room = {"DOLL_RELAY__MAX_DOLLS": str(len(names) + 1)}
    with apart() as core:
        with on(core):
            relay_here = running_relay(command=_SERVER, environment=room)
            relay = await relay_here.__aenter__()
        crowd = Crowd(codec)
        try:
            url, tokens = await relay.url(), await relay.tokens(*names)
            meter = Meter(relay.pid, core)
            await crowd.connect(url, {name: tokens[name] for name in names[:_WARM]})
            await asyncio.sleep(1)
            memory_kb = _memory_kb(relay)
            meter.read()
            await asyncio.sleep(seconds)
            alone = meter.read()
            await crowd.connect(url, {name: tokens[name] for name in names[_WARM:]})
            await asyncio.sleep(1)
            resting_kb = (_memory_kb(relay) - memory_kb) / dolls
            meter.read()
            await asyncio.sleep(seconds)
            resting = meter.read()
            crowd.listen(_WARM)
            await asyncio.sleep(3)
            memory_kb = _memory_kb(relay)
            crowd.listen(_WARM + listening)
            await asyncio.sleep(3)
            crowd.look()
            meter.read()
            await asyncio.sleep(min(seconds, 8.0))  # silence is listened to for a while only
            open_, seen = meter.read(), crowd.look()
            listening_kb = (_memory_kb(relay) - memory_kb) / listening
        finally:
            await crowd.close()
            await relay_here.__aexit__(None, None, None)
    baseline: dict[str, Any] = {
        f"cpu_percent_with_{_WARM}_dolls": round(100 * alone.cpu_s / alone.wall_s, 2)
    }
    resting_percent = round(100 * resting.cpu_s / resting.wall_s, 2)
    result: dict[str, Any] = {
        "dolls_resting": _WARM + dolls,
        "memory_per_resting_doll_kb": round(resting_kb, 1),
        "cpu_percent_all_resting": resting_percent,
        "dolls_listening": listening,
        "more_memory_per_listening_doll_kb": round(listening_kb, 1),
        "cpu_percent_per_100_listening": round(
            100 * open_.cpu_s / open_.wall_s * 100 / (_WARM + listening), 1
        ),
        "packets_per_s_listening": round(seen.packets_in / open_.wall_s),
        "connections_lost": seen.closed,
    }
    goals = [
        Goal("memory_per_resting_doll", result["memory_per_resting_doll_kb"], 60.0, "KB"),
        Goal("cpu_all_resting", resting_percent, 1.0, "% of a core"),
    ]
    return Report("idle", _METHOD, baseline, result, goals)


def _memory_kb(relay: RelayProcess) -> float:
    return float(psutil.Process(relay.pid).memory_info().rss) / 1024
