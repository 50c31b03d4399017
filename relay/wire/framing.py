"""The three ways in which xiaozhi devices wrap a binary message, as bytes in and bytes out.

    version 1   the payload alone
    version 2   u16 version = 2 | u16 kind | u32 reserved | u32 timestamp, ms | u32 size | payload
    version 3   u8 kind | u8 reserved | u16 size | payload

Numbers are big-endian; kind 0 is audio, 1 is a JSON message. Source: `main/protocols/protocol.h`
and `websocket_protocol.cc` of 78/xiaozhi-esp32. The stock firmware trusts the size; we do not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from relay.wire.errors import CloseCode, ErrorCode, WireError


class PacketKind(IntEnum):
    """What the payload of a binary message is."""

    AUDIO = 0
    JSON = 1


@dataclass(frozen=True, slots=True)
class Packet:
    """A binary message without its wrapping."""

    kind: PacketKind
    payload: bytes | memoryview  #: not empty
    timestamp_ms: int = 0  #: playback position, for echo cancellation; only version 2 carries it


class Framing(Protocol):
    """Wraps and unwraps binary messages."""

    def pack(self, payload: bytes, timestamp_ms: int = 0) -> bytes:
        """Wrap one packet of audio. Raises ValueError if it does not fit in the header."""
        ...

    def unpack(self, message: bytes) -> Packet:
        """Unwrap one message. Raises WireError (`bad_frame`)."""
        ...


class _Bare:
    """Version 1."""

    def pack(self, payload: bytes, timestamp_ms: int = 0) -> bytes:  # noqa: ARG002
        return payload

    def unpack(self, message: bytes) -> Packet:
        if not message:
            raise WireError(ErrorCode.BAD_FRAME, "an empty binary message")
        return Packet(PacketKind.AUDIO, message)


class _Timed:
    """Version 2."""

    _header = struct.Struct(">HHIII")

    def pack(self, payload: bytes, timestamp_ms: int = 0) -> bytes:
        _check_size(payload, 2**32)
        header = self._header.pack(2, 0, 0, timestamp_ms % 2**32, len(payload))
        return header + payload

    def unpack(self, message: bytes) -> Packet:
        _check_header(message, self._header)
        version, kind, _, timestamp_ms, size = self._header.unpack_from(message)
        if version != 2:
            raise WireError(ErrorCode.BAD_FRAME, f"version {version} in a version 2 header")
        return Packet(_kind(kind), _body(message, self._header, size), timestamp_ms)


class _Short:
    """Version 3."""

    _header = struct.Struct(">BBH")

    def pack(self, payload: bytes, timestamp_ms: int = 0) -> bytes:  # noqa: ARG002
        _check_size(payload, 2**16)
        return self._header.pack(0, 0, len(payload)) + payload

    def unpack(self, message: bytes) -> Packet:
        _check_header(message, self._header)
        kind, _, size = self._header.unpack_from(message)
        return Packet(_kind(kind), _body(message, self._header, size))


_FRAMINGS: dict[int, Framing] = {1: _Bare(), 2: _Timed(), 3: _Short()}


def framing(version: int) -> Framing:
    """The framing of that number. Raises WireError, which ends the session."""
    try:
        return _FRAMINGS[version]
    except KeyError:
        raise WireError(
            ErrorCode.UNSUPPORTED_VERSION,
            f"protocol version {version} is not known; use 1, 2 or 3",
            CloseCode.UNSUPPORTED_FORMAT,
        ) from None


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) >= limit:
        raise ValueError(f"a payload of {len(payload)} bytes does not fit in this framing")


def _check_header(message: bytes, header: struct.Struct) -> None:
    if len(message) < header.size:
        raise WireError(
            ErrorCode.BAD_FRAME, f"{len(message)} bytes are less than a header of {header.size}"
        )


def _kind(value: int) -> PacketKind:
    try:
        return PacketKind(value)
    except ValueError:
        raise WireError(ErrorCode.BAD_FRAME, f"payload kind {value} is not known") from None


def _body(message: bytes, header: struct.Struct, size: int) -> memoryview:
    payload = memoryview(message)[header.size :]
    if len(payload) != size or not size:
        raise WireError(
            ErrorCode.BAD_FRAME, f"the header says {size} bytes, and {len(payload)} follow"
        )
    return payload
