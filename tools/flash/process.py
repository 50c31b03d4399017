"""Runs mpremote and esptool as child processes, line by line, and never waits for ever."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_CHUNK = 4096
_MAX_KEPT = 1 << 20  #: characters of output


@dataclass(frozen=True, slots=True)
class Finished:
    """A child process that has ended."""

    code: int | None  #: None: it said nothing for too long and was ended
    output: str  #: stdout and stderr, in the order in which they came


def run_module(
    module: str,
    arguments: Sequence[str],
    *,
    silence_s: float,
    on_line: Callable[[str], None] = lambda _: None,
) -> Finished:
    """Runs `python -m module` to its end, or until it has been silent for `silence_s`.

    A cancelled run (ctrl-C) ends the child as well. Not for use inside an event loop.
    """
    return asyncio.run(_run(module, arguments, silence_s, on_line))


async def _run(
    module: str, arguments: Sequence[str], silence_s: float, on_line: Callable[[str], None]
) -> Finished:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout is not None
    kept: list[str] = []
    partial = ""
    code: int | None = None
    try:
        while True:
            async with asyncio.timeout(silence_s):
                data = await process.stdout.read(_CHUNK)
            if not data:
                break
            *lines, partial = (partial + data.decode(errors="replace")).split("\n")
            for line in lines:
                on_line(line.rstrip("\r"))
                kept.append(line.rstrip("\r"))
            if sum(map(len, kept)) > _MAX_KEPT:
                kept.clear()
        async with asyncio.timeout(silence_s):
            code = await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Finished(code, "\n".join([*kept, partial]).strip("\n"))
