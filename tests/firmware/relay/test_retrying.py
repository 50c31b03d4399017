"""How soon the doll tries again, by what the last try or the last link ended with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[[str], None]

#: `tried(error, ms, n)`: the waits of a doll whose next n tries take so long and end so.
TRIES = """
from doll.upgrade import ConnectError

class Enough(Exception):
    pass

class Sleep:
    async def sleep_ms(self, ms):
        clock.now += ms
        waits.append(ms)
        if len(waits) == Sleep.n:
            raise Enough

class Nothing:
    def tear(self): pass

async def join(self):
    pass

Wifi.connect = join
r._speaker = Nothing()
r.on_link = lambda up: None

def tried(error, ms=0, n=8):
    global waits
    waits, Sleep.n = [], n
    async def connect():
        clock.now += ms
        raise error
    r._connect = connect
    module.asyncio = Sleep()
    try:
        asyncio.run(r.run())
    except Enough:
        return waits
"""


@pytest.mark.parametrize(
    "error",
    [
        'OSError(104, "reset")',
        'ConnectError("tcp", "no answer in time")',
        'ConnectError("dns", "no such host")',
        'ConnectError("http", "502: no relay behind this address", 502)',
        'Closed(1001, "the relay stops")',
        'Closed(1006, "connection lost")',
        'Closed(1012, "the relay restarts")',
        'Closed(4010, "the session is over")',
    ],
)
def test_where_nobody_is_there_it_asks_every_other_second_for_as_long_as_it_takes(
    check: Check, error: str
) -> None:
    check(
        TRIES
        + f"""
waits = tried({error}, n=40)
assert all(500 <= ms <= 2000 for ms in waits), waits
assert len(set(waits)) > 5, "dolls would come all at once"
"""
    )


@pytest.mark.parametrize(
    "error",
    [
        'ConnectError("http", "401: pair the doll again", 401)',
        'ConnectError("http", "503: the relay is busy", 503)',
        'ConnectError("address", "bad host")',
        'Closed(1008, "not allowed")',
        'Closed(1013, "the relay is full")',
        'Closed(4005, "the same doll connected again")',
        'ValueError("no hello")',
        "MemoryError()",
    ],
)
def test_a_relay_that_says_no_is_asked_less_and_less(check: Check, error: str) -> None:
    check(
        TRIES
        + f"""
waits = tried({error})
assert waits[0] <= 1000 and waits[3] > 2000 and 15000 <= waits[7] <= 30000, waits
"""
    )


def test_a_refusal_is_no_reason_to_hurry_in_mid_turn(check: Check) -> None:
    check(
        TRIES
        + """
r.hurry = True
assert max(tried(OSError(104, "reset"))) <= 500
assert max(tried(Closed(1013, "the relay is full"))) > 2000
"""
    )


def test_a_try_that_took_long_is_followed_by_the_next_one_soon(check: Check) -> None:
    check(
        TRIES
        + """
waits = tried(ConnectError("tcp", "no answer in time"), ms=2500)
assert max(waits) <= 250 and len(set(waits)) > 2, waits
"""
    )
