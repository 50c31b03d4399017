"""The I2S of a board: two peripherals, or one that changes its direction."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

PRELUDE = """
import gc
import sys

# machine.I2S as the driver has it: reading needs RX, writing TX, and the first poll ends blocking.
class I2S:
    RX, TX, MONO, STEREO = 1, 2, 0, 1
    made = []
    def __init__(self, id, **settings):
        self.id = id
        I2S.made.append(self)
        self.did = []
        self.init(**settings)
    def init(self, **settings):
        self.settings = settings
        self.polled = False
        self.did.append(settings["mode"])
    def readinto(self, buf):
        assert self.polled and self.settings["mode"] == I2S.RX
        n = len(buf) >> 2
        for i in range(n):
            buf[4 * i] = i & 255
        return len(buf)
    def write(self, buf):
        assert self.polled and self.settings["mode"] == I2S.TX
        return len(buf)

import machine
machine.I2S = I2S

from doll import i2s as module

class Poll:
    def register(self, i2s, flags):
        assert flags == (1 if i2s.settings["mode"] == I2S.RX else 4)
        self.i2s = i2s
    def poll(self, ms):
        assert ms == 0
        self.i2s.polled = True

class Select:
    POLLIN, POLLOUT = 1, 4
    poll = Poll
module.select = Select

class Board:
    MIC_SCK, MIC_WS, MIC_SD, MIC_IBUF = 4, 5, 6, 16384
    SPEAKER_SCK, SPEAKER_WS, SPEAKER_SD, SPEAKER_IBUF = 7, 10, 3, 16384

buf = bytearray(1024)
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n') == "end\n"

    return run


Check = Callable[[str], None]


def test_two_peripherals_never_wait(check: Check) -> None:
    check("""
ear, mouth = module.full_duplex(Board)
assert [i.id for i in I2S.made] == [0, 1]
assert ear.readinto(buf) == 1024 and mouth.write(buf) == 1024
assert ear.settings["bits"] == 32 and mouth.settings["bits"] == 16
assert ear.settings["format"] == mouth.settings["format"] == I2S.MONO
""")


def test_one_peripheral_listens_first_and_changes_when_it_is_claimed(check: Check) -> None:
    check("""
both = module.HalfDuplex(Board)
assert len(I2S.made) == 1 and I2S.made[0].id == 0
assert both.readinto(buf) == 1024
assert both.listen() is False
assert both.speak() is True and both.speak() is False
assert both.write(buf) == 1024
assert both.listen() is True
assert both.readinto(buf) == 1024
assert len(I2S.made) == 1 and I2S.made[0].did == [I2S.RX, I2S.TX, I2S.RX]
""")


def test_who_has_not_claimed_it_moves_nothing(check: Check) -> None:
    check("""
both = module.HalfDuplex(Board)
assert both.write(buf) == 0
both.speak()
assert both.readinto(buf) == 0
""")


def test_a_microphone_in_the_right_slot_is_read_from_there(check: Check) -> None:
    check("""
class RightBoard(Board):
    MIC_IN_RIGHT_SLOT = True

for ear in (module.full_duplex(RightBoard)[0], module.HalfDuplex(RightBoard)):
    assert I2S.made[-1].settings["format"] == I2S.STEREO or I2S.made[-2].settings["format"]
    assert ear.readinto(buf) == 1024
    # Word i of the driver holds i: every second one is of the right slot.
    assert [buf[4 * i] for i in range(256)] == [2 * i + 1 & 255 for i in range(256)]
""")


def test_neither_direction_takes_heap(check: Check) -> None:
    check("""
class RightBoard(Board):
    MIC_IN_RIGHT_SLOT = True

class Quiet(I2S):
    def readinto(self, buf):
        return 2048

machine.I2S = module.I2S = Quiet
both = module.HalfDuplex(RightBoard)
def move(n):
    while n:
        both.readinto(buf)
        both.write(buf)
        n -= 1
move(5)
gc.collect()
gc.disable()
before = used = 0
before = gc.mem_alloc()
move(100)
used = gc.mem_alloc() - before
both.speak()
move(5)
before = gc.mem_alloc()
move(100)
used += gc.mem_alloc() - before
assert used == 0, used
""")
