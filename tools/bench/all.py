"""`doll bench all`: every measurement one after another, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

#: Each with settings that keep all of them within a quarter of an hour, by what they are about.
BENCHES: Mapping[str, Sequence[str]] = {
    "turn": ("--dolls", "20"),
    "pipeline": ("--turns", "3"),
    "firmware": ("--seconds", "10"),
    "speech": ("--only", "hearing"),
    "capacity": ("--codec", "adpcm", "--check", "--most", "100"),
    "idle": ("--dolls", "300", "--seconds", "8"),
    "soak": ("--minutes", "1", "--virtual-hours", "0.1"),
    "faults": (),
    "quota": (),
    "scaling": ("--largest", "10000"),
    "memory": ("--messages", "20000"),
}

#: One that takes longer than this is ended.
LIMIT_S = 360.0

_COMMAND = (sys.executable, "-m", "tools.cli", "bench")


async def measure(
    benches: Mapping[str, Sequence[str]] = BENCHES, limit_s: float = LIMIT_S
) -> list[dict[str, Any]]:
    """What each of them printed; one that failed is an entry with its name and its `error`."""
    return [await _one(name, settings, limit_s) for name, settings in benches.items()]


async def _one(name: str, settings: Sequence[str], limit_s: float) -> dict[str, Any]:
    start = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        name,
        "--json",
        *settings,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told = {"name": name, "settings": " ".join(settings)}
    try:
        async with asyncio.timeout(limit_s):
            out, errors = await process.communicate()
    except TimeoutError:
        return {**told, "error": f"not done in {limit_s:g} s"}
    finally:
        await _end(process)
    took = {"took_s": round(perf_counter() - start, 1)}
    try:
        report = json.loads(out.decode().strip().splitlines()[-1])
    except (ValueError, IndexError):
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return {**told, **took, "error": f"exit {process.returncode}: {last[0][:300]}"}
    return {**told, **took, **report}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Gently first, so that it ends what it has started itself."""
    for send in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        send()
        try:
            async with asyncio.timeout(10):
                await process.communicate()
        except TimeoutError:
            continue


def print_table(reports: Sequence[Mapping[str, Any]]) -> None:
    """The goals of all, for a person."""
    console = Console(highlight=False)
    table = Table("bench", "goal", "value", "limit", "")
    for report in reports:
        if "error" in report:
            table.add_row(report["name"], report["error"], "", "", "[red]failed[/red]")
            continue
        for goal in report["goals"]:
            mark = "[green]met[/green]" if goal["met"] else "[red]missed[/red]"
            value = f"{goal['value']:g} {goal['unit']}"
            table.add_row(report["name"], goal["name"], value, f"{goal['limit']:g}", mark)
    console.print(table)
