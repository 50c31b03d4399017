"""The first setup over real sockets: the whole firmware in its own network, and hostile guests."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tools.simulator.heap import ESP32_KB, heap_option

REPOSITORY = Path(__file__).resolve().parents[2]
BOARD = REPOSITORY / "tools" / "simulator" / "board"
FIRMWARE = REPOSITORY / "firmware"

Micropython = Callable[..., str]

#: Of the doll in its own network, which the simulated board has on this machine's loopback.
ADDRESS = "192.168.4.1"

AUDIO = {"format": "adpcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32}


class Doll:
    """A board that runs the firmware; its console, its button, and its network."""

    def __init__(self, process: asyncio.subprocess.Process, http: int, dns: int) -> None:
        self._process = process
        self.http = http
        self.dns = dns
        self.lines: list[str] = []

    async def line(self, start: str) -> str:
        """Reads the console up to a line that begins so; returns the rest."""
        assert self._process.stdout
        async with asyncio.timeout(30):
            while raw := await self._process.stdout.readline():
                line = raw.decode().strip()
                self.lines.append(line)
                for begin in (f"@sim {start}", *(f"[doll] {level} {start}" for level in "EWI")):
                    if line.startswith(begin):
                        return line[len(begin) :]
        raise AssertionError("the doll ended:\n" + "\n".join(self.lines[-30:]))

    async def do(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(b'{"cmd":"%s"}\n' % command.encode())
        await self._process.stdin.drain()

    async def ended(self) -> int:
        """Waits for the end of the process; 3 is a restart."""
        async with asyncio.timeout(30):
            out, _ = await self._process.communicate()
            self.lines += out.decode().splitlines()
            return await self._process.wait()

    async def ask(self, raw: bytes) -> tuple[int, dict[str, str], str]:
        """The answer to a raw request: status, header fields, body."""
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.http)
            writer.write(raw)
            answer = (await reader.read()).decode()
            writer.close()
        head, _, body = answer.partition("\r\n\r\n")
        first, *fields = head.split("\r\n")
        return int(first.split(" ")[1]), dict(f.split(": ", 1) for f in fields), body

    async def get(self, path: str = "/?lang=en", host: str = ADDRESS) -> tuple[int, str]:
        status, fields, body = await self.ask(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        )
        return status, fields.get("Location", body)

    async def save(self, **form: str) -> tuple[int, str]:
        """Fills in the form and sends it, as a phone does."""
        _, page = await self.get()
        match = re.search(r'name="csrf" value="(\w+)"', page)
        assert match
        values = {"other": "", "password": "", "token": "", "talk": "hold", "volume": "70"}
        body = urlencode({"csrf": match[1], **values, "language": "en", **form}).encode()
        head = (
            f"POST /save?lang=en HTTP/1.1\r\nHost: {ADDRESS}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        status, _, text = await self.ask(head.encode() + body)
        return status, text


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@asynccontextmanager
async def powered(flash: Path, heap_kb: int = 0, **environment: str) -> AsyncIterator[Doll]:
    """A doll on this flash, from power-on to the end of its process."""
    http, dns = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("micropython")),
        *(heap_option(heap_kb) if heap_kb else ()),
        str(BOARD / "start.py"),
        str(FIRMWARE),
        cwd=flash,
        env={
            **os.environ,
            "MICROPYPATH": f"{BOARD}:{FIRMWARE}:.frozen",
            "SIM_CONTROL": "1",
            "SIM_WIFI_MS": "1",
            "SIM_SETUP_PORTS": f"{http},{dns}",
            **environment,
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Doll(process, http, dns)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def doll(tmp_path: Path) -> AsyncIterator[Doll]:
    """A new doll whose setup is open."""
    async with powered(tmp_path) as doll:
        await doll.line("setup open ")
        yield doll


async def test_from_a_new_doll_to_one_that_talks_to_its_relay(tmp_path: Path) -> None:
    hellos: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def relay(link: ServerConnection) -> None:
        assert link.request
        await link.recv()
        hellos.put_nowait(dict(link.request.headers))
        hello = {"type": "hello", "transport": "websocket", "session_id": "s"}
        await link.send(json.dumps({**hello, "audio_params": AUDIO}))
        await link.wait_closed()

    air = {"SIM_WIFI_SSID": "우리집", "SIM_WIFI_PASSWORD": "진주진주"}
    async with serve(relay, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with powered(tmp_path, heap_kb=ESP32_KB, **air) as doll:
            assert "setup" in await doll.line("state ")
            told = await doll.line("setup open ")
            match = re.fullmatch(
                r"ssid=doll-0001 password=(\w{10}) address=http://192\.168\.4\.1/", told
            )
            assert match
            # The phone looks for the internet, is sent to the page, and shows it.
            assert await doll.get("/hotspot-detect.html", "captive.apple.com") == (
                302,
                f"http://{ADDRESS}/",
            )
            status, page = await doll.get()
            assert status == 200
            assert '<option value="우리집">' in page
            assert (await doll.save(ssid="우리집", password="short", relay="x"))[0] == 400
            status, text = await doll.save(
                ssid="우리집", password="진주진주", relay=f"127.0.0.1:{port}", token="t0ken"
            )
            assert status == 200
            assert "<title>Saved</title>" in text
            assert await doll.line("setup saved keys=") == "language,relay,talk,token,volume,wifi"
            assert await doll.ended() == 3, "it starts anew"
            log = "\n".join(doll.lines)
            assert "t0ken" not in log
            assert "진주진주" not in log
        async with powered(tmp_path, **air) as doll:
            headers = {k.lower(): v for k, v in (await hellos.get()).items()}
            assert headers["authorization"] == "Bearer t0ken"
            await doll.line("state idle")


async def test_its_network_is_closed_to_who_does_not_know_its_password(tmp_path: Path) -> None:
    async with powered(tmp_path) as doll:
        event = json.loads(await doll.line(""))
        while event["event"] != "access_point":
            event = json.loads("{" + (await doll.line("{")))
        assert event["active"] is True
        assert event["secured"] is True
        assert event["ssid"] == "doll-0001"


async def test_every_name_leads_to_the_doll(doll: Doll) -> None:
    head = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    packet = head + b"\x07captive\x05apple\x03com\0" + struct.pack(">HH", 1, 1)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        s.connect(("127.0.0.1", doll.dns))
        for garbage in (b"", b"x", os.urandom(512), packet[:15]):
            await loop.sock_sendall(s, garbage)
        await loop.sock_sendall(s, packet)
        async with asyncio.timeout(30):
            while (answer := await loop.sock_recv(s, 512))[:2] != packet[:2] or len(answer) < 20:
                pass
    assert answer.endswith(socket.inet_aton(ADDRESS))


async def test_twenty_guests_at_once_are_all_served(doll: Doll) -> None:
    answers = await asyncio.gather(*(doll.get() for _ in range(20)))
    assert [status for status, _ in answers] == [200] * 20


async def test_guests_who_say_nothing_do_not_keep_the_others_out(doll: Doll) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", doll.http) for _ in range(4)]
    silent[0][1].write(b"GET / HTTP/1.1\r\nHost: ")
    # There is room for four. The fifth waits until the time of the first ones is over.
    assert (await doll.get())[0] == 200
    for reader, writer in silent:
        assert await reader.read() == b"", "they were sent away"
        writer.close()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: 192.168.4.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 431),
        (b"POST /save HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Length: 999999\r\n\r\n", 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"DELETE / HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n", 405),
    ],
)
async def test_bad_requests_get_their_status_and_the_doll_goes_on(
    doll: Doll, raw: bytes, status: int
) -> None:
    assert (await doll.ask(raw))[0] == status
    assert (await doll.get())[0] == 200


async def test_guests_who_hang_up_do_no_harm(doll: Doll) -> None:
    for raw in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n"):
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", doll.http)
            writer.write(raw)
            # A reset, as when a phone leaves: not even the answer can be sent.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.close()
    assert (await doll.get())[0] == 200


async def test_only_the_head_is_sent_to_who_asks_for_it(doll: Doll) -> None:
    status, fields, body = await doll.ask(b"HEAD / HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n")
    assert (status, fields["Content-Type"], body) == (200, "text/html; charset=utf-8", "")


async def test_the_button_opens_the_setup_of_a_doll_that_finds_no_network(tmp_path: Path) -> None:
    known = {"wifi": [{"ssid": "home"}], "relay": "ws://127.0.0.1:1/"}
    (tmp_path / "settings.json").write_text(json.dumps(known))
    async with powered(tmp_path, SIM_WIFI="down") as doll:
        await doll.line("state connecting")
        await doll.do("press")
        await doll.line("button hold")
        while "32, 32, 32" not in await doll.line('{"event":"light"'):
            pass  # three seconds: it blinks white now
        await doll.do("release")
        await doll.line("setup asked for")
        assert await doll.ended() == 3
    async with powered(tmp_path) as doll:
        assert await doll.line("state ") == "setup"
        await doll.line("setup open ")
        assert '<option value="home" selected>' in (await doll.get())[1]


async def test_ten_seconds_make_it_a_new_doll(tmp_path: Path) -> None:
    secrets = {"wifi": [{"ssid": "home", "password": "hunter2222"}], "token": "t0ken"}
    known = {"board": "esp32c3", "relay": "ws://127.0.0.1:1/", **secrets}
    (tmp_path / "settings.json").write_text(json.dumps(known))
    async with powered(tmp_path, SIM_WIFI="down", SIM_BUTTON_PIN="9", SIM_I2S_PORTS="1") as doll:
        await doll.line("state connecting")
        await doll.do("press")
        await doll.line("reset: the settings are gone")
        await doll.do("release")
        assert await doll.ended() == 3
    for name in ("settings.json", "settings.good.json"):
        assert json.loads((tmp_path / name).read_text()) == {"board": "esp32c3"}
    async with powered(tmp_path, SIM_BUTTON_PIN="9", SIM_I2S_PORTS="1") as doll:
        await doll.line("setup open ")


async def test_the_setup_can_be_reset_too(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"token": "t0ken"}')
    async with powered(tmp_path) as doll:
        await doll.line("setup open ")
        await doll.do("press")
        await doll.line("reset: the settings are gone")
        await doll.do("release")
        assert await doll.ended() == 3
    assert "t0ken" not in (tmp_path / "settings.json").read_text()


def test_after_ten_minutes_without_a_guest_the_known_networks_get_another_try(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text('{"wifi": [{"ssid": "home"}]}')
    script = """
import time
from doll import access_point, settings, setup

class Fast:  # a thousand times
    ticks_ms = staticmethod(lambda: time.ticks_ms() * 1000)
    ticks_diff = staticmethod(time.ticks_diff)

access_point.time = Fast
setup.run(settings.load())
print("over")
"""
    ports = f"{_free_port(socket.SOCK_STREAM)},{_free_port(socket.SOCK_DGRAM)}"
    output = micropython(script, environment={"SIM_SETUP_PORTS": ports})
    assert "setup over: nobody came" in output
    assert output.endswith("over\n")
