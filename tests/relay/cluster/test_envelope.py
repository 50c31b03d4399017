from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cluster.envelope import (
    MAX_BYTES,
    VERSION,
    EnvelopeError,
    body_of,
    decode,
    encode,
)


class Body(msgspec.Struct, frozen=True):
    device: str
    parts: list[bytes] = []


@given(st.text(max_size=64), st.lists(st.binary()), st.integers(0, 2**62))
def test_what_is_packed_comes_out_as_it_was(device: str, parts: list[bytes], n: int) -> None:
    envelope = decode(encode("worker", "kind", n, Body(device, parts)))
    assert (envelope.sender, envelope.kind, envelope.number) == ("worker", "kind", n)
    assert body_of(envelope, Body) == Body(device, parts)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_or_one_error(data: bytes) -> None:
    try:
        envelope = decode(data)
        body_of(envelope, Body)
    except EnvelopeError:
        pass


@pytest.mark.parametrize(
    "fields",
    [
        [VERSION + 1, "w", "kind", 0, {}],
        [VERSION, "", "kind", 0, {}],
        [VERSION, "w" * 65, "kind", 0, {}],
        [VERSION, "w", "kind", -1, {}],
        [VERSION, "w", "kind", 0],
        {"version": VERSION},
        "text",
    ],
)
def test_what_is_no_envelope_of_ours_is_refused(fields: object) -> None:
    with pytest.raises(EnvelopeError):
        decode(msgspec.msgpack.encode(fields))


def test_a_body_of_another_kind_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="kind"):
        body_of(decode(encode("w", "kind", 0, {"device": 5})), Body)


def test_what_is_too_large_is_neither_sent_nor_read() -> None:
    with pytest.raises(EnvelopeError):
        encode("w", "kind", 0, Body("d", [bytes(MAX_BYTES)]))
    with pytest.raises(EnvelopeError, match="too large"):
        decode(bytes(MAX_BYTES + 1))


def test_a_deep_nest_is_refused_and_not_a_crash() -> None:
    deep = b"\x91" * 100_000
    with pytest.raises(EnvelopeError):
        body_of(decode(msgspec.msgpack.encode([VERSION, "w", "k", 0, msgspec.Raw(deep)])), Body)
