"""What the simulator's tests share: MicroPython scripts on the board, and a small relay."""

from __future__ import annotations

import asyncio
import audioop
import json
import os
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tools.simulator.micropython import micropython_command

_HERE = Path(__file__).parent
_BOARD = _HERE.parents[1] / "tools/simulator/board"

#: Runs a script on the simulated board and returns the JSON lines that it prints, events included.
OnBoard = Callable[..., list[Any]]


@pytest.fixture
def on_board(tmp_path: Path) -> OnBoard:
    """Runs MicroPython source on the simulated board, in virtual time.

    `commands` go to the board's stdin, which ends behind them if `hang_up` is set. The script's
    lines of JSON come back parsed, those of the board as `{"event": …}`; a traceback fails the
    test.
    """

    def run(
        script: str,
        *,
        commands: str | None = None,
        hang_up: bool = False,
        code: int = 0,
        **sim: str,
    ) -> list[Any]:
        file = tmp_path / "script.py"
        file.write_text(script, encoding="utf-8")
        control = {} if commands is None else {"SIM_CONTROL": "1"}
        stdin, typed = os.pipe()
        os.write(typed, (commands or "").encode(errors="surrogateescape"))
        if hang_up:
            os.close(typed)
        try:
            result = subprocess.run(
                [*micropython_command(), str(file)],
                stdin=stdin,
                capture_output=True,
                cwd=tmp_path,
                env={
                    **os.environ,
                    "MICROPYPATH": f"{_HERE / 'virtual_clock'}:{_BOARD}:.frozen",
                    **control,
                    **sim,
                },
                timeout=60,
                check=False,
            )
        finally:
            os.close(stdin)
            if not hang_up:
                os.close(typed)
        output = result.stdout.decode(errors="replace")
        if result.returncode != code:
            pytest.fail(f"exit code {result.returncode}:\n{output}\n{result.stderr.decode()}")
        return [json.loads(line.removeprefix("@sim ")) for line in output.splitlines()]

    return run


_FRAME_S = 0.032
_AHEAD = 40  # frames sent before pacing begins: a busy machine must not make the doll stutter
_SILENT_FRAMES = 12
_LOUD = 300


@dataclass
class EchoRelay:
    """A relay that says the very same sounds back, and keeps what the doll sent."""

    close_on_listen: bool = False
    mute: bool = False  # hears, and never answers
    headers: list[dict[str, str]] = field(default_factory=list)
    reports: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    heard: list[np.ndarray] = field(default_factory=list)  # the last question's frames, decoded
    port: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/xiaozhi/v1/"

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers.append(dict(socket.request.headers))
        try:
            await self._hello(socket)
            await self._turns(socket)
        except ConnectionClosed:
            pass

    async def _hello(self, socket: ServerConnection) -> None:
        json.loads(await socket.recv())
        params = {"format": "adpcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32}
        await self._say(socket, "hello", transport="websocket", session_id="s", audio_params=params)

    async def _turns(self, socket: ServerConnection) -> None:
        frames: list[bytes] | None = None
        auto = False
        async for message in socket:
            if isinstance(message, bytes):
                if frames is None:
                    continue
                frames.append(message)
                self.heard.append(_decode(message))
                if auto and self._ended():
                    await self._reply(socket, frames)
                    frames = None
                continue
            fields = json.loads(message)
            if fields["type"] == "listen" and fields["state"] == "start":
                if self.close_on_listen:
                    await socket.close(1011)
                    return
                frames, auto = [], fields["mode"] != "manual"
                self.heard.clear()
            elif fields["type"] == "listen" and frames is not None:
                await self._reply(socket, frames)
                frames = None
            elif fields["type"] == "report":
                self.reports.put_nowait(fields)

    def _ended(self) -> bool:
        loud = [bool(np.abs(frame.astype(int)).max() > _LOUD) for frame in self.heard]
        return any(loud) and not any(loud[-_SILENT_FRAMES:])

    async def _reply(self, socket: ServerConnection, frames: list[bytes]) -> None:
        if self.mute:
            return
        await self._say(socket, "stt", text=f"{len(frames)} frames")
        await self._say(socket, "llm", emotion="happy", text="🙂")
        await self._say(socket, "tts", state="start")
        await self._say(socket, "tts", state="sentence_start", text="that is what I heard.")
        for n, frame in enumerate(frames):
            await socket.send(frame)
            if n >= _AHEAD:
                await asyncio.sleep(_FRAME_S)
        await self._say(socket, "tts", state="stop")

    async def _say(self, socket: ServerConnection, kind: str, **fields: Any) -> None:
        await socket.send(json.dumps({"type": kind, "session_id": "s", **fields}))


def _decode(frame: bytes) -> np.ndarray:
    predictor, index, _ = struct.unpack("<hBB", frame[:4])
    return np.frombuffer(audioop.adpcm2lin(frame[4:], 2, (predictor, index))[0], np.int16)


@asynccontextmanager
async def serving(relay: EchoRelay) -> AsyncIterator[EchoRelay]:
    async with serve(relay.serve, "127.0.0.1", 0, compression=None) as server:
        relay.port = server.sockets[0].getsockname()[1]
        yield relay


@pytest.fixture
async def echo_relay() -> AsyncIterator[EchoRelay]:
    async with serving(EchoRelay()) as relay:
        yield relay


@pytest.fixture
def question() -> Path:
    return Path(__file__).parents[2] / "tools/demo/questions/en-arithmetic.wav"
