"""Wi-Fi: several networks, wrong passwords, and a link that must hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FAKES = Path(__file__).with_name("board_fakes")

PRELUDE = """
import asyncio
import network
from doll import wifi as module
from fakes import Clock

clock = module.time = Clock()

class Sleep:
    slept = []
    async def sleep_ms(self, ms):
        clock.now += ms
        self.slept.append(ms)

module.asyncio = Sleep()

# A radio that does what its script says: network name -> (ms until connected or failed, status).
class Radio:
    IF_STA = 0
    PM_NONE = 0
    air = {}
    pm = None
    def __init__(self, interface):
        self.tried = []
        self.place = None
    def active(self, on): pass
    def config(self, pm): Radio.pm = pm
    def connect(self, ssid, password):
        self.tried.append((ssid, password))
        self.place = self.air.get(ssid, (100, 201))
        self.since = clock.now
    def disconnect(self): self.place = None
    def status(self, what=None):
        if what:
            return -60
        ms, end = self.place or (0, 1000)
        return end if clock.now - self.since >= ms else 1001
    def isconnected(self): return self.place is not None and self.status() == 1010

class Backoff:
    waits = 0
    def next(self, most):
        self.waits += 1
        self.most = most
        assert self.waits < 10
        if self.waits == 3:
            Radio.air["home"] = (100, 1010)
        return 1000
    def reset(self): pass

network.WLAN = Radio
backoff = Backoff()

def connect(*names):
    w = module.Wifi([{"ssid": n, "password": "pw-" + n} for n in names], backoff)
    asyncio.run(w.connect())
    return w
"""


@pytest.fixture
def log(micropython: Micropython) -> Callable[[str], list[str]]:
    """Runs a script of asserts behind the prelude, to its end; returns the log."""

    def run(script: str) -> list[str]:
        lines = micropython(PRELUDE + script + '\nprint("end")\n', path=(FAKES,)).splitlines()
        assert lines.pop() == "end"
        return lines

    return run


Log = Callable[[str], list[str]]


def test_it_connects_without_power_save(log: Log) -> None:
    assert log("""
Radio.air = {"home": (300, 1010)}
w = connect("home")
assert w.is_up() and w.rssi() == -60 and Radio.pm == Radio.PM_NONE
assert w._wlan.tried == [("home", "pw-home")]
""") == ["[doll] I wifi connecting home", "[doll] I wifi connected rssi=-60 home"]


def test_it_goes_on_to_the_next_network(log: Log) -> None:
    lines = log("""
Radio.air = {"away": (200, 201), "wrong": (200, 202), "home": (100, 1010)}
connect("away", "wrong", "home")
assert backoff.waits == 0
""")
    assert lines[1] == "[doll] W wifi failed status=201 away"
    assert lines[3] == "[doll] W wifi failed status=202 wrong"
    assert lines[5] == "[doll] I wifi connected rssi=-60 home"
    assert not any("pw-" in line for line in lines)


def test_a_network_that_says_nothing_is_given_up_after_20_s(log: Log) -> None:
    lines = log("""
Radio.air = {"slow": (10**9, 1010), "home": (100, 1010)}
start = clock.now
connect("slow", "home")
assert 20000 <= clock.now - start < 23000
""")
    assert lines[1] == "[doll] W wifi failed status=1001 slow"


def test_it_tries_for_ever_with_waits_in_between(log: Log) -> None:
    log("""
w = connect("home")
assert backoff.waits == 3 and w.is_up()
""")


def test_a_network_that_has_gone_is_looked_for_all_the_time(log: Log) -> None:
    log("""
connect("home")
assert backoff.waits == 3 and backoff.most == 500
""")


def test_one_that_does_not_let_the_doll_in_is_left_alone_for_longer(log: Log) -> None:
    log("""
Radio.air = {"away": (200, 201), "home": (200, 202)}
connect("home", "away")
assert backoff.waits == 3 and backoff.most == 30000
""")


def test_without_a_network_in_the_settings_it_says_so_and_waits(log: Log) -> None:
    lines = log("""
class Enough(Exception):
    pass
def enough(most):
    raise Enough
backoff.next = enough
try:
    connect()
except Enough:
    pass
""")
    assert lines == ["[doll] E wifi no network in settings.json"]


def test_a_link_that_drops_within_the_first_moment_does_not_count(log: Log) -> None:
    log("""
class Flapping(Radio):
    looks = 0
    def isconnected(self):
        Flapping.looks += 1
        return Flapping.looks not in (1, 4)  # up, and down again
network.WLAN = Flapping
Radio.air = {"home": (0, 1001)}
w = connect("home")
assert Flapping.looks >= 4 + 5
""")
