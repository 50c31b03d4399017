"""What a stock xiaozhi board asks over HTTP when it starts, and what it is told. Sans-I/O.

The board posts who it is to its OTA address, and keeps what stands under `websocket` in the answer,
each key for itself: a key that is not there stays as it was. So a token is sent once, and never
again. While `activation` is in the answer the board says the code and asks `…/activate` up to ten
times; then it begins anew. Source: `main/ota.cc` and `main/application.cc` of 78/xiaozhi-esp32.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from relay.devices.pairing import Pending
from relay.devices.records import About

#: A board describes itself and its partitions in about 2 KiB.
MAX_BODY_BYTES = 16_384

#: How long the board may wait before it asks anew; what the field's servers say.
ACTIVATION_MS = 30_000

#: The framing of binary messages that boards are told to use: packets without a header.
FRAMING_VERSION = 1

# The board reads each part of a version with std::stoi, which throws at anything else.
_VERSION = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){0,3}")
_WORD = re.compile(r"[ -~]{1,64}")
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_HMAC = re.compile(r"[0-9a-f]{64}")


class OtaError(ValueError):
    """A request cannot be understood; the text says what is wrong."""


class _Part(Struct, frozen=True):
    name: Any = ""
    type: Any = ""
    version: Any = ""


class _Report(Struct, frozen=True):
    application: _Part = _Part()
    board: _Part = _Part()


class ActivationProof(Struct, frozen=True):
    """The body of `…/activate`: empty, or from a board with a serial number in its fuses.

    Its HMAC-SHA256 is made with a key that only the board and its maker have, so it proves nothing
    to us. Who may come in is for the owner to say.
    """

    algorithm: Annotated[str, Meta(max_length=32)] = "hmac-sha256"
    serial_number: Annotated[str, Meta(max_length=64)] = ""
    challenge: Annotated[str, Meta(max_length=64)] = ""
    hmac: Annotated[str, Meta(max_length=64)] = ""

    def answers(self, challenge: str) -> bool:
        """Whether it is about this challenge, and has the form that it should have."""
        if not self.challenge and not self.hmac:
            return True
        is_ours = hmac.compare_digest(self.challenge.encode(), challenge.encode())
        is_hmac = _HMAC.fullmatch(self.hmac.lower()) is not None
        return is_ours and is_hmac and self.algorithm == "hmac-sha256"


class ServerTime(Struct, frozen=True):
    """The time; boards add the two and keep local time."""

    timestamp: int  #: milliseconds of Unix time
    timezone_offset: int  #: minutes


class Image(Struct, frozen=True):
    """The firmware that there is: always the board's own, since the relay has none for it."""

    version: str
    url: str = ""


class WebSocketPlace(Struct, frozen=True):
    """Where the board finds the relay."""

    url: str
    version: int = FRAMING_VERSION
    token: str | UnsetType = UNSET  #: empty: it has none yet. Unset: it keeps the one that it has


class Activation(Struct, frozen=True):
    """The board has to be confirmed: it says the code."""

    code: str
    message: str  #: for its display
    challenge: str
    timeout_ms: int = ACTIVATION_MS


class OtaAnswer(Struct, frozen=True):
    """The whole answer. No `mqtt`: a board would use that, and no WebSocket."""

    server_time: ServerTime
    websocket: WebSocketPlace
    firmware: Image | UnsetType = UNSET
    activation: Activation | UnsetType = UNSET


_report = msgspec.json.Decoder(_Report)
_proof = msgspec.json.Decoder(ActivationProof)


def read_report(body: bytes) -> About:
    """What a board says about itself; it may leave out anything. Raises OtaError."""
    if not body.strip():
        return About()
    try:
        report = _report.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise OtaError(f"The body must be a JSON object: {str(error)[:80]}.") from None
    version = report.application.version
    board = _word(report.board.type) or _word(report.board.name)
    is_version = isinstance(version, str) and _VERSION.fullmatch(version)
    return About("", version if is_version else "", board)


def read_proof(body: bytes) -> ActivationProof:
    """The body of an activation. Raises OtaError."""
    if not body.strip():
        return ActivationProof()
    try:
        return _proof.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise OtaError(f"The body must be an activation: {str(error)[:80]}.") from None


def challenge(pending: Pending) -> str:
    """What a board with a serial number signs. It gives nothing of the ticket away."""
    return hashlib.sha256(b"challenge:" + pending.ticket.encode()).hexdigest()[:32]


def server_time(now: datetime) -> ServerTime:
    """`now` is aware, in the dolls' time zone."""
    offset = now.utcoffset()
    assert offset is not None
    return ServerTime(round(now.timestamp() * 1000), round(offset.total_seconds() / 60))


def image(about: About) -> Image | UnsetType:
    """The board's own version, which is never newer than itself; nothing if it says none."""
    return Image(about.firmware) if about.firmware else UNSET


def websocket_url(public_url: str, scheme: str, host: str, path: str) -> str:
    """The address of the WebSocket: as the owner has set it, or as the board reached us.

    `scheme` and `host` are those of the request. Raises OtaError for a host that is none.
    """
    is_safe, place = _place(public_url, scheme, host, path)
    return f"{'wss' if is_safe else 'ws'}://{place}"


def http_url(public_url: str, scheme: str, host: str, path: str) -> str:
    """The same for what a board asks by HTTP."""
    is_safe, place = _place(public_url, scheme, host, path)
    return f"{'https' if is_safe else 'http'}://{place}"


def _place(public_url: str, scheme: str, host: str, path: str) -> tuple[bool, str]:
    if public_url:
        parts = urlsplit(public_url)
        scheme, host, path = parts.scheme, parts.netloc, parts.path.rstrip("/") + path
    if not _HOST.fullmatch(host):
        raise OtaError("The Host header is not a host name.")
    return scheme in ("https", "wss"), host + path


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
