from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest

from relay.persona import load
from relay.persona.quiet import QuietHours
from relay.services import Services
from relay.turn.greeting import is_due, part_of_day, wordings
from relay.turn.machine import State
from relay.wire.messages import Firmware, Hello
from tests.fakes.connection import FakeConnection
from tests.fakes.session import talking

CHACHA = load("chacha")
NOON = datetime(2026, 11, 23, 12, 30)  # noqa: DTZ001
PLUGGED_IN = Firmware("0.1.0", "n", restart="power")


def greeting_doll(firmware: Firmware | None = PLUGGED_IN) -> FakeConnection:
    doll = FakeConnection()
    doll.hello = Hello(firmware=firmware)
    return doll


@pytest.fixture
def greeting(services: Services) -> Services:
    turn = replace(services.settings.turn, greeting=True)
    services.settings = services.settings.model_copy(update={"turn": turn})
    return services


@pytest.mark.virtual_time
async def test_a_doll_that_was_plugged_in_greets_and_asks_no_brain(greeting: Services) -> None:
    doll = greeting_doll()
    async with talking(greeting, doll) as session:
        await doll.until_stop()
        assert doll.states[0] == "start"
        assert doll.texts
        assert doll.frames
        assert session.state is State.IDLE
        assert greeting.brain.tail.requests == []  # type: ignore[union-attr]
        assert list(session.device.conversation.history()) == []


@pytest.mark.virtual_time
async def test_who_speaks_at_once_interrupts_the_greeting_and_is_answered(
    greeting: Services,
) -> None:
    doll = greeting_doll()
    async with talking(greeting, doll):
        await doll.until_frame()
        await doll.ask()  # its button's press cuts the greeting off
        await doll.until_stop(2)
        assert doll.heard == ["안녕"]


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "firmware", [None, Firmware("0.1.0", "n"), Firmware("0.1.0", "n", restart="memory")]
)
async def test_a_doll_that_only_comes_back_says_nothing(
    greeting: Services, firmware: Firmware | None
) -> None:
    doll = greeting_doll(firmware)
    async with talking(greeting, doll):
        await doll.ask()
        await doll.until_stop()
        assert doll.states.count("start") == 1


@pytest.mark.virtual_time
async def test_nobody_is_greeted_unless_the_owner_wants_it(services: Services) -> None:
    doll = greeting_doll()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
        assert doll.states.count("start") == 1


def test_quiet_hours_and_safe_mode_are_quiet() -> None:
    quiet = replace(CHACHA, quiet=QuietHours(time(12), time(13)))
    assert is_due(PLUGGED_IN, CHACHA, NOON)
    assert not is_due(PLUGGED_IN, quiet, NOON)
    assert is_due(PLUGGED_IN, quiet, NOON.replace(hour=13))
    assert not is_due(Firmware("0.1.0", "n", restart="power", safe=True), CHACHA, NOON)


@pytest.mark.parametrize(
    ("hour", "part"),
    [(5, "morning"), (11, "morning"), (12, "day"), (18, "evening"), (22, "night"), (4, "night")],
)
def test_the_day_has_four_parts(hour: int, part: str) -> None:
    assert part_of_day(NOON.replace(hour=hour)) == part


def test_the_persona_words_its_greeting_and_another_has_the_shipped_one() -> None:
    own = CHACHA.lines["ko"]["greeting"]
    assert wordings(CHACHA, "ko", NOON) == own
    with_morning = replace(CHACHA, lines={"ko": {"greeting": own, "welcome.morning": ("일어나.",)}})
    assert wordings(with_morning, "ko", NOON.replace(hour=7)) == ("일어나.", *own)
    assert wordings(with_morning, "ko", NOON) == own
    plain = replace(CHACHA, lines={})
    night = wordings(plain, "ko", NOON.replace(hour=23))
    assert night
    assert night != wordings(plain, "ko", NOON)
