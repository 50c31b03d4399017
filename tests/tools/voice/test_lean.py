"""An engine's environment has the relay's core and the engine, and no other extra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_EXTRAS = ["av", "onnxruntime", "faster_whisper", "soundfile", "edge_tts", "redis"]

_SERVE = f"""
import sys
for name in {_EXTRAS!r}:
    sys.modules[name] = None
from tools.cli import main
sys.argv = ["doll", "voice", *sys.argv[1:]]
main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _SERVE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )


def test_the_command_runs_there_and_misses_only_the_engine() -> None:
    ran = run("serve")
    assert ran.returncode == 2
    assert "talking-doll[voice-qwen]" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_recording_needs_an_extra_that_is_named() -> None:
    ran = run("add", "jinju", "README.md", "--consent", "진주")
    assert ran.returncode == 1
    assert "talking-doll[voice]" in ran.stderr
