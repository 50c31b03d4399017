"""How the wire says what is wrong: close codes, error codes, and the two exceptions that hold them.

`docs/protocol.md` has the same two tables for people who build devices.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class CloseCode(IntEnum):
    """Why a WebSocket was closed: RFC 6455, section 7.4.1, and 4000-4999 for our own reasons."""

    NORMAL = 1000
    GOING_AWAY = 1001  #: the relay stops or restarts
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_TEXT = 1007  #: text that is not UTF-8
    POLICY = 1008  #: not allowed: a token that is missing or wrong
    TOO_BIG = 1009  #: a message that is larger than the server reads at all
    INTERNAL = 1011  #: a fault of the relay
    RESTARTING = 1012  #: the server under the relay stops
    TRY_LATER = 1013  #: the relay is full

    NO_HELLO = 4000  #: no hello in time
    HELLO_EXPECTED = 4001  #: the first message was not a valid hello
    UNSUPPORTED_FORMAT = 4002  #: an audio format or framing version that the relay does not speak
    FLOOD = 4003  #: more messages or bytes in a time than the limits allow
    SLOW_READER = 4004  #: the device does not read what is sent to it
    REPLACED = 4005  #: the same device has connected again
    IDLE = 4006  #: nothing was received for too long
    BAD_MESSAGES = 4007  #: too many messages that could not be understood
    NEW_TOKEN = 4008  #: the device has a new token: it comes back with that
    REVOKED = 4009  #: its token is good for nothing any more
    SESSION_OVER = 4010  #: the session has lasted for as long as one may: it comes back


class ErrorCode(StrEnum):
    """What an `error` message tells the device about the message before it."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    BAD_MESSAGE = "bad_message"  #: a field is missing, or its value is not allowed
    UNKNOWN_TYPE = "unknown_type"
    TOO_LONG = "too_long"
    BAD_FRAME = "bad_frame"  #: the header of a binary message is wrong
    BAD_AUDIO = "bad_audio"
    HELLO_EXPECTED = "hello_expected"
    HELLO_TWICE = "hello_twice"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNSUPPORTED_VERSION = "unsupported_version"
    FLOOD = "flood"
    BAD_MESSAGES = "bad_messages"


class WireError(Exception):
    """Something that was received is not acceptable.

    With `close` the connection ends with that code; without it the device is told and the session
    goes on. `message` says what was wrong and never repeats more than 80 characters of the input.
    """

    def __init__(self, code: ErrorCode, message: str, close: CloseCode | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.close = close


class Disconnected(Exception):  # noqa: N818 (a state of affairs: most ends are no errors)
    """The connection is over; `code` is a CloseCode or what the device's close frame said."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason
