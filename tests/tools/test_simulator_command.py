from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tools.simulator.command import sim
from tools.simulator.wav import read_question, write_wav

app = typer.Typer()
app.command()(sim)


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    tone = 8000 * np.sin(np.arange(8000) / 5)
    write_wav(tmp_path / "spoken.wav", tone.astype(np.int16))
    return tmp_path / "spoken.wav"


async def run(*args: str) -> tuple[int, str, str]:
    """Runs the command in a thread, while this loop serves the relay."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(args))
    return result.exit_code, result.stdout, result.stderr


async def test_each_question_is_a_turn_of_the_json_report(
    echo_relay: Any, spoken: Path, tmp_path: Path
) -> None:
    wavs = ["--wav", str(spoken), "--wav", str(spoken)]
    out = str(tmp_path / "out")
    code, stdout, _ = await run("--relay", echo_relay.url, *wavs, "--out", out, "--json")
    report = json.loads(stdout)
    assert code == 0
    assert report["error"] is None
    assert len(report["turns"]) == 2
    turn = report["turns"][1]
    assert turn["reply"] == "that is what I heard."
    assert turn["question_wav"] == str(spoken)
    assert len(read_question(Path(turn["reply_wav"]))) > 4000
    assert turn["timeline"]["wait"] > 0
    assert turn["heap_per_frame"] == 0


async def test_a_person_reads_what_was_heard_and_said(
    echo_relay: Any, spoken: Path, tmp_path: Path
) -> None:
    code, stdout, stderr = await run(
        *("--relay", echo_relay.url, "--wav", str(spoken), "--out", str(tmp_path)),
        *("--mode", "tap", "--verbose"),
    )
    assert code == 0
    assert "that is what I heard." in stdout
    assert "[doll] I listen start mode=auto" in stderr


async def test_a_failure_is_one_line_on_stderr_an_exit_code_and_part_of_the_report(
    echo_relay: Any, tmp_path: Path
) -> None:
    code, stdout, stderr = await run(
        *("--relay", echo_relay.url + "?secret=1", "--wav", str(tmp_path / "none.wav")),
        *("--out", str(tmp_path), "--json"),
    )
    assert code == 1
    assert "cannot read" in json.loads(stdout)["error"]
    assert "cannot read" in stderr
    assert "secret" not in stdout


async def talk(tmp_path: Path, relay_url: str, *typed: tuple[str, str]) -> tuple[int, str]:
    """Runs the prompt as a process of its own, with a pipe for the keyboard.

    Each text is typed when the doll's log, on stderr, has shown the one before it.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from tests_app import app; app()"),
        *("--relay", relay_url, "--out", str(tmp_path / "out")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}", "LANG": "en_US.UTF-8"},
    )
    assert process.stdin is not None
    assert process.stderr is not None
    for seen, text in typed:
        while seen.encode() not in (line := await process.stderr.readline()):
            assert line, f"the log ended without {seen!r}"
        process.stdin.write(text.encode())
    out, _ = await process.communicate(b"")
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    (tmp_path / "tests_app.py").write_text(
        "import typer\nfrom tools.simulator.command import sim\n"
        "app = typer.Typer()\napp.command()(sim)\n"
    )
    return tmp_path


async def test_at_the_prompt_a_file_is_asked_and_a_mistake_is_told(
    echo_relay: Any, spoken: Path, prompt: Path
) -> None:
    lines = f"nothing.wav\n{spoken}\nhelp\nq\n"
    code, stdout = await talk(prompt, echo_relay.url, ("state idle", lines))
    assert code == 0
    assert "cannot read nothing.wav" in stdout
    assert "reply-1.wav" in stdout
    assert stdout.count("FILE.wav") == 2, "at the start, and when asked for"
    assert (prompt / "out" / "reply-1.wav").is_file()


async def test_at_the_prompt_the_button_and_the_wifi_are_worked_by_words(
    echo_relay: Any, prompt: Path
) -> None:
    code, _ = await talk(
        prompt,
        echo_relay.url,
        ("state idle", "hold\n"),
        ("button hold", "release\n"),
        ("button release", "wifi down\n"),
        ("relay lost", "wifi up\n"),
        ("relay connected", ""),
    )
    assert code == 0, "the end of the input is the end"


