"""Installing through the real mpremote, on a board with a real file system."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.tools.conftest import EchoRelay
from tests.tools.flash.conftest import REPOSITORY, Installs, Run
from tools.flash.build import build
from tools.flash.errors import FlashError
from tools.flash.install import relay_url
from tools.flash.mpremote import Mpremote
from tools.simulator.serial_board import SerialBoard

Fails = Callable[..., Awaitable[FlashError]]
Files = Callable[[], Awaitable[dict[str, str]]]
Values = Callable[[], Awaitable[dict[str, Any]]]

_WIFI = {"DOLL_WIFI_PASSWORD": "open sesame"}
_ARCHITECTURE = "x64"  #: what the board's MicroPython was built for


def _wanted(firmware: Path, architecture: str = _ARCHITECTURE) -> dict[str, str]:
    return {file.path: file.sha256 for file in build(firmware, architecture).files}


####################################################################################################
# The whole way, with the real firmware and the command itself


async def test_a_new_board_becomes_a_doll_that_is_ready(
    board: SerialBoard, doll: Run, echo_relay: EchoRelay, settings: Values, files: Files
) -> None:
    code, output = await doll(
        *("flash", "--port", str(board.port), "--wifi", "home", "--yes"),
        *("--relay", echo_relay.url, "--token", "t0ken"),
        **_WIFI,
    )
    assert code == 0, output
    assert "The doll is ready" in output
    assert echo_relay.headers[0]["authorization"] == "Bearer t0ken"
    assert "t0ken" not in output
    assert "open sesame" not in output
    values = await settings()
    assert values["wifi"] == [{"ssid": "home", "password": "open sesame"}]
    assert values["relay"] == echo_relay.url
    assert values["board"] == "esp32s3"
    assert await files() == _wanted(REPOSITORY / "firmware")


async def test_without_a_wifi_it_says_how_to_go_on_with_a_phone(
    board: SerialBoard, doll: Run
) -> None:
    code, output = await doll("flash", "--port", str(board.port), "--relay", "192.168.1.9", "--yes")
    assert code == 0, output
    assert re.search(r"Wi-Fi +doll-0001\n +password +[a-z2-9]{10}\n +page +http://192", output)


async def test_a_wrong_password_is_told_in_one_sentence(
    board: SerialBoard, doll: Run, echo_relay: EchoRelay
) -> None:
    code, output = await doll(
        *("flash", "--port", str(board.port), "--wifi", "home", "--relay", echo_relay.url, "-y"),
        DOLL_WIFI_PASSWORD="shut sesame",
    )
    assert code == 1
    assert "the Wi-Fi home refuses the password (status 202)" in output
    assert "sesame" not in output
    assert "Traceback" not in output


async def test_a_relay_that_refuses_the_token_is_told(board: SerialBoard, doll: Run) -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(403, "no")

    async def never(socket: ServerConnection) -> None:
        raise AssertionError

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        code, output = await doll(
            *("flash", "--port", str(board.port), "--wifi", "home", "--yes"),
            *("--relay", f"127.0.0.1:{port}", "--token", "wr0ng"),
            **_WIFI,
        )
    assert code == 1
    assert "does not let the doll in" in output
    assert "its log says why" in output
    assert "wr0ng" not in output


async def test_a_killed_installation_is_completed_by_the_next(
    board: SerialBoard, installs: Installs, firmware: Path, files: Files
) -> None:
    (firmware / "doll" / "sound.py").write_text(f"X = {list(range(9000))}\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _INSTALL, str(board.port), str(firmware)),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    async with asyncio.timeout(30):
        while board.received < 20_000:  # it copies
            await asyncio.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()
    interrupted = await files()
    assert "main.py" not in interrupted
    assert any(path.startswith("incoming/") for path in interrupted)
    person = await installs()
    assert person.told["copied"]["count"] > person.told["plan"]["count"]  # some were there already
    assert await files() == _wanted(firmware)


_INSTALL = """
import sys
from pathlib import Path
from tools.flash.install import Options, install
from tools.flash.person import Person
install(Options(port=sys.argv[1], relay="ws://x", firmware=Path(sys.argv[2])), Person(quiet=True))
"""


####################################################################################################
# What is copied, with a small firmware


async def test_the_second_installation_copies_nothing(
    board: SerialBoard, installs: Installs
) -> None:
    first = await installs()
    assert first.told["copied"]["count"] == 7
    image = hashlib.sha256(board.image.read_bytes()).hexdigest()
    second = await installs()
    assert second.told["plan"]["count"] == 0
    assert "nothing_to_copy" in second.told
    assert "watch_ready" in second.told
    assert hashlib.sha256(board.image.read_bytes()).hexdigest() == image


async def test_a_changed_file_is_copied_alone_and_a_lost_one_removed(
    installs: Installs, firmware: Path, files: Files, mpremote: Run
) -> None:
    await installs()
    await mpremote("exec", "with open('boards/mine.py', 'w') as f: f.write('# mine')")
    (firmware / "doll" / "sound.py").unlink()
    (firmware / "boards" / "esp32.py").unlink()
    (firmware / "doll" / "app.py").write_text("X = 1\n")
    person = await installs()
    assert [line.split(" (")[0] for line in person.details] == [
        "+ doll/app.mpy",
        "- boards/esp32.mpy",
        "- doll/sound.mpy",
    ]
    found = await files()
    assert found.pop("boards/mine.py")
    assert found == _wanted(firmware)


async def test_sources_take_the_place_of_compiled_files(
    installs: Installs, firmware: Path, files: Files
) -> None:
    await installs()
    await installs(py=True)
    assert await files() == _wanted(firmware, "")


async def test_settings_that_are_not_named_stay(
    installs: Installs, settings: Values, mpremote: Run
) -> None:
    await installs(token="secret")
    old = {"wifi": [{"ssid": "old", "password": "p"}], "volume": 33, "mine": {"a": 1}}
    script = "import json\nwith open('settings.json', 'w') as f: json.dump(%r, f)"
    await mpremote("exec", script % {**old, "board": "esp32s3", "token": "secret"})
    person = await installs(relay="http://relay.example:81")
    assert await settings() == {
        **old,
        "board": "esp32s3",
        "token": "secret",
        "relay": "ws://relay.example:81/xiaozhi/v1/",
    }
    assert person.told["settings_change"]["keys"] == "relay"


async def test_a_damaged_settings_file_falls_back_to_the_last_good_one(
    installs: Installs, settings: Values, mpremote: Run
) -> None:
    await installs()
    script = (
        "for n, t in (('settings.json', '{\"vol'), ('settings.good.json', '{\"volume\": 5}')):\n"
    )
    await mpremote("exec", script + " with open(n, 'w') as f: f.write(t)")
    person = await installs()
    assert "settings_damaged" in person.told
    assert (await settings())["volume"] == 5


@pytest.mark.parametrize("dry_py", [False, True])
async def test_a_dry_run_changes_nothing(
    board: SerialBoard, installs: Installs, firmware: Path, dry_py: bool
) -> None:
    await installs()
    (firmware / "doll" / "app.py").write_text("X = 1\n")
    before = board.image.read_bytes()
    person = await installs(dry_run=True, py=dry_py, token="new")
    assert person.told["plan"]["count"] == (5 if dry_py else 1)
    assert "settings_change" in person.told
    assert "copied" not in person.told
    assert board.image.read_bytes() == before


async def test_a_dry_run_needs_no_board(
    board: SerialBoard, installs: Installs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.flash.install.usb_ports", list)
    person = await installs(port=None, board="esp32", dry_run=True)
    assert person.told["ships_mpy"]["architecture"] == "xtensawin"
    assert person.told["plan"]["count"] == 7
    assert board.received == 0


@pytest.mark.parametrize("after", [40, 2_500, 9_000, 16_000])
async def test_a_power_cut_leaves_a_board_that_the_next_installation_completes(
    board: SerialBoard, installs: Installs, fails: Fails, firmware: Path, files: Files, after: int
) -> None:
    await installs()
    old = await files()
    (firmware / "doll" / "sound.py").write_text(f"X = {list(range(3000))}\n")
    (firmware / "doll" / "app.py").write_text("Y = 2\n")
    (firmware / "doll" / "more.py").write_text(f"Z = {list(range(1000))}\n")
    board.power_cut_after = after
    assert (await fails()).key in ("unplugged", "no_answer")
    await board.plug()
    # Nothing was switched: the old doll is whole.
    found = {path: digest for path, digest in (await files()).items() if "incoming/" not in path}
    assert found == old
    await installs()
    assert await files() == _wanted(firmware)


async def test_the_cable_wins_over_an_update_and_over_safe_mode(
    installs: Installs, firmware: Path, files: Files, mpremote: Run
) -> None:
    await installs()
    script = (
        "import esp32; nvs = esp32.NVS('doll'); nvs.set_i32('starts', 9); nvs.commit()\n"
        "with open('slot', 'w') as f: f.write('{\"slot\": \"app-a\"}')"
    )
    await mpremote("exec", script)
    await installs()
    assert await files() == _wanted(firmware)
    code, output = await mpremote("exec", "import esp32; esp32.NVS('doll').get_i32('starts')")
    assert code == 1
    assert "NOT_FOUND" in output


####################################################################################################
# What a person meets


async def test_a_full_board_is_told_before_anything_is_copied(
    tmp_path: Path, fails: Fails, firmware: Path
) -> None:
    (firmware / "doll" / "sound.py").write_text(f'X = "{os.urandom(75_000).hex()}"\n')
    folder = tmp_path / "small"
    folder.mkdir()
    async with SerialBoard(folder, blocks=32) as small:
        error = await fails(port=str(small.port), py=True)
        assert error.key == "full"
        needed, free = error.values["needed"], error.values["free"]
        assert isinstance(needed, int)
        assert isinstance(free, int)
        assert needed > free
        facts = await asyncio.to_thread(Mpremote(str(small.port)).inspect)
        assert facts.files == {}


async def test_a_busy_port_is_told(board: SerialBoard, fails: Fails) -> None:
    with serial.Serial(str(board.port), exclusive=True):
        assert (await fails()).key == "busy"


async def test_a_board_without_micropython_is_told() -> None:
    """An empty ESP32 says the same line for ever."""
    host, line = os.openpty()
    os.set_blocking(host, False)

    def chatter() -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(host, b"invalid header: 0xffffffff\r\n")

    loop = asyncio.get_running_loop()
    loop.add_writer(host, chatter)
    try:
        with pytest.raises(FlashError) as raised:
            await asyncio.to_thread(Mpremote(os.ttyname(line), silence_s=2).inspect)
    finally:
        loop.remove_writer(host)
        os.close(host)
        os.close(line)
    assert raised.value.key == "no_micropython"


async def test_an_old_micropython_is_refused(tmp_path: Path, fails: Fails) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    async with SerialBoard(folder, environment={"SIM_RELEASE": "1.22.2"}) as old:
        error = await fails(port=str(old.port))
    assert error.key == "old_micropython"
    assert error.values == {"release": "1.22.2", "wanted": "1.25"}


async def test_a_board_with_another_chip_is_refused(fails: Fails) -> None:
    error = await fails(board="esp32")
    assert error.key == "board_chip"
    assert (error.values["wanted"], error.values["chip"]) == ("esp32", "esp32s3")


async def test_a_doll_that_fails_at_its_start_is_told(fails: Fails, firmware: Path) -> None:
    (firmware / "doll" / "app.py").write_text("import nothing_of_that_name\n")
    error = await fails()
    assert error.key == "crash"
    assert "nothing_of_that_name" in str(error.values["detail"])


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"port": "/dev/no-such-port"}, "port_gone"),
        ({"board": "teapot"}, "unknown_board"),
        ({"erase": True}, "erase_alone"),
        ({"relay": "ftp://x"}, "setting"),
        ({"token": "two\nlines"}, "setting"),
        ({"wifi": "home"}, "password_needed"),
        ({"image": Path("no-such.bin")}, "image_unreadable"),
    ],
)
async def test_what_cannot_be_is_refused(fails: Fails, options: dict[str, Any], key: str) -> None:
    assert (await fails(**options)).key == key


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("192.168.1.5", "ws://192.168.1.5/xiaozhi/v1/"),
        ("192.168.1.5:8000", "ws://192.168.1.5:8000/xiaozhi/v1/"),
        (" https://doll.example/ ", "wss://doll.example/xiaozhi/v1/"),
        ("wss://doll.example/a?b=c", "wss://doll.example/a?b=c"),
        ("ws://[::1]:8000", "ws://[::1]:8000/xiaozhi/v1/"),
    ],
)
def test_an_address_may_be_short(typed: str, meant: str) -> None:
    assert relay_url(typed) == meant
