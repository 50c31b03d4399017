"""How a bundle is fetched, and what can go wrong on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., str]


def test_nothing_is_fetched_while_somebody_speaks(run: Run) -> None:
    run("""
turn.state = "speaking"
doll.on_message(offer, "n0nce")
run(ms=5000)
assert relay.said == [] and not whole()
turn.state = "idle"
assert run()
""")


def test_the_doll_asks_at_most_ten_times_a_second(run: Run) -> None:
    run("""
doll.on_message(offer, "n0nce")
times = []
def answer(at):
    times.append(now)
    return block(at)
assert run(answer)
assert len(times) == (len(stream) + 3999) // 4000 >= 4
assert all(b - a >= 100 for a, b in zip(times, times[1:]))
""")


def test_audio_that_was_on_its_way_passes_by(run: Run) -> None:
    run("""
doll.on_message(offer, "n0nce")
def answer(at):
    give(bytes(range(4, 256)) + b"12345678")
    give(b"\\1")
    give(block(at))
    give(block(at, b"again"))
    return None
assert run(answer)
""")


def test_a_full_flash_is_said_before_anything_is_written(run: Run) -> None:
    run("""
class Os:
    @staticmethod
    def statvfs(path):
        return (4096, 4096, 512, 6, 6)
    def __getattr__(self, name):
        return getattr(os, name)
update.os = Os()
doll.on_message(offer, "n0nce")
assert not run()
assert relay.said[0]["reason"] == "full", relay.said
assert not whole() and turn.state == "idle"
""")


FAILURES = {
    "another byte": ("block(at, bytes(stream[at:at+4000]).replace(b'f', b'F'))", "sha256 of"),
    "too long": ("block(at) + b'x' * 99999", "longer than"),
    "no bundle": ("block(at, b'?' * 4000)", "a line is too long"),
    "silence": ("None", "the relay does not go on"),
    "half": ("None if at else block(at)", "the relay does not go on"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_goes_wrong_on_the_way_leaves_nothing_behind(run: Run, case: str) -> None:
    answer, reason = FAILURES[case]
    run(f"""
before = slots.read()
doll.on_message(offer, "n0nce")
assert not run(lambda at: {answer})
assert relay.said[-1]["state"] == "failed", relay.said
assert relay.said[-1]["reason"].startswith({reason!r}), relay.said
assert lines[-1].startswith("W update failed {reason}"), lines
assert not whole() and slots.read() == before
assert turn.state == "idle" and relay.sink is None
# And the next offer is taken.
doll.on_message(offer, "n0nce")
assert run()
""")


def test_a_bundle_that_is_not_the_one_that_was_signed_is_not_started(run: Run) -> None:
    run(
        """
doll.on_message(offer, "n0nce")
assert not run()
assert relay.said[-1]["reason"] == "sha256 of the bundle"
assert not whole()
""",
        sha256="0" * 64,
    )


def test_a_lost_link_ends_it(run: Run) -> None:
    run("""
doll.on_message(offer, "n0nce")
doll.step(turn, now)
doll.step(turn, now + 100)
give(block(relay.asked()))
assert whole()
doll.stop()
assert not whole()
assert not run() and turn.state == "idle"
""")
