"""The board's other parts and its control channel, in virtual time."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OnBoard = Callable[..., list[Any]]

PRELUDE = """
import gc, json, sys, time
import sim, machine
from machine import Pin

def tell(*values):
    print(json.dumps(values))

# Lets the board's clock run, as a firmware's loops would.
def live(ms=1000, step=None):
    for i in range(ms):
        sim.poll()
        if step: step()
        time.sleep_ms(1)
"""


def events(lines: list[Any], name: str) -> list[Any]:
    return [line for line in lines if isinstance(line, dict) and line["event"] == name]


def told(lines: list[Any]) -> list[Any]:
    return [line for line in lines if isinstance(line, list)]


def commands(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


BUTTON = """
pin = Pin(0, Pin.IN, Pin.PULL_UP)
seen = []
pin.irq(lambda p: seen.append(p.value()))
"""


def test_the_button_pulls_its_pin_down_and_wakes_its_handler(on_board: OnBoard) -> None:
    script = PRELUDE + BUTTON + "live()\ntell(*seen)\n"
    lines = on_board(script, commands=commands('{"cmd":"press"}', '{"cmd":"release"}'))
    assert told(lines) == [[0, 1]]


def test_a_tap_lets_go_after_a_tenth_of_a_second(on_board: OnBoard) -> None:
    script = PRELUDE + (
        "pin = Pin(0, Pin.IN, Pin.PULL_UP)\nchanges = []\n"
        "pin.irq(lambda p: changes.append(time.ticks_ms()))\n"
        "live()\ntell(changes[1] - changes[0], pin.value())\n"
    )
    lines = on_board(script, commands=commands('{"cmd":"tap"}'))
    ((held, level),) = told(lines)
    assert 100 <= held <= 104
    assert level == 1


def test_a_button_that_was_pressed_before_its_pin_was_made_is_seen_as_pressed(
    on_board: OnBoard,
) -> None:
    script = PRELUDE + "live()\ntell(Pin(0, Pin.IN, Pin.PULL_UP).value())\n"
    assert told(on_board(script, commands=commands('{"cmd":"press"}'))) == [[0]]


def test_another_board_has_its_button_elsewhere_and_the_other_way_round(on_board: OnBoard) -> None:
    script = PRELUDE + "live()\ntell(Pin(39, Pin.IN).value(), Pin(0, Pin.IN).value())\n"
    lines = on_board(
        script,
        commands=commands('{"cmd":"press"}'),
        SIM_BUTTON_PIN="39",
        SIM_BUTTON_PRESSED="1",
    )
    assert told(lines) == [[1, 0]]


@pytest.mark.parametrize(
    "line",
    [
        '{"cmd":"dance"}',
        "{",
        "[]",
        "3",
        "null",
        '{"cmd":["press"]}',
        '{"cmd":"wifi"}',
        '{"cmd":"wifi","state":"sideways"}',
        '{"cmd":"load","wav":"there-is-none.wav"}',
        '{"cmd":"start"} ',
        '{"cmd":"' + "x" * 5000 + '"}',
        "\udcff\udcfe",
        "",
    ],
)
def test_a_command_that_cannot_be_obeyed_is_an_error_event_and_no_more(
    on_board: OnBoard, line: str
) -> None:
    script = (
        PRELUDE + "import network\nfrom machine import I2S\n" + BUTTON + "live()\ntell(*seen)\n"
    )
    lines = on_board(script, commands=commands(line, '{"cmd":"press"}'))
    assert len(events(lines, "error")) == 1
    assert told(lines) == [[0]], "the next command is obeyed"


@pytest.mark.parametrize(("last", "hang_up"), [('{"cmd":"quit"}', False), ("", True)])
def test_quit_and_the_end_of_stdin_end_the_board(
    on_board: OnBoard, last: str, hang_up: bool
) -> None:
    script = PRELUDE + BUTTON + "try:\n    live()\nfinally:\n    tell(*seen)\n"
    lines = on_board(
        script, commands='{"cmd":"press"}\n' + last + "\n" * bool(last), hang_up=hang_up
    )
    assert told(lines) == [[0]]


def test_stdin_belongs_to_the_script_if_nobody_asked_for_control(on_board: OnBoard) -> None:
    script = PRELUDE + "for i in range(100):\n    sim.poll()\n    time.sleep_ms(1)\ntell('alive')\n"
    assert told(on_board(script)) == [["alive"]]


def question(path: Path, samples: int, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\x10\x27" * samples * channels)
    return path


MICROPHONE = """
from machine import I2S
mic = I2S(0, sck=Pin(1), ws=Pin(2), sd=Pin(3), mode=I2S.RX, bits=16, format=I2S.MONO, rate=16000,
          ibuf=16384)
mic.ioctl(3, 1)
buf = bytearray(512)
loud = [0]
def hear():
    while mic.readinto(buf):
        for i in range(0, 512, 2):
            if buf[i] == 0x10 and buf[i + 1] == 0x27: loud[0] += 1
"""


def test_a_wav_is_heard_once_from_its_start_command_on(on_board: OnBoard, tmp_path: Path) -> None:
    wav = question(tmp_path / "q.wav", 1000)
    script = PRELUDE + MICROPHONE + ("time.sleep_ms(100)\nhear()\nlive(200, hear)\ntell(loud[0])\n")
    play = json.dumps({"cmd": "play", "wav": str(wav)})
    lines = on_board(script, commands=commands(play))
    assert told(lines) == [[1000]]
    (start,) = events(lines, "mic_start")
    (done,) = events(lines, "mic_done")
    # 62.5 ms of sound, then at most a DMA buffer until somebody reads it.
    assert 62 <= done["t_ms"] - start["t_ms"] <= 62 + 17


def test_a_wav_without_a_microphone_is_an_error_event(on_board: OnBoard, tmp_path: Path) -> None:
    play = json.dumps({"cmd": "play", "wav": str(question(tmp_path / "q.wav", 10))})
    lines = on_board(PRELUDE + "from machine import I2S\nlive()\n", commands=commands(play))
    assert "no microphone" in events(lines, "error")[0]["message"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no WAV"),
        (b"RIFF\0\0\0\0WAVE", "no samples"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "format"),
        (b"RIFF\0\0\0\0WAVEjunk\x03\0\0\0abc\0", "no samples"),
        (b"\x00" * 100, "no WAV"),
    ],
)
def test_a_file_that_is_no_wav_is_an_error_event(
    on_board: OnBoard, tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "bad.wav").write_bytes(data)
    lines = on_board(
        PRELUDE + MICROPHONE + "live()\n", commands=commands('{"cmd":"load","wav":"bad.wav"}')
    )
    assert reason in events(lines, "error")[0]["message"]


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16_000, 2)])
def test_a_wav_of_another_format_is_an_error_event(
    on_board: OnBoard, tmp_path: Path, rate: int, channels: int
) -> None:
    question(tmp_path / "q.wav", 10, rate, channels)
    lines = on_board(
        PRELUDE + MICROPHONE + "live()\n", commands=commands('{"cmd":"load","wav":"q.wav"}')
    )
    assert "16-bit mono" in events(lines, "error")[0]["message"]


def test_nothing_that_happens_in_a_turn_takes_heap(on_board: OnBoard, tmp_path: Path) -> None:
    question(tmp_path / "q.wav", 4000)
    script = (
        PRELUDE
        + MICROPHONE
        + (
            "from neopixel import NeoPixel\n"
            "light = NeoPixel(Pin(48), 1)\ncolours = ((0, 10, 20), (255, 0, 7))\n"
            "pin = Pin(0, Pin.IN, Pin.PULL_UP)\npin.irq(lambda p: None)\n"
            "mic.microphone.load('q.wav')\nsteps = [0]\n"
            "def step():\n"
            "    hear()\n    steps[0] += 1\n"
            "    light[0] = colours[steps[0] // 200 & 1]\n    light.write()\n"
            "live(5, step)\nhidden = sim._input\nsim._input = None\nlive(1000, step)\n"
            "before = 0\ngc.collect()\ngc.disable()\nbefore = gc.mem_alloc()\n"
            "sim._input = hidden\nlive(1000, step)\n"
            "tell(gc.mem_alloc() - before, loud[0])\n"
        )
    )
    turn = [f'{{"cmd":"{name}"}}' for name in ("release", "press", "start", "release", "tap")]
    lines = on_board(script, commands=commands(*turn))
    assert told(lines) == [[0, 4000]]
    assert events(lines, "mic_done")
    assert len(events(lines, "light")) >= 10


def test_the_light_tells_its_last_colour_however_fast_it_changes(on_board: OnBoard) -> None:
    script = PRELUDE + (
        "from neopixel import NeoPixel\nlight = NeoPixel(Pin(48), 2)\n"
        "for n in range(100):\n    light[0] = (n, 0, 255)\n    light.write()\n"
        "    time.sleep_ms(1)\n"
        "light.fill((1, 2, 3))\nlight.write()\nlive(300)\ntell(*light[0])\n"
    )
    lines = on_board(script)
    assert told(lines) == [[1, 2, 3]]
    lights = events(lines, "light")
    assert lights[-1]["rgb"] == [1, 2, 3]
    assert len(lights) <= 3


def test_the_watchdog_resets_a_board_that_forgets_it(on_board: OnBoard) -> None:
    script = PRELUDE + (
        "dog = machine.WDT(timeout=100)\n"
        "for i in range(300):\n    dog.feed()\n    time.sleep_ms(1)\ntell('fed')\n"
        "while True:\n    sim.poll()\n    time.sleep_ms(1)\n"
    )
    lines = on_board(script, code=4)
    assert told(lines) == [["fed"]]
    assert events(lines, "watchdog")[0]["timeout_ms"] == 100


WIFI = """
import network
wlan = network.WLAN(network.WLAN.IF_STA)
wlan.active(True)
def connect(password):
    wlan.connect("home", password)
    states = [wlan.status()]
    for i in range(400):
        if wlan.status() != states[-1]: states.append(wlan.status())
        time.sleep_ms(1)
    return states
"""


@pytest.mark.parametrize(
    ("environment", "states"),
    [
        ({}, [1001, 1010]),
        ({"SIM_WIFI_SSID": "home", "SIM_WIFI_PASSWORD": "right"}, [1001, 1010]),
        ({"SIM_WIFI_PASSWORD": "other"}, [1001, 202]),
        ({"SIM_WIFI_SSID": "elsewhere"}, [1001, 201]),
        ({"SIM_WIFI": "down"}, [1001, 201]),
        ({"SIM_WIFI_MS": "1000"}, [1001]),
    ],
)
def test_wifi_connects_after_a_while_or_says_why_not(
    on_board: OnBoard, environment: dict[str, str], states: list[int]
) -> None:
    script = PRELUDE + WIFI + "tell(*connect('right'))\n"
    assert told(on_board(script, **environment)) == [states]


def test_wifi_drops_and_comes_back_by_command(on_board: OnBoard) -> None:
    script = (
        PRELUDE
        + WIFI
        + (
            "sim._input, hidden = None, sim._input\nconnect('x')\ntell(wlan.isconnected())\n"
            "sim._input = hidden\nlive()\ntell(wlan.status(), wlan.isconnected())\n"
        )
    )
    down = '{"cmd":"wifi","state":"down"}'
    up = '{"cmd":"wifi","state":"up"}'
    assert told(on_board(script, commands=commands(down))) == [[True], [200, False]]
    again = script + "tell(connect('x')[-1])\n"
    assert told(on_board(again, commands=commands(down, up)))[-1] == [1010]


def test_nvs_outlives_a_restart_once_it_is_committed(on_board: OnBoard) -> None:
    write = PRELUDE + (
        "from esp32 import NVS\nn = NVS('doll')\nn.set_i32('boots', -3)\nn.set_blob('k', b'\\0x')\n"
        "n.commit()\nn.set_i32('boots', 7)\n"
    )
    read = PRELUDE + (
        "from esp32 import NVS\nn = NVS('doll')\nb = bytearray(4)\n"
        "tell(n.get_i32('boots'), n.get_blob('k', b), list(b))\n"
        "for name in ('none', 'k'):\n"
        "    try:\n        n.get_i32(name)\n    except OSError as e:\n        tell(e.errno)\n"
    )
    on_board(write)
    assert told(on_board(read)) == [[-3, 2, [0, 120, 0, 0]], [-4354], [-4354]]


def test_rtc_memory_outlives_a_reset(on_board: OnBoard) -> None:
    on_board(PRELUDE + "machine.RTC().memory(b'abc')\nmachine.reset()\n", code=3)
    read = PRELUDE + "tell(machine.RTC().memory().decode(), machine.reset_cause())\n"
    assert told(on_board(read, SIM_RESET_CAUSE="5")) == [["abc", 5]]


def test_the_chip_has_the_id_it_is_given(on_board: OnBoard) -> None:
    script = PRELUDE + "import network\ntell(machine.unique_id().hex())\n"
    assert told(on_board(script, SIM_UNIQUE_ID="a0b1c2d3e4f5")) == [["a0b1c2d3e4f5"]]


def test_a_watchdog_that_is_made_again_has_the_new_time_limit(on_board: OnBoard) -> None:
    script = PRELUDE + (
        "machine.WDT(timeout=50)\nlive(40)\nmachine.WDT(timeout=500)\nlive(400)\ntell('alive')\n"
        "live(200)\n"
    )
    lines = on_board(script, code=4)
    assert told(lines) == [["alive"]]
    assert events(lines, "watchdog")[0]["timeout_ms"] == 500


def test_a_timer_calls_back_once_or_again_and_again_until_it_is_stopped(on_board: OnBoard) -> None:
    script = PRELUDE + (
        "calls = [0, 0, 0]\n"
        "def count(i):\n    def call(timer): calls[i] += 1\n    return call\n"
        "machine.Timer(0, mode=machine.Timer.ONE_SHOT, period=50, callback=count(0))\n"
        "machine.Timer(1, period=50, callback=count(1))\n"
        "machine.Timer(2, mode=machine.Timer.ONE_SHOT, period=50, callback=count(2))\n"
        "machine.Timer(2).deinit()\n"
        "live(40)\ntell(*calls)\nlive(20)\ntell(*calls)\nlive(200)\ntell(*calls)\n"
    )
    early, due, late = told(on_board(script))
    assert early == [0, 0, 0]
    assert due == [1, 1, 0]
    assert late[0] == 1
    assert late[1] in (4, 5)
    assert late[2] == 0
