"""What a fetched bundle becomes: the slot it goes into, and the start that follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.firmware.update.conftest import FILES

Run = Callable[..., str]


def test_a_good_offer_is_fetched_switched_to_and_started(run: Run, tmp_path: Path) -> None:
    output = run("""
doll.on_message(offer, "n0nce")
assert doll.is_waiting()
assert run()
print(slots.read() == {"slot": "app-a", "version": "0.2.0", "before": "", "trial": True,
                       "failed": ""})
print(relay.said)
""")
    assert output == "True\n[{'state': 'installed', 'type': 'update'}]\nend\n"
    for path, data in FILES.items():
        assert (tmp_path / "app-a" / path).read_bytes() == data


def test_a_bundle_without_a_start_is_no_firmware(run: Run) -> None:
    files = {path: data for path, data in FILES.items() if path != "doll/start.py"}
    run(
        """
doll.on_message(offer, "n0nce")
assert not run()
assert relay.said[-1]["reason"] == "there is no doll/start"
""",
        files=files,
    )


def test_the_owners_own_board_comes_along(run: Run, tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "mine.py").write_text('NAME = "mine"\n' + "#" * 600)
    run("""
sys.path.insert(0, os.getcwd())
doll = Update(relay, "doll-1", "t0ken", "mine", "newer")
doll.on_message(offer, "n0nce")
assert run()
""")
    copy = tmp_path / "app-a" / "boards" / "mine.py"
    assert copy.read_text() == (tmp_path / "boards" / "mine.py").read_text()


def test_the_second_update_goes_into_the_other_slot(run: Run, tmp_path: Path) -> None:
    run("""
doll.on_message(offer, "n0nce")
assert run()
slots.write({"slot": "app-a", "version": "0.2.0", "trial": False})
doll = Update(relay, "doll-1", "t0ken", "mini", "any")
turn.state = "idle"
doll.on_message(offer, "n0nce")
assert run()
pointer = slots.read()
assert pointer["slot"] == "app-b" and pointer["before"] == "app-a" and pointer["trial"]
""")


def test_a_new_version_has_all_of_its_tries(run: Run) -> None:
    run("""
starts.write(3)
doll.on_message(offer, "n0nce")
assert run()
assert starts.count() == 0
""")


def test_an_update_without_room_is_given_up_with_one_word(run: Run) -> None:
    run("""
from doll import bundle
def no_room(slot, size):
    raise MemoryError
bundle.Bundle = no_room
doll.on_message(offer, "n0nce")
try:
    doll.begin(now)
    assert False
except MemoryError:
    doll.give_up()
assert doll.has_failed and not doll.is_busy()
assert relay.said == [{"type": "update", "state": "refused", "reason": "memory"}]
assert lines[-1] == "W update refused memory: there is not enough"
""")
