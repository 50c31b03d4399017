"""Opus in Ogg, as voice messages are: packets out of a file, and a file of packets. Sans-I/O.

Ogg is RFC 3533, Opus in it RFC 7845. libopus does the rest; a demuxer of its own for two hundred
lines of format would be FFmpeg, at 35 MB.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: Granule positions of Opus count samples at this rate, whatever it was encoded at.
GRANULE_HZ: Final = 48_000

_HEAD = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_MOST_SEGMENTS = 255
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

#: What an encoder looks ahead, in samples at 48 kHz: libopus' 6.5 ms for speech.
_PRE_SKIP = 312


class OggError(ValueError):
    """This is no Opus in Ogg; the text says where it stops being that."""


@dataclass(frozen=True, slots=True)
class OpusFile:
    """What is in one."""

    packets: Sequence[bytes]
    pre_skip: int  #: samples at 48 kHz that are not to be heard


def read(data: bytes) -> OpusFile:
    """The packets of a voice message. Raises OggError."""
    packets = list(_packets(data))
    if not packets or len(packets[0]) < 19 or not packets[0].startswith(b"OpusHead"):
        raise OggError("it does not begin with OpusHead")
    if packets[0][8] & 0xF0:
        raise OggError("a later version of Opus")
    if len(packets) < 2 or not packets[1].startswith(b"OpusTags"):
        raise OggError("OpusTags are missing")
    pre_skip: int = struct.unpack_from("<H", packets[0], 10)[0]
    return OpusFile([packet for packet in packets[2:] if packet], pre_skip)


def write(packets: Sequence[bytes], packet_samples: int, rate_hz: int) -> bytes:
    """A file of mono packets, of `packet_samples` at 48 kHz each. `rate_hz` is what was encoded."""
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, _PRE_SKIP, rate_hz, 0, 0)
    vendor = b"talking doll"
    tags = struct.pack(f"<8sI{len(vendor)}sI", b"OpusTags", len(vendor), vendor, 0)
    pages = [_page([head], 0, 0, _FIRST), _page([tags], 0, 1, 0)]
    granule, waiting, segments = 0, [], 0
    for number, packet in enumerate(packets, 1):
        waiting.append(packet)
        segments += len(packet) // 255 + 1
        granule += packet_samples
        following = len(packets[number]) // 255 + 1 if number < len(packets) else _MOST_SEGMENTS
        if segments + following > _MOST_SEGMENTS or number == len(packets):
            flags = _LAST if number == len(packets) else 0
            pages.append(_page(waiting, granule, len(pages), flags))
            waiting, segments = [], 0
    return b"".join(pages)


def _packets(data: bytes) -> Iterator[bytes]:
    """The packets of the first stream in the file."""
    at, serial, rest = 0, None, b""
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise OggError(f"cut off at byte {at}")
        mark, version, flags, _, stream, _, checksum, count = _HEAD.unpack_from(data, at)
        if mark != b"OggS" or version:
            raise OggError(f"no page at byte {at}")
        lacing = data[at + _HEAD.size : at + _HEAD.size + count]
        begin = at + _HEAD.size + count
        end = begin + sum(lacing)
        if len(lacing) < count or end > len(data):
            raise OggError(f"cut off at byte {at}")
        if _checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]) != checksum:
            raise OggError(f"damaged at byte {at}")
        at = end
        serial = stream if serial is None else serial
        if stream != serial:
            continue
        if not flags & _CONTINUED:
            rest = b""
        for size in lacing:
            rest += data[begin : begin + size]
            begin += size
            if size < 255:
                yield rest
                rest = b""


def _page(packets: Sequence[bytes], granule: int, number: int, flags: int) -> bytes:
    sizes = map(len, packets)
    lacing = b"".join(b"\xff" * (size // 255) + bytes([size % 255]) for size in sizes)
    body = lacing + b"".join(packets)

    def head(checksum: int) -> bytes:
        return _HEAD.pack(b"OggS", 0, flags, granule, 1, number, checksum, len(lacing))

    return head(_checksum(head(0) + body)) + body


def _checksum(page: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial, but the highest bit first and no inversion at the ends."""
    found = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(found.to_bytes(4, "little").translate(_REVERSED), "big")
