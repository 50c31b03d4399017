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


def with_sound(prompt: Path, setup: str) -> None:
    """Gives the prompt's process the fake `sounddevice`, under the name `device` in `setup`."""
    app_py = prompt / "tests_app.py"
    fake = Path(__file__).parent / "fake_sounddevice"
    app_py.write_text(
        f"import sys\nsys.path.insert(0, {str(fake)!r})\n"
        "import numpy as np\nimport sounddevice as device\n"
        f"{setup}\n{app_py.read_text()}"
    )


TONE = "(8000 * np.sin(np.arange({n}) * 2 * np.pi * 440 / {rate})).astype(np.int16)"


def pitch_hz(pcm: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(pcm)).argmax() * 16_000 / len(pcm))


async def test_at_the_prompt_the_doll_hears_the_microphone_and_its_reply_is_played(
    echo_relay: Any, prompt: Path
) -> None:
    tone = TONE.format(n=48_000, rate=48_000)
    with_sound(prompt, f"device.rates['input'] = [48_000]; device.hears = {tone}")
    code, stdout = await talk(prompt, echo_relay.url, ("state idle", "t\n\nq\n"))
    assert code == 0
    assert "Speak, then press Enter (30 s at most)." in stdout
    reply = read_question(prompt / "out" / "reply-1.wav")
    assert f"play {len(reply)} samples at 16000 Hz" in stdout
    assert pitch_hz(np.concatenate(echo_relay.heard)) == pytest.approx(440, abs=2)
    assert pitch_hz(reply) == pytest.approx(440, abs=2)


async def test_at_the_prompt_a_recording_ends_at_its_limit(echo_relay: Any, prompt: Path) -> None:
    with_sound(
        prompt,
        f"device.hears = {TONE.format(n=20_000, rate=16_000)}\n"
        "import tools.simulator.sound\ntools.simulator.sound.MAX_RECORDING_S = 1",
    )
    # Nothing more is typed until the doll listens.
    code, stdout = await talk(
        prompt, echo_relay.url, ("state idle", "talk\n"), ("listen start", "q\n")
    )
    assert code == 0
    assert "1 s are over" in stdout
    assert "reply-1.wav" in stdout


async def test_at_the_prompt_the_end_of_the_input_ends_a_recording_and_then_the_prompt(
    echo_relay: Any, prompt: Path
) -> None:
    with_sound(prompt, f"device.hears = {TONE.format(n=8000, rate=16_000)}")
    code, stdout = await talk(prompt, echo_relay.url, ("state idle", "talk\n"))
    assert code == 0
    assert "reply-1.wav" in stdout


async def test_at_the_prompt_questions_go_on_without_microphone_and_speakers(
    echo_relay: Any, spoken: Path, prompt: Path
) -> None:
    with_sound(prompt, "device.rates.update(input=[], output=[])")
    lines = f"talk\n{spoken}\n{spoken}\nq\n"
    code, stdout = await talk(prompt, echo_relay.url, ("state idle", lines))
    assert code == 0
    assert stdout.count("no microphone can be opened") == 1
    assert stdout.count("no speakers can be opened") == 2
    assert "reply-2.wav" in stdout


async def test_at_the_prompt_it_is_said_what_to_install_to_talk(
    echo_relay: Any, prompt: Path
) -> None:
    with_sound(prompt, "sys.modules['sounddevice'] = None")
    code, stdout = await talk(prompt, echo_relay.url, ("state idle", "talk\nq\n"))
    assert code == 0
    assert stdout.count("pip install 'talking-doll[sound]'") == 2, (
        "at the start, and when asked for"
    )
