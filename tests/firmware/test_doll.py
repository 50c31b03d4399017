"""The whole firmware on the simulated board, against a relay of the real `websockets` library."""

from __future__ import annotations

import asyncio
import audioop
import json
import os
import struct
import sys
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from tools.simulator.compiled import compiled

Micropython = Callable[..., str]

REPOSITORY = Path(__file__).resolve().parents[2]
BOARD = REPOSITORY / "tools" / "simulator" / "board"
FIRMWARE = REPOSITORY / "firmware"

AUDIO = {"format": "adpcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32}
HELLO = {"type": "hello", "transport": "websocket", "session_id": "s-1", "audio_params": AUDIO}

#: 80 KB of a 32-bit board, twice for words of 64 bits, and what the simulated board takes. The
#: firmware is compiled then, as on a board.
BOARD_HEAP = "204K"


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
        for frame in _frames(pcm):
            await self.socket.send(frame)
        await self.say(type="tts", state="stop")


def _frames(pcm: bytes) -> list[bytes]:
    out = []
    state = (0, 0)
    for at in range(0, len(pcm), 1024):
        body, after = audioop.lin2adpcm(pcm[at : at + 1024], 2, state)
        out.append(struct.pack("<hBB", *state, 0) + body)
        state = after
    return out


def _heard(frames: list[bytes]) -> bytes:
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
async def world(flash: Path, heap: str = "", **settings: Any) -> AsyncIterator[World]:
    links: asyncio.Queue[Link] = asyncio.Queue()

    async def accept(socket: ServerConnection) -> None:
        link = Link(socket)
        links.put_nowait(link)
        await socket.wait_closed()

    async with serve(accept, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        values = {"relay": f"ws://127.0.0.1:{port}/xiaozhi/v1/", "wifi": [{"ssid": "home"}]}
        (flash / "settings.json").write_text(json.dumps({**values, **settings}))
        firmware = compiled(FIRMWARE, flash / "compiled") if heap else FIRMWARE
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("micropython")),
            *(("-X", f"heapsize={heap}") if heap else ()),
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


def _tune(frames: int) -> bytes:
    """A sweep: each part of it can be told from every other."""
    out = array("h")
    phase = 0
    for i in range(frames * 512):
        phase = (phase + 300 + i // 16) % 65536
        out.append(min(phase, 65536 - phase) // 4 - 4096)
    return out.tobytes()


async def _turn(w: World, link: Link, pcm: bytes) -> dict[str, Any]:
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


async def test_the_doll_introduces_itself(tmp_path: Path) -> None:
    async with world(tmp_path, token="t0ken", device_id="doll-7") as w:
        link = await asyncio.wait_for(w.links.get(), 30)
        hello = await link.message("hello")
        assert hello["version"] == 1
        assert hello["transport"] == "websocket"
        assert hello["features"]["report"] is True
        assert hello["audio_params"] == AUDIO
        assert link.headers["Device-Id"] == "doll-7"
        assert link.headers["Protocol-Version"] == "1"
        assert link.headers["Authorization"] == "Bearer t0ken"
        client = link.headers["Client-Id"]
        assert client[14] == "4"
        assert len(client) == 36
        assert json.loads((tmp_path / "settings.json").read_text())["client_id"] == client
        await link.say(**HELLO)
        assert await w.doll.line("relay connected ") == "session=s-1"
        await w.doll.line("state idle")
        assert not any("t0ken" in line for line in w.doll.lines)


@pytest.mark.parametrize("heap", ["", BOARD_HEAP], ids=["any heap", "a board's heap"])
async def test_a_whole_turn_takes_no_heap_and_loses_no_sample(tmp_path: Path, heap: str) -> None:
    async with world(tmp_path, heap, volume=100) as w:
        link = await w.link()
        await w.doll.line("state idle")
        tune = _tune(90)  # more than the doll has room for: it slows the relay down
        for _ in range(2):
            report = await _turn(w, link, tune)
            assert report["frames_played"] == 90
            assert report["frames_lost"] == report["underruns"] == report["frames_dropped"] == 0
            assert report["heap_per_frame"] == 0
            assert report["frames_sent"] == len(link.frames)
            assert report["rssi"] == -55
        log = "\n".join(w.doll.lines)
        assert f"listen stop frames={len(link.frames)} lost=0 heap_per_frame=0" in log
        assert "[doll] I heard 안녕\n[doll] I feels happy\n[doll] I reply start\n" in log
        assert max(map(abs, array("h", _heard(link.frames)))) < 2000  # the room's hiss
        await w.doll.do("quit")
        assert await w.doll.ended() == 0
        played = (tmp_path / "speaker.raw").read_bytes()
        at = 0
        for _ in range(2):
            for i, frame in enumerate(_frames(tune)):
                # Unit by unit: on a machine that is too busy silence may come between them.
                for unit in (_heard([frame])[:512], _heard([frame])[512:]):
                    at = played.find(unit, at)
                    assert at >= 0, f"frame {i} was not played, or not in its place"
                    at += 512


async def test_an_offer_that_is_refused_leaves_turns_as_they_were(tmp_path: Path) -> None:
    async with world(tmp_path, token="t0ken") as w:
        link = await w.link()
        await w.doll.line("state idle")
        for _ in range(2):
            await link.say(type="update", manifest="{}", signature="00" * 32)
            assert (await link.message("update"))["reason"] == "signature"
            report = await _turn(w, link, _tune(30))
            assert report["frames_played"] == 30
            assert report["heap_per_frame"] == 0


async def test_a_tap_lets_the_relay_find_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await w.doll.do("tap")
        assert (await link.message("listen"))["mode"] == "auto"
        while len(link.frames) < 20:
            received = await link.socket.recv()
            assert isinstance(received, bytes)
            link.frames.append(received)
        await link.say(type="stt", text="hello")
        await w.doll.line("heard hello")
        await w.doll.line("state thinking")
        await link.say(type="tts", state="stop")
        await w.doll.line("state idle")


async def test_a_press_in_mid_reply_aborts_and_listens(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await link.say(type="tts", state="start")
        for frame in _frames(_tune(60)):  # more than is played by then
            await link.socket.send(frame)
        await w.doll.line("sound start")
        await w.doll.do("press")
        report = await link.message("report")
        assert report["frames_played"] < 60
        await link.message("abort")
        assert (await link.message("listen"))["mode"] == "manual"
        await link.say(type="tts", state="stop")
        await w.doll.do("release")
        assert (await link.message("listen"))["state"] == "stop"


async def test_an_underrun_is_told_and_the_reply_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        frames = _frames(_tune(30))
        await link.say(type="tts", state="start")
        for frame in frames[:10]:
            await link.socket.send(frame)
        assert await w.doll.line("sound underrun ") == "n=1"
        for frame in frames[10:]:
            await link.socket.send(frame)
        await link.say(type="tts", state="stop")
        report = await link.message("report")
        assert (report["frames_played"], report["underruns"]) == (30, 1)


async def test_hands_free_listens_as_soon_as_it_can(tmp_path: Path) -> None:
    async with world(tmp_path, talk="free") as w:
        link = await w.link()
        for _ in range(2):
            listen = await link.message("listen")
            assert (listen["state"], listen["mode"]) == ("start", "auto")
            await link.say(type="stt", text="x")
            await link.reply(_tune(5))
            report = await link.message("report")
            assert (report["frames_played"], report["underruns"]) == (5, 0)


async def test_a_lost_relay_is_found_again(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for _ in range(2):
            link = await w.link()
            await w.doll.line("state idle")
            await link.socket.close(1012, "restart")
            assert "1012" in await w.doll.line("relay lost ")
            await w.doll.line("state connecting")
            await w.doll.line("relay retry ms=")
        link = await w.link()
        await w.doll.line("state idle")
        assert (await _turn(w, link, _tune(10)))["frames_played"] == 10


async def test_wifi_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.link()
        await w.doll.line("state idle")
        await w.doll.do("wifi", state="down")
        assert await w.doll.line("relay lost ") == "Wi-Fi is gone"
        await w.doll.line("wifi failed status=")
        await w.doll.do("wifi", state="up")
        await w.doll.line("wifi connected ")
        await w.link()
        await w.doll.line("state idle")


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        ({"audio_params": {**AUDIO, "format": "opus"}}, "the relay's format is opus"),
        ({"audio_params": {**AUDIO, "sample_rate": 24000}}, "the relay's sample_rate is 24000"),
        ({"audio_params": None}, "the relay's format is None"),
        ({"type": "tts", "state": "start"}, "the relay did not begin with a hello"),
        ({"type": "error", "message": "who\nare you?"}, "refused: who are you?"),
        ({"type": "error", "message": [[[]]]}, "refused: (no text)"),
    ],
)
async def test_a_relay_that_it_cannot_speak_with_is_named_and_tried_again(
    tmp_path: Path, hello: dict[str, Any], reason: str
) -> None:
    async with world(tmp_path) as w:
        await w.link(**hello)
        assert (await w.doll.line("relay lost ")).startswith(reason)
        await w.link()
        await w.doll.line("state idle")


async def test_garbage_is_told_once_and_harms_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await link.socket.send("{")
        await link.socket.send("[1, 2]")
        await link.socket.send('{"type":"stt","text":' + "[" * 900 + "]" * 900 + "}")
        await link.say(type="tts", state="sentence_start", text="too early")
        await link.socket.send(b"")
        await link.socket.send(os.urandom(3000))
        await link.say(type="surprise")
        await link.say(type="surprise")
        assert (await _turn(w, link, _tune(10)))["frames_played"] == 10
        log = "\n".join(w.doll.lines)
        assert log.count("relay garbage") == 1
        assert log.count("unknown type surprise") == 1
        assert "too early" not in log


async def test_a_relay_that_sends_only_garbage_is_left(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        for _ in range(30):
            await link.socket.send("garbage")
        assert await w.doll.line("relay lost ") == "the relay sends garbage"
        await w.link()
        await w.doll.line("state idle")


async def test_the_relay_may_set_the_volume_and_it_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        call = {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 42}}
        await link.say(
            type="mcp",
            payload={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        )
        answer = await link.message("mcp")
        assert answer["payload"]["result"]["isError"] is False
        assert await w.doll.line("volume ") == "42"
        await w.doll.line("settings saved")
        assert json.loads((tmp_path / "settings.json").read_text())["volume"] == 42


async def test_the_relay_may_restart_the_doll(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await link.say(type="system", command="format")
        await link.say(type="alert", status="Note", message="two\nlines", emotion="sad")
        assert await w.doll.line("alert ") == "Note: two lines"
        await link.say(type="error", code="unknown_type", message="what?")
        assert await w.doll.line("relay error ") == "code=unknown_type what?"
        await link.say(type="system", command="reboot")
        await w.doll.line("reboot")
        assert await w.doll.ended() == 3


async def test_a_board_that_does_not_exist_is_named(tmp_path: Path) -> None:
    async with world(tmp_path, board="esp99") as w:
        assert await w.doll.line("settings board: ") == "there is no file boards/esp99.py"
        assert await w.doll.ended() == 3  # it tries again


async def test_the_light_follows_the_recorder_to_the_end_of_the_session(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await link.say(type="recorder", state="on")
        await w.doll.line("recorder on")
        await link.say(type="recorder", state="off")
        await w.doll.line("recorder off")
        await link.say(type="recorder", state=["no state"])
        await w.doll.line("recorder off")
