"""Installing without `doll flash`: the plain mpremote commands that the README shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.tools.flash.conftest import REPOSITORY, Run
from tools.flash.build import build
from tools.simulator.serial_board import SerialBoard

Files = Callable[[], Awaitable[dict[str, str]]]

#: Without `mpremote connect PORT`, which mpremote leaves out if there is one board.
BY_MIP = "mip install --target / firmware/package.json"
BY_COPY = (
    "fs cp firmware/boot.py firmware/main.py :",
    "fs cp -r firmware/doll firmware/boards :",
)
SETTINGS = "fs cp settings.json :settings.json"
RESTART = "reset"


@pytest.fixture
def folder_of_settings(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_text('{"wifi": []}')
    return tmp_path


@pytest.mark.parametrize("commands", [[BY_MIP], list(BY_COPY)], ids=["mip", "cp"])
async def test_plain_mpremote_installs_the_same_files(
    commands: list[str],
    board: SerialBoard,
    mpremote: Run,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
    folder_of_settings: Path,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    for command in commands:
        code, output = await mpremote(*shlex.split(command))
        assert code == 0, output
    found = {path: sha for path, sha in (await files()).items() if "__pycache__" not in path}
    assert found == {file.path: file.sha256 for file in build(REPOSITORY / "firmware", "").files}
    monkeypatch.chdir(folder_of_settings)
    for command in (SETTINGS, RESTART):
        code, output = await mpremote(*shlex.split(command))
        assert code == 0, output
    await board.until(b"[doll] I setup open")


def test_the_readme_shows_no_other_commands() -> None:
    known = {BY_MIP, *BY_COPY, SETTINGS, RESTART}
    for name in ("README.md", "README.ko.md"):
        path = REPOSITORY / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for command in re.findall(
            r"^(?:\.venv/bin/)?mpremote (.*?)\s*(?:#.*)?$", text, re.MULTILINE
        ):
            assert command in known, command
