"""The `doll` command beside a relay that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.tools.terminal import type_command

#: Runs `doll …` with the relay's data folder: exit code, standard output, standard error.
Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def doll(tmp_path: Path) -> Run:
    async def run(*arguments: str, data: Path, language: str = "C") -> tuple[int, str, str]:
        return await type_command(
            *arguments,
            folder=tmp_path,
            environment={"DOLL_RELAY__DATA": str(data), "LC_ALL": f"{language}.UTF-8"},
        )

    return run
