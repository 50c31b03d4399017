"""`doll bench soak`: whether anything stays behind when dolls come, talk and go for hours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tools.bench.report import Goal, Report
from tools.bench.soak_flat import WARM_UP, Slope, slope
from tools.bench.soak_real import Minutes, minutes
from tools.bench.soak_virtual import ROUND_S, Soaked, soak

_METHOD = (
    "rounds of life, and after each everybody leaves, the relay rests, garbage is collected and "
    "what is left is counted; virtual: relay, database and wire in one process on a clock that "
    "jumps, dolls that talk, interrupt, drop, resume and leave, providers that fail at random "
    "(seed 1), memory by tracemalloc; real: a relay process with the real voice detector over "
    "loopback, 16 dolls, resident memory; slope by least squares over the turns, without the first "
    "third, with a one-sided 95 % bound by Student's t; a bound below the limit is flat"
)

#: Most that the bound of the slope may be: 1,000 turns are a busy day of a doll.
_BYTES_PER_TURN = 100.0
_RSS_KB_PER_TURN = 2.0


async def measure(minutes_: float = 5.0, hours: float = 2.0) -> Report:
    """Real minutes, and virtual hours at some three minutes for each."""
    round_s = min(ROUND_S, hours * 3600 / 9)
    soaked = await asyncio.to_thread(soak, hours, 1, round_s)
    seconds = minutes_ * 60
    lived = await minutes(seconds, min(14.0, seconds / 9))
    first = soaked.samples[int(len(soaked.samples) * WARM_UP)], lived.rests[_warm(lived)]
    baseline = {
        "virtual_memory_after_warm_up_kb": round(first[0].traced_bytes / 1024),
        "virtual_tasks_after_warm_up": first[0].tasks,
        "virtual_files_after_warm_up": first[0].files,
        "virtual_threads_after_warm_up": first[0].threads,
        "real_memory_after_warm_up_kb": round(first[1].rss_bytes / 1024),
        "real_tasks_after_warm_up": first[1].tasks,
        "real_files_after_warm_up": first[1].files,
        "real_threads_after_warm_up": first[1].threads,
    }
    virtual = _slope(soaked.turns, [sample.traced_bytes for sample in soaked.samples])
    turns = [rest.turns for rest in lived.rests]
    real = _slope(turns, [rest.rss_bytes / 1024 for rest in lived.rests])
    result = {**_virtual(soaked, virtual), **_real(lived, real)}
    return Report("soak", _METHOD, baseline, result, _goals(soaked, lived, virtual, real))


def _virtual(soaked: Soaked, memory: Slope | None) -> dict[str, Any]:
    last = soaked.samples[-1]
    return {
        "virtual_hours": soaked.hours,
        "virtual_acts": soaked.turns[-1],
        **{f"virtual_{name.replace(' ', '_')}": n for name, n in sorted(soaked.counts.items())},
        "virtual_streams_cut": soaked.cut,
        "virtual_memory_bytes_per_act": round(memory.mean, 1) if memory else None,
        "virtual_memory_bytes_per_act_upper_95": round(memory.upper, 1) if memory else None,
        "virtual_tasks_at_the_end": last.tasks,
        "virtual_files_at_the_end": last.files,
        "virtual_threads_at_the_end": last.threads,
        "virtual_containers_that_only_grow": soaked.growers,
        "virtual_lines_with_more_memory": soaked.lines,
    }


def _real(lived: Minutes, memory: Slope | None) -> dict[str, Any]:
    last = lived.rests[-1]
    return {
        "real_minutes": round(lived.seconds / 60, 1),
        "real_turns": last.turns,
        "real_failures_of_providers": last.failures,
        "real_memory_kb_per_turn": round(memory.mean, 2) if memory else None,
        "real_memory_kb_per_turn_upper_95": round(memory.upper, 2) if memory else None,
        "real_memory_at_the_end_kb": round(last.rss_bytes / 1024),
        "real_tasks_at_the_end": last.tasks,
        "real_files_at_the_end": last.files,
        "real_threads_at_the_end": last.threads,
    }


def _goals(soaked: Soaked, lived: Minutes, virtual: Slope | None, real: Slope | None) -> list[Goal]:
    warm, end = soaked.samples[int(len(soaked.samples) * WARM_UP)], soaked.samples[-1]
    rest, last = lived.rests[_warm(lived)], lived.rests[-1]
    goals = [
        Goal("virtual_tasks_left_over", end.tasks - warm.tasks, 0, "tasks"),
        Goal("virtual_files_left_over", end.files - warm.files, 0, "files"),
        Goal("virtual_threads_left_over", end.threads - warm.threads, 0, "threads"),
        Goal("virtual_sessions_left_over", soaked.sessions, 0, "sessions"),
        Goal("virtual_streams_left_open", soaked.streams_open, 0, "streams"),
        Goal("real_tasks_left_over", last.tasks - rest.tasks, 0, "tasks"),
        Goal("real_files_left_over", last.files - rest.files, 0, "files"),
        Goal("real_threads_left_over", last.threads - rest.threads, 0, "threads"),
        Goal("real_streams_left_open", last.streams, 0, "streams"),
    ]
    if virtual is not None:
        upper = round(virtual.upper, 1)
        goals.append(Goal("virtual_memory_per_act_upper", upper, _BYTES_PER_TURN, "bytes"))
    if real is not None:
        upper = round(real.upper, 2)
        goals.append(Goal("real_memory_per_turn_upper", upper, _RSS_KB_PER_TURN, "KB"))
    return goals


def _warm(lived: Minutes) -> int:
    return int(len(lived.rests) * WARM_UP)


def _slope(x: Sequence[float], y: Sequence[float]) -> Slope | None:
    """None where a run is too short to tell."""
    try:
        return slope(x, y)
    except ValueError:
        return None
