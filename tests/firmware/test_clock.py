"""The doll's clock, set before a certificate is judged by it."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

Micropython = Callable[..., str]

PARSE = """
from doll import clock
for text in %r:
    try:
        print(clock.parse(text))
    except ValueError as e:
        print(repr(str(e)))
"""

SET = """
import sys
from doll import clock

class Ntp:
    @staticmethod
    def settime():
        if %r:
            raise OSError(110)
        print("'ntp'")

class Time:
    @staticmethod
    def gmtime():
        return (%d, 1, 1, 0, 0, 0, 0, 1)

class Rtc:
    def datetime(self, value):
        print(repr(value))

sys.modules["ntptime"] = Ntp
clock.time = Time
clock.machine = type("machine", (), {"RTC": Rtc})
ask = clock._ask
clock._ask = lambda host, port: ask(host, %d)
clock.log.info = clock.log.warn = lambda *a: None
clock.set_once("127.0.0.1")
"""


@contextmanager
def host(date: str | None) -> Iterator[int]:
    """A web server that tells `date`; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(301)
            self.send_header("X-Filler", "x" * 200)
            if date is not None:
                self.send_header("Date", date)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def lines(output: str) -> list[object]:
    return [ast.literal_eval(line) for line in output.splitlines() if line]


def test_a_date_of_http_is_read(micropython: Micropython) -> None:
    output = micropython(PARSE % [b"Mon, 23 Nov 2026 16:33:05 GMT"])
    assert lines(output) == [(2026, 11, 23, 0, 16, 33, 5, 0)]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Mon, 23 Nov 2026 16:33:05 CET",
        b"Mon, 23 Nov 1999 16:33:05 GMT",
        b"Mon, 99 Nov 2026 16:33:05 GMT",
        b"Mon, 23 Xxx 2026 16:33:05 GMT",
        b"Mon, 23 Nov 2026 16:33 GMT",
        b"Mon, 23 Nov 2026 25:00:00 GMT",
        b"Mon, 23 Nov 2026 aa:bb:cc GMT",
        b"\xff\xfe",
    ],
)
def test_what_is_no_date_is_refused(micropython: Micropython, text: bytes) -> None:
    [said] = lines(micropython(PARSE % [text]))
    assert isinstance(said, str)


def test_a_clock_that_was_set_is_left_alone(micropython: Micropython) -> None:
    assert lines(micropython(SET % (False, 2026, 1))) == []


def test_ntp_is_asked_first(micropython: Micropython) -> None:
    assert lines(micropython(SET % (False, 2000, 1))) == ["ntp"]


def test_without_ntp_the_relays_host_tells_the_time(micropython: Micropython) -> None:
    with host("Mon, 23 Nov 2026 16:33:05 GMT") as port:
        assert lines(micropython(SET % (True, 2000, port))) == [(2026, 11, 23, 0, 16, 33, 5, 0)]


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_host_that_does_not_know_leaves_the_clock(
    micropython: Micropython, date: str | None
) -> None:
    with host(date) as port:
        assert lines(micropython(SET % (True, 2000, port))) == []


def test_a_host_that_does_not_answer_leaves_the_clock(micropython: Micropython) -> None:
    assert lines(micropython(SET % (True, 2000, 1))) == []
