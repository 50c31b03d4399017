"""WebSocket frames (RFC 6455, section 5.2) where they are simple: whole messages, bytes in and out.

0 byte     FIN, three reserved bits, opcode of four
1 byte     masked?, length of seven bits; 126 and 127 announce 16 and 64 bits more
4 bytes    the mask, from clients
"""

from __future__ import annotations

import struct

try:
    from websockets.speedups import apply_mask  # in C, where it was compiled
except ImportError:
    from websockets.utils import apply_mask

_MASKED = 0x80
_WHOLE_TEXT, _WHOLE_BINARY, _PONG = 0x81, 0x82, 0x8A  # FIN, nothing reserved
_MOST_OF_CONTROL = 125

#: A server's ping. Nobody asks which ping a pong answers, so one does for all.
PING = b"\x89\x04doll"


def measure(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` begins and ends; None while `data` does not say.

    The end may lie behind the end of `data`.
    """
    left = len(data) - at
    if left < 2:
        return None
    flags = data[at + 1]
    size, start = flags & 0x7F, at + 2
    if size >= 126:
        start += 2 if size == 126 else 8
        if start > len(data):
            return None
        size = int.from_bytes(data[at + 2 : start], "big")
    if flags & _MASKED:
        start += 4
    return start, start + size


def is_whole_binary(data: bytes, at: int) -> bool:
    """Whether the frame at `at` is a binary message in one piece, from a client."""
    return data[at] == _WHOLE_BINARY and data[at + 1] >= _MASKED


def is_pong(data: bytes, at: int) -> bool:
    """Whether the frame at `at` is a pong as it should be, from a client."""
    return data[at] == _PONG and _MASKED <= data[at + 1] <= _MASKED + _MOST_OF_CONTROL


def unmasked(data: bytes, start: int, end: int) -> bytes:
    """The payload from `start` to `end`, behind its mask, as it was before it was masked."""
    return apply_mask(data[start:end], data[start - 4 : start])


def message(data: str | bytes) -> bytes:
    """A server's frame with one message in it."""
    if isinstance(data, str):
        opcode, payload = _WHOLE_TEXT, data.encode()
    else:
        opcode, payload = _WHOLE_BINARY, data
    size = len(payload)
    if size < 126:
        return struct.pack(">BB", opcode, size) + payload
    if size < 1 << 16:
        return struct.pack(">BBH", opcode, 126, size) + payload
    return struct.pack(">BBQ", opcode, 127, size) + payload
