"""The HTTP of the setup: requests cut anywhere, limits, and everything that is no request."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest

Micropython = Callable[..., str]

PRELUDE = """
from doll import http

def parse(data, piece):
    p = http.Parser()
    for at in range(0, len(data), piece):
        r = p.feed(data[at : at + piece])
        if r:
            return [r.method, r.path, r.query, r.host, r.form, r.headers]
    return None
"""


@pytest.fixture
def parse(micropython: Micropython) -> Callable[..., Any]:
    """What a request means, or the status that answers it."""

    def run(data: bytes, piece: int = 4096) -> Any:
        script = f"""
try:
    print(parse({data!r}, {piece}))
except http.BadRequestError as e:
    print(e.status)
"""
        return ast.literal_eval(micropython(PRELUDE + script))

    return run


Parse = Callable[..., Any]

FORM = b"ssid=%EC%A7%91&password=a%26b+c%2B&empty=&=x"
POST = (
    b"POST /save?lang=ko HTTP/1.1\r\nHost: 192.168.4.1:80\r\nContent-Length: %d\r\n"
    b"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\r\n%s"
) % (len(FORM), FORM)


def get(*lines: bytes, start: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join((start, *lines, b"", b""))


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_a_form_arrives_whole_however_it_was_cut(parse: Parse, piece: int) -> None:
    method, path, query, host, form, _ = parse(POST, piece)
    assert (method, path, query, host) == ("POST", "/save", {"lang": "ko"}, "192.168.4.1")
    assert form == {"ssid": "집", "password": "a&b c+", "empty": "", "": "x"}


def test_a_request_that_has_not_ended_is_none_yet(parse: Parse) -> None:
    assert parse(POST[:-1]) is None
    assert parse(get(b"Host: a")[:-1]) is None


def test_names_of_headers_have_no_case_and_values_no_space_around(parse: Parse) -> None:
    *_, headers = parse(get(b"hOsT:a", b"Accept-Language: \t ko "))
    assert headers == {"host": "a", "accept-language": "ko"}


def test_the_host_of_an_absolute_target_counts(parse: Parse) -> None:
    start = b"GET http://captive.apple.com/hotspot-detect.html HTTP/1.1"
    _, path, _, host, *_ = parse(get(b"Host: 192.168.4.1", start=start))
    assert (path, host) == ("/hotspot-detect.html", "captive.apple.com")


def test_of_a_field_that_comes_twice_the_first_counts(parse: Parse) -> None:
    assert parse(get(b"Host: a", start=b"GET /?a=1&a=2 HTTP/1.1"))[2] == {"a": "1"}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (get(b"Host: a", start=b"GET  / HTTP/1.1"), 400),
        (get(b"Host: a", start=b"GET / HTTP/2.0"), 505),
        (get(b"Host: a", start=b"GET / SIP/1.1"), 400),
        (get(b"Host: a", start=b"PUT / HTTP/1.1"), 405),
        (get(b"Host: a", start=b"CONNECT a:443 HTTP/1.1"), 501),
        (get(b"Host: a", start=b"GET a HTTP/1.1"), 400),
        (get(), 400),
        (get(b"Host: a", b"Host: b"), 400),
        (get(b"Host: a", b"bad header"), 400),
        (get(b"Host: a", b"X : y"), 400),
        (get(b"Host: a", b" folded"), 400),
        (get(b"Host: a", b"X: \0"), 400),
        (get(b"Host: a", b"X: \xff"), 400),
        (get(b"Host: a\nX: y"), 400),
        (get(b"Host: a", b"Content-Length: 5"), 400),
        (get(b"Host: a", b"X: " + b"y" * 2100), 431),
        (get(b"Host: a", *[b"X: y"] * 60), 431),
        (b"G" * 3000, 431),
        (get(b"Host: a", start=b"GET /?a=%zz HTTP/1.1"), 400),
        (get(b"Host: a", start=b"GET /?a=%f HTTP/1.1"), 400),
        (get(b"Host: a", start=b"GET /?a=%ff HTTP/1.1"), 400),
        (get(b"Host: a", start=b"GET /?" + b"a&" * 30 + b" HTTP/1.1"), 400),
        (POST.replace(b"Content-Length", b"Content-Sum"), 411),
        (POST.replace(b"Content-Length: ", b"Content-Length: -"), 400),
        (POST.replace(b"Content-Length: ", b"Content-Length: 9999"), 413),
        (POST.replace(b"Content-Length: ", b"Content-Length: 99999999999"), 400),
        (POST.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nContent-Length"), 501),
        (POST.replace(b"application/x-www-form-urlencoded", b"text/plain"), 415),
    ],
)
def test_what_is_no_request_gets_its_status(parse: Parse, data: bytes, status: int) -> None:
    assert parse(data) == status
    assert parse(data, 16) == status


def test_no_more_is_kept_than_the_limits_say(micropython: Micropython) -> None:
    output = micropython(
        PRELUDE
        + """
import gc
p = http.Parser()
gc.collect()
before = gc.mem_alloc()
try:
    for _ in range(1000):
        p.feed(b"x" * 512)
except http.BadRequestError as e:
    print(e.status)
gc.collect()
print(gc.mem_alloc() - before < 16384)
"""
    )
    assert output == "431\nTrue\n"


def test_twenty_thousand_damaged_requests_do_no_harm(micropython: Micropython) -> None:
    seeds = [
        POST,
        get(b"Host: a", b"Accept-Language: ko-KR,ko;q=0.9"),
        get(start=b"GET /%41 HTTP/1.0"),
    ]
    output = micropython(
        PRELUDE
        + f"""
import random
random.seed(11)
seeds = {seeds!r}
pieces = (b"\\r\\n", b"\\r\\n\\r\\n", b"%", b"%C3", b"&", b"=", b":", b" ", b"\\0", b"\\xff",
          b"HTTP/1.1", b"Host: x\\r\\n", b"Content-Length: 7\\r\\n", b"0" * 40, b"http://", b"?")
good = bad = more = 0
for n in range(25000):
    data = bytearray(random.choice(seeds))
    for _ in range(random.randrange(4)):
        at = random.randrange(len(data))
        if random.getrandbits(1):
            data[at] = random.getrandbits(8)
        else:
            data = data[:at] + random.choice(pieces) + data[at + random.randrange(4):]
    try:
        if parse(bytes(data), random.choice((1000, 100, 13))):
            good += 1
        else:
            more += 1
    except http.BadRequestError as e:
        assert e.status in http.REASONS
        bad += 1
print([good, bad, more])
"""
    )
    good, bad, more = ast.literal_eval(output)
    assert min(good, bad, more) > 500


def test_the_head_of_an_answer_says_that_the_connection_ends(micropython: Micropython) -> None:
    output = micropython('from doll import http\nprint(http.head(302, (("Location", "/"),)))')
    assert ast.literal_eval(output) == (
        b"HTTP/1.1 302 Found\r\nConnection: close\r\nCache-Control: no-store\r\nLocation: /\r\n\r\n"
    )
