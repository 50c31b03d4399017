from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.errors import CloseCode, ErrorCode, WireError
from relay.wire.framing import Packet, PacketKind, framing

versions = st.sampled_from([1, 2, 3])


def test_version_1_is_the_payload_alone() -> None:
    assert framing(1).pack(b"opus") == b"opus"
    assert framing(1).unpack(b"opus").payload == b"opus"


def test_version_2_has_a_header_of_16_bytes_with_a_time_stamp() -> None:
    expected = bytes.fromhex("0002 0000 00000000 000003e8 00000004") + b"opus"
    assert framing(2).pack(b"opus", timestamp_ms=1000) == expected
    packet = framing(2).unpack(expected)
    assert (packet.kind, bytes(packet.payload), packet.timestamp_ms) == (0, b"opus", 1000)


def test_version_3_has_a_header_of_4_bytes() -> None:
    expected = bytes.fromhex("00 00 0004") + b"opus"
    assert framing(3).pack(b"opus") == expected
    assert framing(3).unpack(expected).payload == b"opus"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (2, struct.pack(">HHIII", 2, 1, 0, 0, 15) + b'{"type":"ping"}'),
        (3, struct.pack(">BBH", 1, 0, 15) + b'{"type":"ping"}'),
    ],
)
def test_versions_2_and_3_carry_json_too(version: int, message: bytes) -> None:
    packet = framing(version).unpack(message)
    assert packet.kind is PacketKind.JSON
    assert packet.payload == b'{"type":"ping"}'


@pytest.mark.parametrize("version", [-1, 0, 4, 10**9])
def test_an_unknown_version_ends_the_session(version: int) -> None:
    with pytest.raises(WireError) as caught:
        framing(version)
    assert caught.value.code is ErrorCode.UNSUPPORTED_VERSION
    assert caught.value.close is CloseCode.UNSUPPORTED_FORMAT


@given(versions, st.binary(min_size=1, max_size=4096), st.integers(0, 2**40))
def test_what_was_packed_is_unpacked(version: int, payload: bytes, timestamp_ms: int) -> None:
    packet = framing(version).unpack(framing(version).pack(payload, timestamp_ms))
    assert packet.kind is PacketKind.AUDIO
    assert bytes(packet.payload) == payload
    assert packet.timestamp_ms == (timestamp_ms % 2**32 if version == 2 else 0)


@given(st.sampled_from([2, 3]), st.binary(min_size=1, max_size=64), st.data())
def test_a_message_cut_short_or_made_longer_is_refused(
    version: int, payload: bytes, data: st.DataObject
) -> None:
    message = framing(version).pack(payload)
    cut = message[: data.draw(st.integers(0, len(message) - 1))]
    for damaged in (cut, message + b"x"):
        with pytest.raises(WireError) as caught:
            framing(version).unpack(damaged)
        assert caught.value.code is ErrorCode.BAD_FRAME
        assert caught.value.close is None


@given(versions, st.binary(max_size=64))
def test_any_bytes_are_a_packet_or_a_refusal(version: int, message: bytes) -> None:
    try:
        outcome: Packet | WireError = framing(version).unpack(message)
    except WireError as error:
        outcome = error
    if isinstance(outcome, WireError):
        assert outcome.code is ErrorCode.BAD_FRAME
        assert outcome.close is None
    else:
        assert 0 < len(outcome.payload) <= len(message)


@pytest.mark.parametrize("version", [2, 3])
def test_unknown_kinds_of_payload_are_refused(version: int) -> None:
    message = bytearray(framing(version).pack(b"opus"))
    message[3 if version == 2 else 0] = 9
    with pytest.raises(WireError, match="kind 9"):
        framing(version).unpack(bytes(message))


def test_a_version_1_header_in_a_version_2_session_is_refused() -> None:
    message = struct.pack(">HHIII", 1, 0, 0, 0, 4) + b"opus"
    with pytest.raises(WireError, match="version 1"):
        framing(2).unpack(message)


def test_a_payload_that_a_header_cannot_count_is_not_packed() -> None:
    with pytest.raises(ValueError, match="65536"):
        framing(3).pack(bytes(65_536))
