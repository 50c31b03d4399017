"""The board on a serial port behaves towards the real mpremote as a board does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tools.simulator.serial_board import SerialBoard

Mpremote = Callable[..., Awaitable[str]]

_ENDLESS = (
    "import asyncio\n"
    "print('running')\n"
    "async def main():\n"
    "    while True:\n"
    "        await asyncio.sleep(1)\n"
    "asyncio.run(main())\n"
)


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[SerialBoard]:
    async with SerialBoard(tmp_path, blocks=64) as board:
        yield board


@pytest.fixture
def mpremote(board: SerialBoard) -> Mpremote:
    async def run(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mpremote", "connect", str(board.port), *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    return run


def _write(name: str, text: str) -> str:
    return f"with open({name!r}, 'w') as f: f.write({text!r})"


async def test_files_go_there_and_back(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(os.urandom(5000))
    await mpremote("fs", "cp", str(tmp_path / "there"), ":file")
    await mpremote("fs", "cp", ":file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "there").read_bytes()


async def test_its_flash_is_a_littlefs_image_of_its_size(
    board: SerialBoard, mpremote: Mpremote
) -> None:
    assert "262144" in await mpremote("df")
    image = board.image.read_bytes()
    assert len(image) == 64 * 4096
    assert image[8:16] == b"littlefs"  # the superblock's magic, littlefs's SPEC.md


async def test_removing_everything_touches_only_the_board(
    mpremote: Mpremote, tmp_path: Path
) -> None:
    (tmp_path / "precious").touch()
    await mpremote("exec", _write("file", "x"))
    await mpremote("fs", "rm", "-r", ":")
    assert await mpremote("eval", "__import__('os').listdir()") == "[]\n"
    assert (tmp_path / "precious").exists()


async def test_boot_and_main_run_after_a_hard_reset(board: SerialBoard, mpremote: Mpremote) -> None:
    await mpremote("exec", _write("boot.py", "print('boot', __name__)"))
    await mpremote("exec", _write("main.py", "print('main')"))
    await mpremote("reset")
    await board.until(b"boot __main__\nmain\n")


async def test_only_boot_runs_after_a_soft_reset_of_the_raw_repl(
    board: SerialBoard, mpremote: Mpremote
) -> None:
    await mpremote("exec", _write("main.py", "with open('ran', 'w') as f: pass"))
    await mpremote("exec", "pass")
    assert "False" in await mpremote("exec", "import os; print('ran' in os.listdir())")


async def test_a_running_main_is_interrupted(board: SerialBoard, mpremote: Mpremote) -> None:
    await mpremote("exec", _write("main.py", _ENDLESS))
    await mpremote("reset")
    await board.until(b"running")
    assert await mpremote("resume", "eval", "6 * 7") == "42\n"


async def test_the_doll_goes_on_when_the_plug_was_pulled(
    board: SerialBoard, mpremote: Mpremote
) -> None:
    await mpremote(
        "exec", _write("main.py", "import machine; print('cause', machine.reset_cause())")
    )
    await board.unplug()
    assert not board.port.exists()
    await board.plug()
    await board.until(b"cause 1")


async def test_what_is_in_nvs_outlives_the_power_and_is_no_file(
    board: SerialBoard, mpremote: Mpremote
) -> None:
    nvs = "import esp32, os; nvs = esp32.NVS('doll');"
    await mpremote("exec", nvs + "nvs.set_i32('starts', 3); nvs.commit()")
    await board.unplug()
    await board.plug()
    output = await mpremote("exec", nvs + "print(nvs.get_i32('starts'), os.listdir())")
    assert output == "3 []\n"


async def test_it_says_that_it_is_an_esp32(mpremote: Mpremote) -> None:
    output = await mpremote("exec", "import os; print(os.uname().machine, os.statvfs('/')[0])")
    assert output == "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3 4096\n"


async def test_output_that_nobody_reads_does_not_stop_it(
    board: SerialBoard, mpremote: Mpremote
) -> None:
    await mpremote(
        "exec", _write("main.py", "for n in range(20000): print('x' * 20)\nprint('end')")
    )
    await mpremote("reset")
    await board.until(b"end\n")
