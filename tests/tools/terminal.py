"""The `doll` command as it is typed: a process of its own, which does not have to load it first.

Each is forked from one process that has loaded the command; loading it takes a second of a core,
which hundreds of commands under test would take again and again.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path

import pytest

_COLUMNS = "200"
_LIMIT_S = 60

_OF_THIS_MACHINE = ("DOLL_", "GEMINI_", "OPENAI_", "VISUAL")

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["__main__", "tools.cli", "tests.tools.terminal"])


async def type_command(
    *arguments: str, folder: Path, environment: Mapping[str, str], typed: str = ""
) -> tuple[int, str, str]:
    """Run `doll …` in `folder`: its exit code, standard output and standard error.

    `typed` is what a person answers, who is not at a terminal. `environment` comes on top of that
    of the tests, of which this machine's own settings are left out.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_OF_THIS_MACHINE)}
    changed = {**inherited, "COLUMNS": _COLUMNS, **environment}
    return await asyncio.to_thread(_run, arguments, folder, changed, typed)


def _run(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], typed: str
) -> tuple[int, str, str]:
    with tempfile.TemporaryDirectory() as streams:
        stdin, stdout, stderr = files = [Path(streams) / name for name in ("in", "out", "err")]
        stdin.write_text(typed, encoding="utf-8")
        stdout.touch()
        stderr.touch()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", _COLUMNS)  # consoles ask for it when their modules are loaded
            forkserver.ensure_running()
        process = _forks.Process(target=_be_doll, args=(arguments, folder, environment, files))
        process.start()
        process.join(_LIMIT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        assert code is not None
        return code, stdout.read_text("utf-8"), stderr.read_text("utf-8")


def _be_doll(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], files: list[Path]
) -> None:
    from tools.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(files):  # by number, for a command's own processes have them too
        file = os.open(path, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.argv = ["doll", *arguments]
    main()
