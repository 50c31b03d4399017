"""Waits in the doll's log until it is ready, or until it is clear why it will not be. Sans-I/O.

The lines are those of docs/firmware-log.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tools.simulator.console import LogLine, PlainLine, parse_line


class Step(StrEnum):
    """How far the doll has come; also the key of the text that says so."""

    STARTING = "watch_starting"
    WIFI = "watch_wifi"
    RELAY = "watch_relay"
    READY = "watch_ready"
    SETUP = "watch_setup"


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """The doll has opened a network of its own, for its setup from a phone."""

    ssid: str
    password: str
    address: str  #: of the setup page


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the doll is not ready."""

    key: str  #: of the sentence in texts.toml, without error_
    detail: str = ""  #: in the doll's own words
    name: str = ""  #: of the Wi-Fi network or the relay's address


#: The doll tries again by itself; what happens twice in a row is no accident.
_TIMES = 2

_SETUP_OPEN = re.compile(r"ssid=(\S+) password=(\S+) address=(\S+)")

_CODE = re.compile(r"\b\d{6}\b")

_WIFI_FAILED = re.compile(r"status=(-?\w+) ?(.*)")
_WIFI_STATUS = {"201": "wifi_not_found", "202": "wifi_password", "204": "wifi_password"}

#: What follows "relay lost"; see ConnectError in firmware/doll/upgrade.py.
_RELAY_LOST = (
    (r"http: (?:401|403)\b", "relay_token"),
    (r"http: 404\b|http: 200\b|http: not an HTTP", "relay_path"),
    (r"dns: ", "relay_name"),
    (r"tcp: ", "relay_unreachable"),
    (r"tls: ", "relay_certificate"),
    (r"address: ", "relay_address"),
)


class Watch:
    """Takes the lines of the console; tells the step and the trouble so far."""

    def __init__(self) -> None:
        self.step = Step.STARTING
        self.trouble: Trouble | None = None  #: seen at least once; forgotten when it goes on
        self.failed = False  #: the trouble is there to stay
        self.setup: OwnNetwork | None = None  #: it waits for somebody with a phone
        self.code = ""  #: six digits: the relay does not know it yet
        self._seen: dict[str, int] = {}
        self._relay = ""
        self._traceback = False

    @property
    def ready(self) -> bool:
        """The doll waits for a question."""
        return self.step is Step.READY

    def take(self, text: str) -> None:
        """Takes the next line."""
        line = parse_line(text)
        if isinstance(line, LogLine):
            self._take(line)
        elif isinstance(line, PlainLine):
            self._take_other(line.text)

    def _take(self, line: LogLine) -> None:
        if line.rest("wifi connecting") is not None:
            self.step = Step.WIFI
        elif line.rest("wifi connected") is not None:
            self._forget()
        elif (rest := line.rest("wifi failed")) is not None:
            match = _WIFI_FAILED.match(rest)
            status, name = (match[1], match[2]) if match else ("?", "")
            self._count(Trouble(_WIFI_STATUS.get(status, "wifi_failed"), status, name))
        elif line.rest("wifi no network") is not None:
            self._fail(Trouble("wifi_none"))
        elif (rest := line.rest("setup open")) is not None:
            self.step = Step.SETUP
            if match := _SETUP_OPEN.match(rest):
                self.setup = OwnNetwork(*match.groups())
        elif (url := line.rest("relay connecting")) is not None:
            self.step = Step.RELAY
            self._relay = url
        elif line.rest("relay connected") is not None:
            self._forget()
        elif (reason := line.rest("relay lost")) is not None:
            self._count(Trouble(_why_lost(reason), reason, self._relay))
        elif (command := line.rest("pairing")) is not None:
            if match := _CODE.search(command):
                self.code = match[0]
        elif line.rest("state idle") is not None or line.rest("state listening") is not None:
            self._forget()
            self.step = Step.READY
        elif (reason := line.rest("crash")) is not None:
            self._fail(Trouble("crash", reason))
        elif line.level == "E" and line.rest("settings") is None:
            self._fail(Trouble("doll_says", line.message))  # somebody has to do something

    def _take_other(self, text: str) -> None:
        """The last line of a traceback says what it was; the first one, that it is one."""
        if text.startswith("Traceback (most recent call last)"):
            self._traceback = True
        elif self._traceback and text and not text.startswith(" "):
            self._traceback = False
            if not text.startswith("KeyboardInterrupt"):
                self._fail(Trouble("crash", text[:200]))
        elif re.match(r"invalid header: 0x|.*No bootable app", text):
            self._fail(Trouble("no_image"))

    def _count(self, trouble: Trouble) -> None:
        if self.failed:
            return
        self.trouble = trouble
        key = f"{trouble.key} {trouble.name}"
        self._seen[key] = self._seen.get(key, 0) + 1
        self.failed = self._seen[key] >= _TIMES

    def _fail(self, trouble: Trouble) -> None:
        if not self.failed:
            self.trouble = trouble
            self.failed = True

    def _forget(self) -> None:
        if not self.failed:
            self.trouble = None
            self._seen.clear()


def _why_lost(reason: str) -> str:
    return next((key for start, key in _RELAY_LOST if re.match(start, reason)), "relay_lost")
