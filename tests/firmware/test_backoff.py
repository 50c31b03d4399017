"""How long the doll waits before it tries again."""

from __future__ import annotations

from collections.abc import Callable

Micropython = Callable[..., str]


def test_waits_grow_to_30_s_and_are_never_alike(micropython: Micropython) -> None:
    assert (
        micropython("""
from doll.backoff import Backoff
seen = set()
for _ in range(20):
    b = Backoff()
    for most in (1000, 2000, 4000, 8000, 16000, 30000, 30000):
        ms = b.next()
        seen.add(ms)
        assert most // 2 <= ms <= most
    b.reset()
    assert b.next() <= 1000
assert len(seen) > 20
print("end")
""")
        == "end\n"
    )


def test_who_is_in_a_hurry_waits_little_and_does_not_slow_others_down(
    micropython: Micropython,
) -> None:
    script = """
from doll.backoff import Backoff
b = Backoff()
for _ in range(100):
    assert 250 <= b.next(500) <= 500
assert 500 <= b.next() <= 1000
print("end")
"""
    assert micropython(script) == "end\n"


def test_a_thousand_dolls_whose_relay_was_away_are_back_in_2_s_and_never_at_once(
    micropython: Micropython,
) -> None:
    """Each has tried in vain all the while; the relay is there again from a moment on."""
    script = """
from doll.backoff import SOON_MS, Backoff
from os import urandom
away = 60_000
hundredths = [0] * 20  # of a second, in tens: who comes when
for doll in range(1000):
    b = Backoff()
    at = urandom(1)[0]  # the link of all is lost within a quarter of a second
    while at < away:
        at += b.next(SOON_MS)
    hundredths[(at - away) // 100] += 1
assert sum(hundredths) == 1000
assert max(hundredths) < 150, hundredths
print("end")
"""
    assert micropython(script) == "end\n"
