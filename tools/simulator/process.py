"""The MicroPython process that is the simulated board: started, fed, watched, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.simulator.console import BoardEvent, Item, LineSplitter, parse_line
from tools.simulator.errors import SimulatorError
from tools.simulator.heap import heap_option
from tools.simulator.micropython import micropython_command
from tools.simulator.speaker import Speaker

BOARD = Path(__file__).parent / "board"
_CHUNK = 1 << 16
_MAX_STDERR = 16_384
_QUIT_S = 2.0

#: What a board needs of this machine's environment: neither keys nor settings of the relay.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR")

#: Exit codes of a board that restarts, and the reset cause that it then finds (machine.py).
RESET_CAUSES = {3: 5, 4: 3}


class BoardProcess:
    """One life of a simulated board, from power-on to its end.

    `on_item` is called for each line of the console, in order; `on_exit` once, with the exit code,
    after the last of them. Both are called in the event loop.
    """

    def __init__(self, on_item: Callable[[Item], None], on_exit: Callable[[int], None]) -> None:
        self._on_item = on_item
        self._on_exit = on_exit
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._sound: int | None = None
        self._stderr = bytearray()
        self.speaker = Speaker()
        self.recent: deque[str] = deque(maxlen=40)

    async def start(
        self,
        firmware: Path,
        flash: Path,
        *,
        environment: Mapping[str, str],
        heap_kb: int | None = None,
    ) -> None:
        """Starts the firmware with `flash` as its current folder.

        `heap_kb` gives the firmware a heap like that of a board with so many KB for Python
        (heap.py: `ESP32_KB` is the smallest's).

        Raises:
            SimulatorError: there is no MicroPython, or it could not be started.
        """
        command = micropython_command()
        if heap_kb is not None:
            command += heap_option(heap_kb)
        command += [str(BOARD / "start.py"), str(firmware)]
        sound, sound_in = os.pipe()
        os.set_blocking(sound, False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(sound_in,),
                cwd=flash,
                env={
                    **{k: os.environ[k] for k in ENVIRONMENT if k in os.environ},
                    "MICROPYPATH": f"{BOARD}:{firmware}:.frozen",
                    "SIM_CONTROL": "1",
                    "SIM_SPEAKER": f"/dev/fd/{sound_in}",
                    "SIM_STATE": str(flash),
                    **environment,
                },
            )
        except BaseException as error:
            os.close(sound)
            if isinstance(error, OSError):
                raise SimulatorError(f"cannot start MicroPython: {error}") from error
            raise
        finally:
            os.close(sound_in)
        self._sound = sound
        asyncio.get_running_loop().add_reader(sound, self.hear)
        self._watcher = asyncio.create_task(self._watch(self._process), name="board")

    def send(self, cmd: str, **fields: Any) -> None:
        """Sends a command to the board; one that has ended does not get it."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            return
        # No spaces: the board knows its quick commands byte by byte.
        line = json.dumps({"cmd": cmd, **fields}, separators=(",", ":"))
        process.stdin.write(line.encode() + b"\n")

    @property
    def stderr(self) -> str:
        """What the board wrote to stderr: a traceback, if it failed."""
        return self._stderr.decode(errors="replace").strip()

    async def kill(self) -> None:
        """Ends the process as a power cut does."""
        if self._process is not None and self._watcher is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._watcher

    async def stop(self) -> None:
        """Ends the process, at once if it does not end by itself, and waits for it."""
        process, watcher = self._process, self._watcher
        if process is None or watcher is None:
            return
        try:
            self.send("quit")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_QUIT_S):
                    await asyncio.shield(watcher)
        finally:
            # Also when we are cancelled: the kill needs no waiting, and the loop reaps the process.
            if process.returncode is None:
                process.kill()
            self._close_sound()
        await watcher

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_console(process.stdout))
            group.create_task(self._read_stderr(process.stderr))
        code = await process.wait()
        self.hear()
        self._close_sound()
        self._on_exit(code)

    async def _read_console(self, stream: asyncio.StreamReader) -> None:
        splitter = LineSplitter()
        while data := await stream.read(_CHUNK):
            for line in splitter.feed(data):
                self._take(line)
        for line in splitter.finish():
            self._take(line)

    def _take(self, line: str) -> None:
        item = parse_line(line)
        if isinstance(item, BoardEvent) and item.name == "speaker":
            format_ = item.fields
            self.speaker.open(item.t_ms, format_["rate"], format_["bits"], format_["channels"])
        if not isinstance(item, BoardEvent):
            self.recent.append(line)
        self._on_item(item)

    async def _read_stderr(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(_CHUNK):
            self._stderr += data
            del self._stderr[:-_MAX_STDERR]

    def hear(self) -> None:
        """Takes what the speaker has played and is still in the pipe."""
        while self._sound is not None:
            try:
                data = os.read(self._sound, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._close_sound()
            self.speaker.feed(data)

    def _close_sound(self) -> None:
        if self._sound is not None:
            asyncio.get_running_loop().remove_reader(self._sound)
            os.close(self._sound)
            self._sound = None
