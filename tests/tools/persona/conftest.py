"""The `doll persona` commands, as an owner types them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.tools.terminal import type_command

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
        return await type_command(
            "persona",
            *arguments,
            folder=tmp_path,
            typed=typed,
            environment={
                "DOLL_RELAY__DATA": str(data),
                "LC_ALL": f"{language}.UTF-8",
                "EDITOR": editor,
            },
        )

    return run
