"""Updates from end to end: the real relay, the real firmware, a board that survives its resets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.update.conftest import World
from tools.simulator.compiled import ARCHITECTURE
from tools.simulator.heap import ESP32_KB

#: Where an update has room beside a doll that can talk.
ROOMY_KB = 122


def replace(name: str, text: str, instead: str) -> Callable[[Path], None]:
    """A change to one file of the firmware."""

    def change(firmware: Path) -> None:
        path = firmware / name
        source = path.read_text()
        assert source.count(text) == 1
        path.write_text(source.replace(text, instead))

    return change


def without(name: str) -> Callable[[Path], None]:
    """A firmware that lacks one file."""
    return lambda firmware: (firmware / name).unlink()


async def test_a_new_version_is_fetched_started_and_kept(world: World) -> None:
    await world.board.start()
    await world.board.line("I state idle")
    world.publish("0.2.0")
    await world.board.line("I state updating")
    await world.board.line("I update installed version=0.2.0")
    assert (await world.logged("update installed"))["device"] == "doll-1"
    await world.board.line("I update trial=1 version=0.2.0")
    assert (await world.board.line("I doll version=0.2.0")).startswith("board=")
    await world.board.line("I healthy")
    await world.logged("update healthy")
    assert world.board.slot["slot"] == "app-a"
    assert not world.board.slot["trial"]
    # The next one goes into the other slot, and then the first one goes.
    world.publish("0.3.0")
    await world.board.line("I doll version=0.3.0")
    await world.board.line("I healthy")
    await world.logged("update healthy")
    assert world.board.slot["slot"] == "app-b"
    assert not (world.board.flash / "app-a").exists()
    assert (world.firmware / "main.py").exists(), "slot zero stays as it is"


_HANG = """def run():
    from machine import Pin

    while True:
        Pin(0)()
"""

_FAIL = """        1 / 0
        backoff = Backoff()
"""

BROKEN = {
    "it cannot be imported": replace("doll/app.py", "import gc\n", "import gc\nimport nothing\n"),
    "it fails when it runs": replace("doll/relay.py", "        backoff = Backoff()\n", _FAIL),
    "it hangs": replace("doll/start.py", "def run():\n", _HANG + "\n\ndef old():\n"),
    "it never reaches the relay": replace("doll/hello.py", "dict(_HELLO)", "{}"),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_version_that_does_not_work_is_taken_back(world: World, fault: str) -> None:
    await world.board.start()
    await world.board.line("I state idle")
    world.publish("0.2.0", BROKEN[fault])
    for n in (1, 2, 3):
        await world.board.line(f"I update trial={n} version=0.2.0")
    await world.board.line("W update taken back version=0.2.0")
    await world.board.line("I doll version=0.1.0")
    await world.board.line("I state idle")
    assert (await world.logged("update taken back"))["version"] == "0.2.0"
    assert world.board.slot["slot"] == ""
    assert world.board.slot["failed"] == "0.2.0"
    # It is not offered to this doll again; one that mends it is.
    world.publish("0.2.1")
    await world.board.line("I doll version=0.2.1")
    await world.board.line("I healthy")


async def test_three_bad_starts_lead_to_safe_mode_and_an_update_out_of_it(world: World) -> None:
    good = world.folder / "good.py"
    app = world.firmware / "doll" / "app.py"
    good.write_text(app.read_text())
    app.write_text(app.read_text() + "\n1 / 0\n")
    await world.board.start()
    for _ in range(3):
        await world.board.line("E crash ZeroDivisionError")
    await world.board.line("E safe starts=4")
    await world.board.line("I state safe")
    await world.logged("doll in safe mode")
    world.publish("0.2.0", lambda firmware: good.replace(firmware / "doll" / "app.py"))
    await world.board.line("I update installed version=0.2.0")
    await world.board.line("I doll version=0.2.0")
    await world.board.line("I healthy")


async def test_a_long_press_leads_out_of_safe_mode(world: World) -> None:
    fault = "import os\nif 'broken' in os.listdir():\n    1 / 0\n"
    app = world.firmware / "doll" / "app.py"
    app.write_text(app.read_text() + fault)
    broken = world.folder / "flash" / "broken"
    broken.write_text("")
    await world.board.start()
    await world.board.line("I state safe")
    broken.unlink()
    await world.board.line("I relay connected")
    world.board.do("press")
    await world.board.line("I button long")
    await world.board.line("I doll version=0.1.0")
    await world.board.line("I healthy")
    world.board.do("release")


async def test_a_board_with_some_room_takes_an_update_without_that(world: World) -> None:
    world.board.heap_kb = ROOMY_KB
    await world.board.start()
    await world.board.line("I state idle")
    world.publish("0.2.0", architecture=ARCHITECTURE)
    await world.board.line("I update installed version=0.2.0")
    await world.board.line("I healthy")
    assert not any("make room" in line for line in world.board.said)


async def test_the_smallest_board_starts_anew_to_fetch_an_update(world: World) -> None:
    world.board.heap_kb = ESP32_KB
    await world.board.start()
    await world.board.line("I state idle")
    world.publish("0.2.0", architecture=ARCHITECTURE)
    await world.board.line("I update restart to make room")
    await world.board.line("I state updating")
    await world.board.line("I update installed version=0.2.0")
    await world.board.line("I doll version=0.2.0")
    await world.board.line("I healthy")
    await world.logged("update healthy")


async def test_it_gives_up_after_three_tries_until_it_is_plugged_in_again(world: World) -> None:
    world.board.heap_kb = ESP32_KB
    await world.board.start()
    await world.board.line("I state idle")
    world.publish("0.2.0", without("doll/start.py"), architecture=ARCHITECTURE)
    for _ in range(3):
        await world.board.line("I update restart to make room")
        await world.board.line("W update failed there is no doll/start")
        await world.board.line("I update over")
        await world.board.line("I state idle")
    await world.board.line("W update refused memory")
    assert (await world.logged("update failed"))["reason"] == "there is no doll/start"
    assert (await world.logged("update refused"))["reason"] == "memory"
