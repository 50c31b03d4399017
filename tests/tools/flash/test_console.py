"""`doll logs`: the board's console, through resets and unplugging."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.tools.flash.conftest import REPOSITORY, Installs
from tools.simulator.serial_board import SerialBoard


async def test_logs_follow_the_doll_through_unplugging(
    board: SerialBoard, installs: Installs, firmware: Path
) -> None:
    (firmware / "main.py").write_text(
        "import time\n"
        'print("[doll] I state idle")\n'
        "life = time.time_ns()\n"
        "while True:\n"
        '    print("life", life, "\\x1b[2J")\n'
        "    time.sleep_ms(20)\n"
    )
    await installs()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "logs", "--port", str(board.port)),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(40):
            first = await _life(process.stdout)
            await board.unplug()
            await board.plug()
            while await _life(process.stdout) == first:
                pass
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


async def _life(stream: asyncio.StreamReader) -> int:
    """The number in the next line that has one; what would steer a terminal is gone from it."""
    while True:
        words = (await stream.readline()).decode().rstrip("\n").split(" ")
        if words[0] == "life" and len(words) == 3:
            assert words[2:] == ["·[2J"]
            return int(words[1])
