"""The name server of the setup: every name is the doll, and no packet harms it."""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

ADDRESS = bytes((192, 168, 4, 1))
A, AAAA, HTTPS = 1, 28, 65


def query(name: str, kind: int = A, flags: int = 0x0100, questions: int = 1) -> bytes:
    """A query as a phone sends it (RFC 1035 section 4)."""
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    head = struct.pack(">HHHHHH", 0xBEEF, flags, questions, 0, 0, 0)
    return head + labels + b"\0" + struct.pack(">HH", kind, 1)


@pytest.fixture
def ask(micropython: Micropython) -> Callable[..., list[bytes | None]]:
    """What the doll answers to each of these packets."""

    def run(*packets: bytes) -> list[bytes | None]:
        script = f"""
from doll import dns
print([dns.answer(p, {ADDRESS!r}) for p in {list(packets)!r}])
"""
        answers: list[bytes | None] = ast.literal_eval(micropython(script))
        return answers

    return run


Ask = Callable[..., list[bytes | None]]


@pytest.mark.parametrize("name", ["captive.apple.com", "a", "x" * 63 + ".kr", "www.msftncsi.com"])
def test_every_name_is_the_doll(ask: Ask, name: str) -> None:
    packet = query(name)
    answer = ask(packet)[0]
    assert answer is not None
    assert struct.unpack(">HHHHHH", answer[:12]) == (0xBEEF, 0x8500, 1, 1, 0, 0)
    question, record = answer[12 : len(packet)], answer[len(packet) :]
    assert question == packet[12:]
    pointer, kind, class_, ttl, size = struct.unpack(">HHHIH", record[:12])
    assert (pointer, kind, class_, size) == (0xC00C, A, 1, 4)
    assert 0 < ttl <= 60, "a phone must forget it soon"
    assert record[12:] == ADDRESS


@pytest.mark.parametrize("kind", [AAAA, HTTPS, 15])
def test_other_types_have_no_record_so_that_a_phone_asks_for_a_at_once(ask: Ask, kind: int) -> None:
    packet = query("connectivitycheck.gstatic.com", kind)
    answer = ask(packet)[0]
    assert answer is not None
    assert struct.unpack(">HHHHHH", answer[:12]) == (0xBEEF, 0x8500, 1, 0, 0, 0)
    assert answer[12:] == packet[12:]


def test_an_answer_is_never_answered(ask: Ask) -> None:
    assert ask(query("a.b", flags=0x8180)) == [None]


def test_what_is_no_query_of_one_name_is_refused_without_an_echo(ask: Ask) -> None:
    good = query("a.b")
    pointed = good[:12] + b"\xc0\x0c" + good[-4:]
    endless = good[:12] + b"\x3f" + b"a" * 63
    long = good[:12] + (b"\x3f" + b"a" * 63) * 5 + b"\0" + good[-4:]
    for answer in ask(pointed, endless, long, query("a.b", questions=2), good[:-1]):
        assert answer is not None
        assert len(answer) == 12
        assert answer[3] & 15 == 1, "format error"
    assert ask(query("a.b", flags=0x2800)) == [struct.pack(">HHHHHH", 0xBEEF, 0xAC04, 0, 0, 0, 0)]


def test_what_is_too_short_or_too_long_is_not_answered(ask: Ask) -> None:
    assert ask(b"", b"\0" * 12, query("a.b") + b"\0" * 512) == [None, None, None]


def test_twenty_thousand_damaged_packets_do_no_harm(micropython: Micropython) -> None:
    seeds = [query("captive.apple.com"), query("a.b", AAAA), query("x" * 63 + ".kr")]
    output = micropython(f"""
import random
from doll import dns
random.seed(7)
answered = 0
for n in range(25000):
    packet = bytearray(random.choice({seeds!r}))
    for _ in range(random.randrange(6)):
        packet[random.randrange(len(packet))] = random.getrandbits(8)
    if random.getrandbits(1):
        packet = packet[: random.randrange(len(packet) + 1)]
    answer = dns.answer(bytes(packet), {ADDRESS!r})
    if answer is not None:
        answered += 1
        assert 12 <= len(answer) <= len(packet) + 16 and answer[:2] == packet[:2]
print(answered)
""")
    assert int(output) > 5000
