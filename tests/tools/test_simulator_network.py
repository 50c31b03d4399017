"""The bad network: what it does to real sockets, and when by its own reckoning."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tools.simulator.command import sim
from tools.simulator.errors import SimulatorError
from tools.simulator.network import Delays, Network
from tools.simulator.wav import write_wav

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that says back what it hears, and keeps its ends of the connections."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[Streams] = asyncio.Queue()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ends.put_nowait((reader, writer))
        try:
            while data := await reader.read(1000):
                writer.write(data)
            writer.close()
        except OSError:
            pass


@asynccontextmanager
async def echo() -> AsyncIterator[Echo]:
    it = Echo()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/path?query"
    yield it
    server.close()


async def connect(url: str) -> Streams:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.path == "/path"
    assert parts.query == "query"
    return await asyncio.open_connection(parts.hostname, parts.port)


async def test_bytes_pass_both_ways_and_so_does_the_end() -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        sent = random.Random(2).randbytes(300_000)
        writer.write(sent)
        writer.write_eof()
        assert await reader.read(-1) == sent
        writer.close()
    assert network.accepted == 1


async def test_a_drop_is_a_reset_for_both_ends() -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        far_reader, _ = await far.ends.get()
        network.drop()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        while not far_reader.exception():
            await asyncio.sleep(0)
        assert isinstance(far_reader.exception(), ConnectionResetError)
        reader, writer = await connect(url)  # the next one works
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"


async def test_while_it_is_down_whoever_connects_is_refused() -> None:
    network = Network()
    network.is_up = False
    async with echo() as far, network.between(far.url) as url:
        reader, _ = await connect(url)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        assert network.refused == 1
        assert network.accepted == 0


async def test_a_forgotten_connection_is_silent_and_new_ones_work() -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        old_reader, old_writer = await connect(url)
        old_writer.write(b"x")
        await old_reader.readexactly(1)
        network.forget()
        old_writer.write(b"lost")
        reader, writer = await connect(url)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        far_reader, _ = await far.ends.get()
        old_writer.close()
        writer.write(b"!")
        assert await reader.readexactly(1) == b"!"
        assert not far_reader.at_eof()


async def test_what_is_stalled_arrives_later_and_in_order() -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        network.stalled = True
        writer.write(b"first ")
        answer = asyncio.create_task(reader.readexactly(12))
        writer.write(b"second")
        done, _ = await asyncio.wait({answer}, timeout=0.1)
        assert not done
        network.stalled = False
        assert await answer == b"first second"


async def test_a_server_that_is_not_there_is_a_reset(unused_tcp_port: int) -> None:
    async with Network().between(f"ws://127.0.0.1:{unused_tcp_port}/path?query") as url:
        reader, _ = await connect(url)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)


async def test_only_plain_websockets_can_be_forwarded() -> None:
    with pytest.raises(SimulatorError, match="wss"):
        async with Network().between("wss://relay/"):
            pass


def test_a_network_faster_than_light_is_refused() -> None:
    for wrong in ({"delay_ms": -1}, {"jitter_ms": -1}, {"bytes_per_s": 0}):
        with pytest.raises(ValueError, match="bytes_per_s"):
            Network(**wrong)


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.none() | st.floats(100, 1e6),
    st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 1)), max_size=50),
)
def test_nothing_arrives_early_or_out_of_order(
    delay_s: float,
    jitter_s: float,
    bytes_per_s: float | None,
    pieces: list[tuple[int, float]],
) -> None:
    delays = Delays(delay_s, jitter_s, bytes_per_s, random.Random(1))
    now = before = 0.0
    total = 0
    for size, pause in pieces:
        now += pause
        total += size
        at = delays.arrival(size, now)
        assert at >= max(before, now + delay_s)
        if bytes_per_s is None:
            assert at <= max(before, now + delay_s + jitter_s)
        else:
            assert at >= total / bytes_per_s + delay_s - 1e-6
        before = at


async def test_a_doll_talks_over_a_slow_and_uneven_network(echo_relay: Any, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", (8000 * np.sin(np.arange(8000) / 5)).astype(np.int16))
    app = typer.Typer()
    app.command()(sim)
    options = ["--relay", echo_relay.url, "--wav", str(tmp_path / "a.wav"), "--json"]
    options += ["--out", str(tmp_path), "--delay-ms", "50", "--jitter-ms", "200"]
    result = await asyncio.to_thread(CliRunner().invoke, app, options)
    (turn,) = json.loads(result.stdout)["turns"]
    assert turn["reply"] == "that is what I heard."
    assert turn["frames_lost"] == 0
    assert turn["frames_played"] == turn["frames_sent"] > 0


def test_a_lost_packet_waits_for_being_sent_again_and_holds_up_what_follows() -> None:
    clean, lossy = (Delays(0.05, 0, None, random.Random(1), loss) for loss in (0.0, 0.05))
    late = [lossy.arrival(266, 0.032 * n) - clean.arrival(266, 0.032 * n) for n in range(1000)]
    first = next(n for n, seconds in enumerate(late) if seconds)
    assert late[first] == pytest.approx(0.3)  # 200 ms and a round trip
    assert late[first + 1] == pytest.approx(0.3 - 0.032)  # behind it, in order
    assert 20 < sum(b > a for a, b in itertools.pairwise(late)) < 80  # of 1000


@pytest.mark.parametrize("up", [True, False])
async def test_a_link_can_be_half_open_in_one_direction_alone(up: bool) -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        _far_reader, far_writer = await far.ends.get()
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        network.forget(up=up, down=not up)
        writer.write(b"up")
        far_writer.write(b"down")
        if up:
            assert await reader.readexactly(4) == b"down"
        else:
            other, other_writer = await connect(url)  # by now it would have been there
            other_writer.write(b"y")
            await other.readexactly(1)
            assert not reader._buffer  # type: ignore[attr-defined]


@pytest.mark.parametrize("n", [1, 5, 4096, 10_000])
async def test_a_link_is_cut_behind_the_byte_that_it_was_told(n: int) -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        writer.write(b"x")
        await reader.readexactly(1)
        network.cut(n)
        sent = random.Random(n).randbytes(20_000)
        writer.write(sent)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)) as ended:
            await reader.readexactly(20_000)
        if isinstance(ended.value, asyncio.IncompleteReadError):
            assert ended.value.partial == sent[:n]


async def test_what_was_on_its_way_can_arrive_behind_the_next_connection() -> None:
    network = Network()
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        writer.write(b"x")
        await reader.readexactly(1)
        old, _ = await far.ends.get()
        network.drop(late_s=0.2)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        reader, writer = await connect(url)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert not old.at_eof()
        while not old.at_eof() and old.exception() is None:
            await asyncio.sleep(0.01)


async def test_in_the_dark_whoever_connects_hears_nothing() -> None:
    network = Network()
    network.is_dark = True
    async with echo() as far, network.between(far.url) as url:
        reader, writer = await connect(url)
        writer.write(b"lost")
        network.is_dark = False
        other, other_writer = await connect(url)
        other_writer.write(b"hello")
        assert await other.readexactly(5) == b"hello"
        assert not reader._buffer  # type: ignore[attr-defined]
