"""Whole dolls, in real time: the real firmware against a small relay, and firmwares that fail."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.simulator import micropython
from tools.simulator.console import BoardEvent, Item
from tools.simulator.doll import FIRMWARE, SimulatedDoll
from tools.simulator.errors import CrashError, SimulatorError, TurnError
from tools.simulator.heap import ESP32_KB
from tools.simulator.turn import AskMode
from tools.simulator.wav import read_question, write_wav

RATE = 16_000


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """Half a second of a melody between silences, short enough for many turns."""
    t = np.arange(RATE // 2) / RATE
    melody = 8000 * np.sin(2 * np.pi * (300 + 400 * t) * t)
    silence = np.zeros(RATE // 5)
    pcm = np.concatenate([silence, melody, silence]).astype(np.int16)
    write_wav(tmp_path / "spoken.wav", pcm)
    return tmp_path / "spoken.wav"


@pytest.fixture
async def doll(echo_relay: Any, tmp_path: Path) -> AsyncIterator[SimulatedDoll]:
    settings = {"volume": 100}
    async with SimulatedDoll(echo_relay.url, settings=settings, out=tmp_path / "out") as doll:
        await doll.ready()
        yield doll


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """How alike two recordings are at the best shift: 1 for the same, about 0 for strangers."""
    n = len(a) + len(b)
    both = np.fft.irfft(np.fft.rfft(a, n) * np.conj(np.fft.rfft(b, n)))
    return float(both.max() / np.sqrt((a**2.0).sum() * (b**2.0).sum()))


@pytest.mark.parametrize("mode", [AskMode.HOLD, AskMode.TAP])
async def test_a_question_goes_to_the_relay_and_its_reply_comes_back(
    doll: SimulatedDoll, echo_relay: Any, spoken: Path, mode: AskMode
) -> None:
    reply = await doll.ask(spoken, mode)
    question = read_question(spoken)
    heard = np.concatenate(echo_relay.heard)
    assert likeness(question, heard) > 0.9, "the relay hears the question"
    assert likeness(question, read_question(reply.wav)) > 0.85, "the speaker plays the reply"
    assert reply.transcript == f"{reply.frames_sent} frames"
    assert reply.text == "that is what I heard."
    assert reply.emotion == "happy"
    assert reply.frames_played + reply.frames_lost >= reply.frames_sent > 0
    assert reply.heap_per_frame == 0
    times = reply.timeline
    order = [times.press, times.speech_start, times.speech_end]
    order += [times.release] if mode is AskMode.HOLD else []
    order += [times.stt, times.tts_start, times.first_audio, times.last_audio]
    assert None not in order
    assert order == sorted(order)
    report = await echo_relay.reports.get()
    assert report["frames_played"] == reply.frames_played


async def test_turns_follow_each_other_and_each_reply_has_its_file(
    doll: SimulatedDoll, spoken: Path
) -> None:
    first = await doll.ask(spoken)
    second = await doll.ask(read_question(spoken), AskMode.TAP)
    assert [first.wav.name, second.wav.name] == ["reply-1.wav", "reply-2.wav"]
    for reply in (first, second):
        assert likeness(read_question(spoken), read_question(reply.wav)) > 0.85


async def test_a_hands_free_doll_needs_no_button(echo_relay: Any, spoken: Path) -> None:
    async with SimulatedDoll(echo_relay.url, hands_free=True) as doll:
        await doll.ready()
        reply = await doll.ask(spoken, AskMode.HANDS_FREE)
        assert reply.text == "that is what I heard."
        assert reply.timeline.press is None
        with pytest.raises(TurnError, match="hands-free"):
            await doll.ask(spoken, AskMode.HOLD)


async def test_the_firmware_fits_in_the_smallest_board(echo_relay: Any, spoken: Path) -> None:
    async with SimulatedDoll(echo_relay.url, heap_kb=ESP32_KB) as doll:
        await doll.ready()
        assert (await doll.ask(spoken)).text == "that is what I heard."


async def test_a_button_is_let_go_when_its_turn_fails(doll: SimulatedDoll, spoken: Path) -> None:
    with pytest.raises(TurnError, match="not over"):
        await doll.ask(spoken, limit_s=0.5)
    await doll.ready()


async def test_the_relay_gets_the_dolls_id_and_token(echo_relay: Any) -> None:
    async with SimulatedDoll(echo_relay.url, device_id="aa:bb:cc:dd:ee:ff", token="t0k3n") as doll:
        await doll.ready()
    headers = {name.lower(): value for name, value in echo_relay.headers[0].items()}
    assert headers["device-id"] == "aa:bb:cc:dd:ee:ff"
    assert headers["authorization"] == "Bearer t0k3n"


async def test_a_relay_that_goes_away_ends_the_turn_and_the_doll_comes_back(
    doll: SimulatedDoll, echo_relay: Any, spoken: Path
) -> None:
    echo_relay.close_on_listen = True
    reply = await doll.ask(spoken)
    assert reply.transcript == ""
    assert any("relay lost" in warning for warning in reply.warnings)
    echo_relay.close_on_listen = False
    await doll.ready()
    assert (await doll.ask(spoken)).text == "that is what I heard."


async def test_a_relay_that_never_answers_ends_in_a_clear_error(
    doll: SimulatedDoll, echo_relay: Any, spoken: Path
) -> None:
    echo_relay.mute = True
    with pytest.raises(TurnError, match=r"(?s)not over after 3 s.*thinking.*listen stop"):
        await doll.ask(spoken, limit_s=3)


async def test_a_relay_that_is_not_there_is_named_in_the_error(unused_tcp_port: int) -> None:
    async with SimulatedDoll(f"ws://127.0.0.1:{unused_tcp_port}/") as doll:
        with pytest.raises(SimulatorError, match=r"(?s)not ready after 2 s.*relay lost"):
            await doll.ready(limit_s=2)


async def test_a_file_that_is_no_wav_is_refused_before_the_turn(
    doll: SimulatedDoll, tmp_path: Path, spoken: Path
) -> None:
    (tmp_path / "no.wav").write_text("hello")
    with pytest.raises(SimulatorError, match=r"no\.wav"):
        await doll.ask(tmp_path / "no.wav")
    assert (await doll.ask(spoken)).text


async def test_the_wifi_can_be_dropped_and_brought_back(doll: SimulatedDoll) -> None:
    doll.wifi(up=False)
    await doll.until_state("connecting")
    doll.wifi(up=True)
    await doll.ready()


def firmware(folder: Path, main: str, **files: str) -> Path:
    """A firmware of one's own."""
    folder.mkdir()
    (folder / "main.py").write_text(main, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


LIVE = "import machine, time\npin = machine.Pin(0)\nwhile True:\n    pin()\n    time.sleep_ms(2)\n"


async def test_a_firmware_that_fails_shows_its_traceback(tmp_path: Path) -> None:
    broken = firmware(tmp_path / "fw", "import settings\n", settings="def f():\n    1 / 0\nf()\n")
    async with SimulatedDoll("ws://127.0.0.1:9/", firmware=broken) as doll:
        with pytest.raises(CrashError, match=r"(?s)settings\.py.*line 2.*ZeroDivisionError"):
            await doll.ready()


async def test_a_crash_that_the_firmware_logs_itself_ends_in_its_traceback(tmp_path: Path) -> None:
    main = (
        "import sys, machine\nprint('[doll] E crash ValueError()')\n"
        "try:\n    raise ValueError('the reason')\nexcept Exception as e:\n"
        "    sys.print_exception(e)\nmachine.reset()\n"
    )
    async with SimulatedDoll("ws://x/", firmware=firmware(tmp_path / "fw", main)) as doll:
        with pytest.raises(CrashError, match=r"(?s)crashed.*ValueError: the reason"):
            await doll.ready()
        assert doll.restarts == 0


async def test_a_firmware_that_just_ends_is_an_error(tmp_path: Path) -> None:
    fw = firmware(tmp_path / "fw", "print('bye')\n")
    async with SimulatedDoll("ws://x/", firmware=fw) as doll:
        with pytest.raises(CrashError, match=r"(?s)ended \(exit code 0\).*bye"):
            await doll.ready()


async def test_a_reset_starts_the_firmware_again_with_its_flash_and_its_cause(
    tmp_path: Path,
) -> None:
    main = (
        "import machine, os\n"
        "if 'second' not in os.listdir():\n    open('second', 'w').close()\n    machine.reset()\n"
        "print('[doll] I cause', machine.reset_cause())\nprint('[doll] I state idle')\n" + LIVE
    )
    seen: list[Item] = []
    fw = firmware(tmp_path / "fw", main)
    async with SimulatedDoll("ws://x/", firmware=fw, on_item=seen.append) as doll:
        await doll.ready()
        assert doll.restarts == 1
    reasons = [i.fields["reason"] for i in seen if isinstance(i, BoardEvent) and i.name == "exit"]
    assert reasons == ["reset", "off"]


async def test_a_firmware_that_only_resets_is_given_up(tmp_path: Path) -> None:
    fw = firmware(tmp_path / "fw", "import machine\nmachine.reset()\n")
    async with SimulatedDoll("ws://x/", firmware=fw) as doll:
        with pytest.raises(CrashError, match="restarted more than"):
            await doll.ready()


async def test_a_firmware_that_hangs_is_killed_when_the_doll_is_switched_off(
    tmp_path: Path,
) -> None:
    fw = firmware(tmp_path / "fw", "print('[doll] I state idle')\nwhile True: pass\n")
    async with SimulatedDoll("ws://x/", firmware=fw) as doll:
        await doll.ready()
        pid = pid_of(doll)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_no_process_is_left_when_the_task_is_cancelled(echo_relay: Any) -> None:
    started = asyncio.Event()
    pids: list[int] = []

    async def use() -> None:
        async with SimulatedDoll(echo_relay.url) as doll:
            pids.append(pid_of(doll))
            started.set()
            await doll.until_state("never", limit_s=60)

    task = asyncio.create_task(use())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def pid_of(doll: SimulatedDoll) -> int:
    assert doll._board is not None
    assert doll._board._process is not None
    return doll._board._process.pid


async def test_a_console_without_end_is_no_burden(tmp_path: Path) -> None:
    main = (
        "import sys\nfor i in range(200):\n    sys.stdout.write('x' * 10000)\n"
        "sys.stderr.write('y' * 100000)\nprint()\nprint('[doll] I state idle')\n" + LIVE
    )
    seen: list[Item] = []
    fw = firmware(tmp_path / "fw", main)
    async with SimulatedDoll("ws://x/", firmware=fw, on_item=seen.append) as doll:
        await doll.ready()
        assert doll._board is not None
        assert len(doll._board.stderr) < 20_000
    assert max(len(repr(item)) for item in seen) < 5000


async def test_settings_go_over_the_defaults_and_keys_of_this_machine_stay_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    main = (
        "import os\nprint('[doll] I key', os.getenv('GEMINI_API_KEY'))\n"
        "print('[doll] I state idle')\n" + LIVE
    )
    flash = tmp_path / "flash"
    seen: list[Item] = []
    async with SimulatedDoll(
        "ws://x/",
        settings={"volume": 3},
        flash=flash,
        firmware=firmware(tmp_path / "fw", main),
        on_item=seen.append,
    ) as doll:
        await doll.ready()
    assert json.loads((flash / "settings.json").read_text())["volume"] == 3
    assert any("key None" in repr(item) for item in seen)


async def test_a_folder_without_firmware_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"main\.py is missing"):
        async with SimulatedDoll("ws://x/", firmware=tmp_path):
            pass
    assert (FIRMWARE / "main.py").is_file()


def test_without_micropython_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(micropython, "_MODULE", "there_is_no_such_module")
    with pytest.raises(SimulatorError, match=r"pip install 'talking-doll\[doll\]'"):
        micropython.micropython_command()
