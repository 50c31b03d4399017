"""What workers send each other, as bytes: one envelope for all kinds of messages. Sans-I/O.

MessagePack, `[version, sender, kind, number, body]`. The body is the kind's own, and decoded by who
knows the kind, strictly: whoever can write to the Redis server can write anything.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec

T = TypeVar("T")

#: Grows when an envelope, or what a kind's body means, is changed so that an older worker would
#: misread it. Workers of different versions pass each other's messages over: during an update a
#: doll that moves between them begins a new session.
VERSION: Final = 1

#: Larger ones are not sent, nor read: the largest is what is left of a long answer, as samples.
MAX_BYTES: Final = 2 * 1024 * 1024

#: Kinds that the bus itself needs: how a request ended.
ANSWER, REFUSAL = "answer", "refusal"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class EnvelopeError(ValueError):
    """This is no envelope, or none of ours. The text repeats nothing of it."""


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """One message. `number` is the request's that it is, or answers; 0: nobody waits for it."""

    version: int
    sender: Name
    kind: Name
    number: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    body: msgspec.Raw


class Refusal(msgspec.Struct, frozen=True):
    """Why a request was not fulfilled."""

    why: Annotated[str, msgspec.Meta(max_length=200)]


_decoder = msgspec.msgpack.Decoder(Envelope)
_encoder = msgspec.msgpack.Encoder()


def encode(sender: str, kind: str, number: int, body: object) -> bytes:
    """One message, ready to be published. Raises EnvelopeError if it is too large."""
    raw = msgspec.Raw(_encoder.encode(body))
    data = _encoder.encode(Envelope(VERSION, sender, kind, number, raw))
    if len(data) > MAX_BYTES:
        raise EnvelopeError(f"{kind}: {len(data)} bytes are more than {MAX_BYTES}")
    return data


def decode(data: bytes) -> Envelope:
    """Read an envelope; its body stays as it is. Raises EnvelopeError."""
    if len(data) > MAX_BYTES:
        raise EnvelopeError("too large")
    try:
        envelope = _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise EnvelopeError("not readable") from None
    if envelope.version != VERSION:
        raise EnvelopeError("of another version of the relay")
    return envelope


def body_of(envelope: Envelope, kind: type[T]) -> T:
    """What is in it. Raises EnvelopeError unless it is exactly that."""
    try:
        body: Any = msgspec.msgpack.decode(envelope.body, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise EnvelopeError(f"no good {envelope.kind[:64]!r}") from None
    found: T = body
    return found
