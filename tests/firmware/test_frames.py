"""The doll's frame parser against others: `websockets`, CPython's UTF-8, a plain reference."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

SCRIPTS = Path(__file__).with_name("scripts")
FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
LIMIT = 1 << 14  # never met here: which of two broken rules counts is a matter of taste

Event = list[object]
Parse = Callable[[bytes, list[int]], tuple[list[Event], int]]


@pytest.fixture(scope="module")
def parse() -> Iterator[Parse]:
    """Parses bytes, cut at some positions, with the doll's parser: events, and close code or 0."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("micropython"), SCRIPTS / "frames_server.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
    )
    to, back = process.stdin, process.stdout
    assert to is not None
    assert back is not None

    def ask(
        data: bytes, cuts: list[int], to: IO[str] = to, back: IO[str] = back
    ) -> tuple[list[Event], int]:
        to.write(",".join([*map(str, cuts), data.hex()]) + "\n")
        to.flush()
        events, code = json.loads(back.readline())
        return events, code

    yield ask
    to.close()
    assert process.wait(10) == 0


def websockets_parse(data: bytes) -> tuple[list[Event], int]:
    """The same, as the `websockets` library sees it."""
    protocol = Protocol(CLIENT, state=OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    events: list[Event] = []
    message, op = b"", 0
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode is Opcode.CLOSE:
            return events, Close.parse(frame.data).code
        if frame.opcode is Opcode.PING:
            events.append([9, bytes(frame.data).hex()])
        elif frame.opcode is not Opcode.PONG:
            if frame.opcode is not Opcode.CONT:
                message, op = b"", int(frame.opcode)
            message += frame.data
            if frame.fin:
                if op == 1:
                    try:
                        message.decode()
                    except UnicodeDecodeError:
                        return events, 1007
                events.append([op, message.hex()])
    error = protocol.parser_exc
    if isinstance(error, ProtocolError):
        # A close between fragments: `websockets` minds, RFC 6455 section 5.4 does not.
        assume("incomplete fragmented message" not in str(error))
        return events, 1002
    if isinstance(error, UnicodeDecodeError):
        return events, 1007
    assert error is None
    return events, 0


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One frame, good or bad, with its length in the shortest form (`websockets` takes any)."""
    op = draw(st.sampled_from([0, 1, 1, 2, 2, 9, 10, 8, 3, 11]))
    rsv = draw(st.sampled_from([0] * 9 + [1, 2, 4]))
    fin = draw(st.sampled_from([1, 1, 0]))
    if op == 8:
        code = draw(st.sampled_from([1000, 1001, 1007, 1011, 3000, 4999, 999, 1005, 1015, 2000]))
        payload = draw(st.sampled_from([b"", b"a", struct.pack("!H", code)]))
        payload += (
            draw(st.sampled_from([b"", b"bye", "잘 가".encode(), b"\xff"])) if payload[1:] else b""
        )
    else:
        size = st.sampled_from([0, 1, 5, 124, 125, 126, 127, 999, 1500])
        payload = draw(
            st.one_of(
                st.binary(max_size=20),
                st.text(max_size=20).map(str.encode),
                size.map(lambda n: b"x" * n),
            )
        )
    n = len(payload)
    length = bytes([n]) if n < 126 else struct.pack("!BH", 126, n)
    return bytes([fin << 7 | rsv << 4 | op]) + length + payload


@settings(max_examples=400, deadline=None)
@given(data=st.lists(frames(), max_size=8).map(b"".join), cuts=st.lists(st.integers(0, 9000)))
@example(data=b"\x81\x85abcdHello", cuts=[])
@example(data=b"\x01\x01a\x89\x02hi\x80\x01b", cuts=[1, 2, 3, 4, 5, 6, 7, 8])
def test_any_stream_in_any_pieces_means_what_websockets_says(
    parse: Parse, data: bytes, cuts: list[int]
) -> None:
    cuts = sorted({cut for cut in cuts if cut < len(data)})
    assert parse(data, cuts) == websockets_parse(data)


UTF8 = """
import binascii
from doll.frames import is_utf8

buf = bytearray(6)
verdicts = bytearray()

def look(*data):
    for i, b in enumerate(data):
        buf[1 + i] = b
    verdicts.append(is_utf8(buf, 1, 1 + len(data)))

edges = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
for a in range(256):
    look(a)
    for b in range(256):
        look(a, b)
        if a >= 0xE0:
            for c in edges:
                look(a, b, c)
                if a >= 0xF0:
                    for d in (0x7F, 0x80, 0xBF, 0xC0):
                        look(a, b, c, d)
    look(0x41, a, 0x80)
print(len(verdicts), binascii.crc32(verdicts))
"""


def test_utf8_is_judged_as_cpython_does(micropython: Callable[..., str]) -> None:
    verdicts = bytearray()

    def look(*data: int) -> None:
        try:
            bytes(data).decode()
        except UnicodeDecodeError:
            verdicts.append(0)
        else:
            verdicts.append(1)

    for a in range(256):
        look(a)
        for b in range(256):
            look(a, b)
            if a >= 0xE0:
                for c in (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF):
                    look(a, b, c)
                    if a >= 0xF0:
                        for d in (0x7F, 0x80, 0xBF, 0xC0):
                            look(a, b, c, d)
        look(0x41, a, 0x80)
    assert micropython(UTF8).split() == [str(len(verdicts)), str(zlib.crc32(verdicts))]


def test_120_000_generated_streams_end_as_the_reference_says(
    micropython: Callable[..., str],
) -> None:
    result = json.loads(micropython(SCRIPTS / "websocket_fuzz.py", "20261123", "120000"))
    assert result["inputs"] >= 120_000
    assert all(result["codes"].values())  # each way to end has been met
    assert result["growth"] < 8192  # bytes over all of them; the collector is not exact
