"""The `doll persona` commands, as an owner types them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

#: Runs `doll persona …`: exit code, standard output, standard error. `typed` is what is typed.
Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "relay-data"


@pytest.fixture
def persona(tmp_path: Path, data: Path) -> Run:
    async def run(
        *arguments: str, typed: str = "", language: str = "C", editor: str = "true"
    ) -> tuple[int, str, str]:
        unwanted = ("DOLL_", "GEMINI_", "OPENAI_", "VISUAL")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.cli", "persona", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={
                **inherited,
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONUTF8": "1",
                "DOLL_RELAY__DATA": str(data),
                "LC_ALL": f"{language}.UTF-8",
                "COLUMNS": "200",
                "EDITOR": editor,
            },
        )
        output, errors = await process.communicate(typed.encode())
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()

    return run
