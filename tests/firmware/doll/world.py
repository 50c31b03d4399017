"""A relay of the real `websockets` library, and the whole firmware on the simulated board."""

from __future__ import annotations

import asyncio
import audioop
import json
import os
import struct
import sys
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve

from tools.simulator.compiled import compiled
from tools.simulator.heap import heap_option

REPOSITORY = Path(__file__).resolve().parents[3]
BOARD = REPOSITORY / "tools" / "simulator" / "board"
FIRMWARE = REPOSITORY / "firmware"

AUDIO = {"format": "adpcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32}
HELLO = {"type": "hello", "transport": "websocket", "session_id": "s-1", "audio_params": AUDIO}


class Link:
    """One connection of the doll, seen from the relay."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.headers = socket.request.headers if socket.request else {}
        self.frames: list[bytes] = []

    async def message(self, kind: str) -> dict[str, Any]:
        """The next text message, which must be of this type; audio on the way is collected."""
        while True:
            received = await self.socket.recv()
            if isinstance(received, bytes):
                self.frames.append(received)
                continue
            message: dict[str, Any] = json.loads(received)
            assert message["type"] == kind, message
            return message

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def reply(self, pcm: bytes) -> None:
        """Speaks, as fast as the doll takes it: then a busy machine is no underrun."""
        await self.say(type="tts", state="start")
        for frame in encoded(pcm):
            await self.socket.send(frame)
        await self.say(type="tts", state="stop")


def encoded(pcm: bytes) -> list[bytes]:
    out = []
    state = (0, 0)
    for at in range(0, len(pcm), 1024):
        body, after = audioop.lin2adpcm(pcm[at : at + 1024], 2, state)
        out.append(struct.pack("<hBB", *state, 0) + body)
        state = after
    return out


def decoded(frames: list[bytes]) -> bytes:
    """What wire frames sound like; each decodes by itself."""
    out = b""
    for frame in frames:
        assert len(frame) == 260
        predictor, index, reserved = struct.unpack_from("<hBB", frame)
        assert reserved == 0
        out += audioop.adpcm2lin(frame[4:], 2, (predictor, index))[0]
    return out


class Doll:
    """The board: its console, its button, its flash."""

    def __init__(self, process: asyncio.subprocess.Process, flash: Path) -> None:
        self._process = process
        self.flash = flash
        self.lines: list[str] = []

    async def line(self, start: str) -> str:
        """Reads the console up to a line that begins so, without its level; returns the rest."""
        assert self._process.stdout
        async with asyncio.timeout(30):
            while raw := await self._process.stdout.readline():
                line = raw.decode().strip()
                self.lines.append(line)
                if line.startswith("[doll] ") and line[9:].startswith(start):
                    return line[9 + len(start) :]
        raise AssertionError("the doll ended:\n" + "\n".join(self.lines[-30:]))

    async def do(self, command: str, **more: str) -> None:
        assert self._process.stdin
        line = json.dumps({"cmd": command, **more}, separators=(",", ":"))
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            out, _ = await self._process.communicate()
            self.lines += out.decode().splitlines()
            return await self._process.wait()


class World:
    """A relay, and a doll that knows its address."""

    def __init__(self, server: Server, links: asyncio.Queue[Link], doll: Doll) -> None:
        self.server = server
        self.links = links
        self.doll = doll

    async def link(self, **hello: Any) -> Link:
        """The doll's next connection, greeted."""
        link = await asyncio.wait_for(self.links.get(), 30)
        await link.message("hello")
        await link.say(**{**HELLO, **hello})
        return link


@asynccontextmanager
async def world(flash: Path, heap_kb: int = 0, **settings: Any) -> AsyncIterator[World]:
    links: asyncio.Queue[Link] = asyncio.Queue()

    async def accept(socket: ServerConnection) -> None:
        link = Link(socket)
        links.put_nowait(link)
        await socket.wait_closed()

    async with serve(accept, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        values = {"relay": f"ws://127.0.0.1:{port}/xiaozhi/v1/", "wifi": [{"ssid": "home"}]}
        (flash / "settings.json").write_text(json.dumps({**values, **settings}))
        firmware = compiled(FIRMWARE, flash / "compiled") if heap_kb else FIRMWARE
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("micropython")),
            *(heap_option(heap_kb) if heap_kb else ()),
            str(BOARD / "start.py"),
            str(firmware),
            cwd=flash,
            env={
                **os.environ,
                "MICROPYPATH": f"{BOARD}:{firmware}:.frozen",
                "SIM_CONTROL": "1",
                "SIM_SPEAKER": str(flash / "speaker.raw"),
                "SIM_WIFI_MS": "1",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield World(server, links, Doll(process, flash))
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


def sweep(frames: int) -> bytes:
    """A sweep: each part of it can be told from every other."""
    out = array("h")
    phase = 0
    for i in range(frames * 512):
        phase = (phase + 300 + i // 16) % 65536
        out.append(min(phase, 65536 - phase) // 4 - 4096)
    return out.tobytes()


async def whole_turn(w: World, link: Link, pcm: bytes) -> dict[str, Any]:
    """Holds the button for a moment, answers, and returns the doll's report."""
    await w.doll.do("press")
    start = await link.message("listen")
    assert (start["state"], start["mode"], start["session_id"]) == ("start", "manual", "s-1")
    link.frames.clear()
    await w.doll.line("listen start mode=manual")
    while len(link.frames) < 30:
        received = await link.socket.recv()
        assert isinstance(received, bytes)
        link.frames.append(received)
    await w.doll.do("release")
    assert (await link.message("listen"))["state"] == "stop"
    await link.say(type="stt", text="안녕")
    await link.say(type="llm", emotion="happy", text="🙂")
    await link.reply(pcm)
    report = await link.message("report")
    await w.doll.line("state idle")
    return report
