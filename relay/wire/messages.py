"""The text messages of the xiaozhi protocol, both ways, and our additions to them.

One struct for each `type`. Fields that are not known are skipped, so that newer devices work with
an older relay. `docs/protocol.md` shows each message.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

from relay.wire.errors import ErrorCode, WireError

#: Largest text message, in bytes of UTF-8. Stock boards cut their MCP lists into pages of 8000.
MAX_TEXT_BYTES = 16_384

#: Lists and objects within each other in an MCP payload. A tool's JSON schema needs about eight.
MAX_DEPTH = 32

_Name = Annotated[str, Meta(max_length=128)]
_Number = Annotated[int, Meta(ge=0, le=1_000_000)]
_Count = Annotated[int, Meta(ge=0, le=2**32)]


class AudioParams(Struct, frozen=True):
    """How one direction of the audio is coded."""

    format: _Name = "opus"  #: "opus"; ours: "pcm", "adpcm"
    sample_rate: _Number = 16_000  #: hertz
    channels: _Number = 1
    frame_duration: _Number = 60  #: milliseconds of audio in one binary message


class Features(Struct, frozen=True):
    """What a device can do beyond the basics."""

    mcp: bool = False  #: it has tools that can be called (Model Context Protocol)
    aec: bool = False  #: it wants the relay to cancel the echo of its speaker
    report: bool = False  #: ours: it sends a `report` after each reply
    resume: bool = False  #: ours: it can go on with a reply that a lost link cut off
    token: bool = False  #: ours: it stores a new token that it is sent
    recorder: bool = False  #: ours: its light shows that its turns are recorded


class Resume(Struct, frozen=True):
    """Ours: the session that a doll wants to go on with, and how far that had come."""

    session_id: _Name
    received: _Count  #: messages of the session that have come, without hello, pong and error


_Word = Annotated[str, Meta(max_length=64, pattern=r"^[ -~]*$")]


class Firmware(Struct, frozen=True):
    """Ours: what a doll runs, so that it can be offered something newer."""

    version: _Word
    nonce: _Word  #: signed along with an offer, which is good for this session only
    board: _Word = ""
    mpy: _Word = ""  #: the .mpy format that it reads, such as 6.3; empty: none
    arch: _Word = ""  #: of the native code in it
    trial: bool = False  #: it has just been installed, and must prove itself
    safe: bool = False  #: safe mode: three starts have failed
    failed: _Word = ""  #: a version that did not work on this doll, and was taken back
    #: Why it has started, said once: "power", it was plugged in; "memory", by itself, to make room
    restart: _Word = ""


class Hello(Struct, frozen=True, tag="hello"):
    """Device to relay, first of all."""

    version: _Number = 1  #: framing of binary messages: 1, 2 or 3
    features: Features = Features()
    transport: Literal["websocket"] = "websocket"
    audio_params: AudioParams = AudioParams()  #: of the uplink
    resume: Resume | None = None
    firmware: Firmware | None = None


class Listen(Struct, frozen=True, tag="listen"):
    """Device to relay: the microphone is on, off, or heard its wake word."""

    state: Literal["start", "stop", "detect"]
    mode: Literal["auto", "manual", "realtime"] = "auto"  #: with "start": who ends the turn
    text: Annotated[str, Meta(max_length=1000)] = ""  #: with "detect": the wake word
    session_id: _Name = ""


class Abort(Struct, frozen=True, tag="abort"):
    """Device to relay: stop talking. Always answered by `Tts(state="stop")`."""

    reason: _Name = ""
    session_id: _Name = ""


class Mcp(Struct, frozen=True, tag="mcp", omit_defaults=True):
    """Both ways: one JSON-RPC 2.0 message of the Model Context Protocol."""

    payload: dict[str, Any]
    session_id: _Name = ""


class Ping(Struct, frozen=True, tag="ping"):
    """Device to relay: are you there? Answered by `Pong`."""


class Report(Struct, frozen=True, tag="report"):
    """Device to relay, ours: how the last reply was played. A device sends what it knows."""

    frames_played: _Count | None = None
    frames_lost: _Count | None = None  #: received and not played
    underruns: _Count | None = None  #: times that the speaker ran dry within the reply
    frames_sent: _Count | None = None
    frames_dropped: _Count | None = None  #: recorded and not sent
    heap_free: _Count | None = None  #: bytes
    heap_per_frame: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None  #: bytes, of one frame
    rssi: Annotated[int, Meta(ge=-200, le=100)] | None = None  #: Wi-Fi signal, dBm
    session_id: _Name = ""


class Update(Struct, frozen=True, tag="update"):
    """Device to relay, ours: how an update goes."""

    state: Literal["get", "refused", "failed", "installed", "healthy"]
    offset: _Count = 0  #: with "get": the first byte of the bundle that is wanted
    reason: _Name = ""  #: with "refused" and "failed"
    session_id: _Name = ""


class TokenState(Struct, frozen=True, tag="token"):
    """Device to relay, ours: what became of the token that it was sent."""

    state: Literal["stored", "failed"]
    session_id: _Name = ""


class Goodbye(Struct, frozen=True, tag="goodbye"):
    """Device to relay: it leaves. Boards just close; some other clients say so before."""

    session_id: _Name = ""


DeviceMessage: TypeAlias = (
    Hello | Listen | Abort | Mcp | Ping | Report | Update | TokenState | Goodbye
)


class ServerHello(Struct, frozen=True, tag="hello"):
    """Relay to device: the answer to `Hello`, and the first message that the relay sends."""

    session_id: str
    audio_params: AudioParams  #: of the downlink
    transport: Literal["websocket"] = "websocket"  #: stock firmware crashes without it
    resumed: bool | msgspec.UnsetType = msgspec.UNSET  #: ours: the answer to `Hello.resume`


class Stt(Struct, frozen=True, tag="stt", omit_defaults=True):
    """Relay to device: what was heard."""

    text: str
    session_id: str = ""


#: The faces that stock firmware knows.
Emotion: TypeAlias = Literal[
    "neutral", "happy", "laughing", "funny", "sad", "angry", "crying", "loving", "embarrassed",
    "surprised", "shocked", "thinking", "winking", "cool", "relaxed", "delicious", "kissy",
    "confident", "sleepy", "silly", "confused",
]  # fmt: skip


class Llm(Struct, frozen=True, tag="llm", omit_defaults=True):
    """Relay to device: the face that goes with the reply."""

    emotion: Emotion
    text: str = ""  #: an emoji
    light: int | msgspec.UnsetType = msgspec.UNSET  #: ours: its colour for this doll, 0xRRGGBB
    session_id: str = ""


class Tts(Struct, frozen=True, tag="tts", omit_defaults=True):
    """Relay to device: speech begins, a sentence of it follows (`text`), speech has ended."""

    state: Literal["start", "sentence_start", "stop"]
    text: str = ""
    #: Ours, with "stop": somebody spoke or pressed; what is not played yet is not wanted.
    interrupted: bool = False
    session_id: str = ""


class System(Struct, frozen=True, tag="system"):
    """Relay to device: a command to the board itself."""

    command: Literal["reboot"]


class UpdateOffer(Struct, frozen=True, tag="update"):
    """Relay to device, ours: a newer firmware is there (docs/updates.md)."""

    manifest: str  #: JSON, as it was signed
    signature: str  #: HMAC-SHA256 of it with the doll's token, hex


class Token(Struct, frozen=True, tag="token"):
    """Relay to device, ours: what it shows as its bearer token from now on."""

    token: str

    def __repr__(self) -> str:
        return "Token()"  # nothing that prints a message gives it away


class RecorderState(Struct, frozen=True, tag="recorder"):
    """Relay to device, ours: its turns are recorded from now on, or not any more."""

    state: Literal["on", "off"]


class Alert(Struct, frozen=True, tag="alert"):
    """Relay to device: a text to show, with a sound. Stock firmware wants all three fields."""

    status: str
    message: str
    emotion: Emotion = "neutral"


class Error(Struct, frozen=True, tag="error"):
    """Relay to device, ours: the message before could not be used. Stock boards ignore it."""

    code: str  #: an ErrorCode
    message: str


class Pong(Struct, frozen=True, tag="pong"):
    """Relay to device: the answer to `Ping`."""


RelayMessage: TypeAlias = (
    ServerHello
    | Stt
    | Llm
    | Tts
    | Mcp
    | System
    | UpdateOffer
    | Token
    | RecorderState
    | Alert
    | Error
    | Pong
)

_decoder = msgspec.json.Decoder(DeviceMessage)
_encoder = msgspec.json.Encoder()


def decode(text: str | bytes) -> DeviceMessage:
    """Read one text message (UTF-8 if bytes). Raises WireError, none of which ends the session."""
    if len(text) > MAX_TEXT_BYTES or (isinstance(text, str) and _utf8_len(text) > MAX_TEXT_BYTES):
        raise WireError(ErrorCode.TOO_LONG, f"a text message may have {MAX_TEXT_BYTES} bytes")
    try:
        message: DeviceMessage = _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise _refusal(text, error) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise WireError(ErrorCode.NOT_JSON, clip(str(error))) from None
    except RecursionError:
        raise WireError(ErrorCode.BAD_MESSAGE, "nested too deeply") from None
    if isinstance(message, Mcp) and _deeper_than(MAX_DEPTH, message.payload):
        raise WireError(ErrorCode.BAD_MESSAGE, f"payload: nested more than {MAX_DEPTH} deep")
    return message


def encode(message: RelayMessage, session_id: str = "") -> str:
    """Write one text message; `session_id` goes into it where it has such a field left empty."""
    if session_id and getattr(message, "session_id", session_id) == "":
        message = msgspec.structs.replace(message, session_id=session_id)
    return _encoder.encode(message).decode()


def clip(text: str, limit: int = 80) -> str:
    """Shorten `text` to `limit` characters, so that no answer and no log line grows with input."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class _Typed(Struct):
    type: Any = msgspec.UNSET


_typed_decoder = msgspec.json.Decoder(_Typed)


def _refusal(text: str | bytes, error: msgspec.ValidationError) -> WireError:
    """Say what is wrong with JSON that is no message: slower than `decode`, and seldom needed."""
    try:
        kind = _typed_decoder.decode(text).type
    except msgspec.ValidationError:
        return WireError(ErrorCode.NOT_AN_OBJECT, "a message is a JSON object with a type")
    except (msgspec.DecodeError, UnicodeError) as malformed:
        return WireError(ErrorCode.NOT_JSON, clip(str(malformed)))
    except RecursionError:
        return WireError(ErrorCode.BAD_MESSAGE, "nested too deeply")
    if not isinstance(kind, str):
        return WireError(ErrorCode.BAD_MESSAGE, "type: missing, or not a text")
    if kind not in _device_types:
        return WireError(ErrorCode.UNKNOWN_TYPE, f"unknown type {clip(repr(kind), 40)}")
    return WireError(ErrorCode.BAD_MESSAGE, f"{kind}: {clip(str(error))}")


_device_types = {struct.__struct_config__.tag for struct in get_args(DeviceMessage)}


def _utf8_len(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _deeper_than(limit: int, value: dict[str, Any]) -> bool:
    """Whether `value` (from JSON) has more than `limit` levels; walks it without recursion."""
    level: list[dict[str, Any] | list[Any]] = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
