"""What a doll sends, checked and decoded: bytes and the time in, messages and samples out."""

from __future__ import annotations

from relay.audio import Pcm
from relay.metrics import traffic
from relay.wire.codecs import Decoder
from relay.wire.errors import CloseCode, ErrorCode, WireError
from relay.wire.framing import Framing, PacketKind
from relay.wire.limits import TokenBucket, WireLimits
from relay.wire.messages import DeviceMessage, Hello, decode

#: Answered, but never a reason to end a session: a newer or odd device may do so all the time.
HARMLESS = frozenset({ErrorCode.UNKNOWN_TYPE, ErrorCode.HELLO_TWICE})


def read_hello(raw: str | bytes) -> Hello:
    """Read the first message. Raises WireError, which ends the session."""
    if isinstance(raw, bytes):
        raise WireError(
            ErrorCode.HELLO_EXPECTED,
            "the first message must be a hello, not binary",
            CloseCode.HELLO_EXPECTED,
        )
    try:
        message = decode(raw)
    except WireError as error:
        raise WireError(error.code, error.message, CloseCode.HELLO_EXPECTED) from None
    if not isinstance(message, Hello):
        raise WireError(
            ErrorCode.HELLO_EXPECTED, "the first message must be a hello", CloseCode.HELLO_EXPECTED
        )
    return message


class Intake:
    """Everything after the hello. Keeps count, so one instance belongs to one connection."""

    def __init__(self, framing: Framing, decoder: Decoder, limits: WireLimits, now: float) -> None:
        """`now` is in seconds, of any clock that does not go back."""
        self._framing = framing
        self._decoder = decoder
        self._audio_bytes = limits.audio_bytes
        self._messages = TokenBucket(limits.messages_per_s, limits.messages_burst, now)
        self._texts = TokenBucket(limits.texts_per_s, limits.texts_burst, now)
        self._bytes = TokenBucket(limits.bytes_per_s, limits.bytes_burst, now)
        self._patience = TokenBucket(limits.bad_messages / 60, limits.bad_messages, now)

    def take(self, raw: str | bytes, now: float) -> DeviceMessage | Pcm:
        """Read one WebSocket message: text, or binary with audio or (framing 2, 3) JSON in it.

        Raises WireError: without `close` only this message is lost.
        """
        self._count(raw, now)
        try:
            return self._read_text(raw) if isinstance(raw, str) else self._read_binary(raw)
        except WireError as error:
            if error.code in HARMLESS or self._patience.take(1, now):
                raise
            raise WireError(
                ErrorCode.BAD_MESSAGES,
                f"too many bad messages; the last: {error.message}",
                CloseCode.BAD_MESSAGES,
            ) from error

    def _count(self, raw: str | bytes, now: float) -> None:
        enough = (
            self._messages.take(1, now)
            and self._bytes.take(len(raw), now)
            and (isinstance(raw, bytes) or self._texts.take(1, now))
        )
        if not enough:
            raise WireError(
                ErrorCode.FLOOD, "more messages or bytes than the limits allow", CloseCode.FLOOD
            )

    def _read_text(self, text: str | bytes) -> DeviceMessage:
        message = decode(text)
        if isinstance(message, Hello):
            raise WireError(ErrorCode.HELLO_TWICE, "the session has had its hello")
        return message

    def _read_binary(self, raw: bytes) -> DeviceMessage | Pcm:
        packet = self._framing.unpack(raw)
        if packet.kind is PacketKind.JSON:
            return self._read_text(bytes(packet.payload))
        if len(packet.payload) > self._audio_bytes:
            raise WireError(
                ErrorCode.TOO_LONG,
                f"an audio packet may have {self._audio_bytes} bytes, not {len(packet.payload)}",
            )
        pcm = self._decoder.decode(packet.payload)
        traffic.frame_in()
        return pcm
