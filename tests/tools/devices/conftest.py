"""The `doll` command beside a relay that runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

#: Runs `doll …` with the relay's data folder: exit code, standard output, standard error.
Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def doll(tmp_path: Path) -> Run:
    async def run(*arguments: str, data: Path, language: str = "C") -> tuple[int, str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("DOLL_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.cli", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={
                **inherited,
                "PYTHONPATH": str(REPOSITORY),
                "DOLL_RELAY__DATA": str(data),
                "LC_ALL": f"{language}.UTF-8",
                "COLUMNS": "200",
            },
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()

    return run
