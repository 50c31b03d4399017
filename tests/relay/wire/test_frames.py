"""Frames as the `websockets` package reads and writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from relay.wire import frames

sizes = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])


@given(sizes, st.binary(max_size=5))
def test_a_frame_is_measured_wherever_it_lies(size: int, before: bytes) -> None:
    frame = Frame(Opcode.BINARY, bytes(size)).serialize(mask=True)
    data = before + frame + b"more"
    assert frames.measure(data, len(before)) == (
        len(before) + len(frame) - size,
        len(before) + len(frame),
    )


@given(sizes)
def test_a_frame_is_not_measured_before_its_length_is_there(size: int) -> None:
    frame = Frame(Opcode.BINARY, bytes(size)).serialize(mask=True)
    head = len(frame) - size - 4
    assert [frames.measure(frame[:part]) for part in range(head)] == [None] * head
    assert frames.measure(frame[:head]) == (head + 4, len(frame))


def test_a_frame_without_a_mask_is_measured_as_well() -> None:
    assert frames.measure(b"\x82\x03abc") == (2, 5)


@given(st.binary(max_size=300))
def test_a_payload_is_unmasked(payload: bytes) -> None:
    frame = Frame(Opcode.BINARY, payload).serialize(mask=True)
    measured = frames.measure(frame)
    assert measured is not None
    assert frames.unmasked(frame, *measured) == payload


@pytest.mark.parametrize(
    ("head", "whole"),
    [(b"\x82\x80", True), (b"\x82\x00", False), (b"\x02\x80", False), (b"\x81\x80", False)],
)
def test_a_whole_binary_message_is_known_from_others(head: bytes, whole: bool) -> None:
    assert frames.is_whole_binary(b"x" + head, 1) is whole


@given(st.one_of(st.text(max_size=200), sizes.map(bytes)))
def test_a_message_is_read_by_a_client_as_what_it_is(data: str | bytes) -> None:
    client = ClientProtocol(parse_uri("ws://x/"), state=State.OPEN)
    client.receive_data(frames.message(data))
    (frame,) = client.events_received()
    assert isinstance(frame, Frame)
    assert frame.opcode is (Opcode.TEXT if isinstance(data, str) else Opcode.BINARY)
    assert frame.fin
    assert bytes(frame.data) == (data.encode() if isinstance(data, str) else data)
