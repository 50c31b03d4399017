"""Updates, from the offer to the restart: what is taken, what is refused, what can go wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from relay.devices.bundle import Bundle, pack
from relay.devices.updater import make_manifest, sign

Micropython = Callable[..., str]

FILES = {
    "doll/__init__.py": b'__version__ = "0.2.0"\n',
    "doll/start.py": b"def run():\n    pass\n",
    "doll/large.py": b"# filler\n" * 1500,
    "boards/mini.py": b'NAME = "mini"\n',
}

PRELUDE = """
import json, os, sys
import machine, esp32
from doll import log, slots, starts, update
from doll.update import Update

lines = []
log._line = lambda level, text: lines.append(level + " " + text)

class Restart(Exception):
    pass

def reset():
    raise Restart

machine.reset = reset

class Relay:
    sink = None
    quiet = True
    def __init__(self):
        self.said = []
    def send(self, message):
        self.said.append(message)
    def is_quiet(self):
        return self.quiet
    # What the doll asked for last, once.
    def asked(self):
        if self.said and self.said[-1]["state"] == "get":
            return self.said.pop()["offset"]

class Turn:
    state = "idle"
    def begin_update(self, now):
        if self.state != "idle":
            return False
        self.state = "updating"
        return True
    def end_update(self, now):
        self.state = "idle"

stream = open("stream", "rb").read()
offer = json.load(open("offer.json"))
relay = Relay()
turn = Turn()
doll = Update(relay, "doll-1", "t0ken", "mini", "newer")
now = 5000

def block(at, data=None):
    return bytes((0, 0, at >> 8, at & 255)) + (data or stream[at : at + 4000])

def give(message, step=1000):
    for i in range(0, len(message), step):
        assert relay.sink.write(message, i, min(step, len(message) - i))
    relay.sink.end()

# Lets time pass, and answers what is asked for; True if the doll has restarted.
def run(answer=block, ms=60000):
    global now
    try:
        for _ in range(ms // 20):
            doll.step(turn, now)
            now += 20
            at = relay.asked()
            if at is not None and answer:
                message = answer(at)
                if message:
                    give(message)
            if turn.state == "idle" and not doll.is_waiting():
                return False
    except Restart:
        return True
    return False

def whole():
    return slots.is_folder("app-a") or slots.is_folder("app-b")
"""


@pytest.fixture
def run(micropython: Micropython, tmp_path: Path) -> Callable[..., str]:
    """Runs a script with an offer that a relay has made, changed by `manifest`."""

    def run(
        script: str, *, files: dict[str, bytes] | None = None, token: str = "t0ken", **manifest: Any
    ) -> str:
        stream = pack((files or FILES).items())
        bundle = Bundle("0.2.0", "", "", len(files or FILES), stream)
        fields = json.loads(make_manifest(bundle, "doll-1", "n0nce"))
        text = json.dumps({**fields, **manifest})
        signature = sign(SecretStr(token), text)
        (tmp_path / "stream").write_bytes(stream)
        (tmp_path / "offer.json").write_text(json.dumps({"manifest": text, "signature": signature}))
        return micropython(PRELUDE + script + "\nprint('end')\n")

    return run


Run = Callable[..., str]


def test_hmac_is_that_of_the_standard(micropython: Micropython) -> None:
    cases = [(b"k" * n, b"m" * m) for n in (0, 1, 63, 64, 65, 200) for m in (0, 1, 55, 64, 1000)]
    script = f"from doll.hmac import sha256\nfor k, m in {cases!r}: print(sha256(k, m).hex())\n"
    wanted = [hmac.new(key, message, hashlib.sha256).hexdigest() for key, message in cases]
    assert micropython(script).split() == wanted


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


@pytest.mark.parametrize(
    ("word", "manifest"),
    [
        ("version", {"version": "0.1.0"}),
        ("version", {"version": "0.0.9"}),
        ("version", {"version": "1"}),
        ("version", {"version": "1.2.x"}),
        ("version", {"version": "1.2.999999"}),
        ("abi", {"mpy": "6.3", "arch": "xtensawin"}),
        ("abi", {"mpy": "5.3", "arch": "x64"}),
        ("stale", {"nonce": "another"}),
        ("stale", {"device": "doll-2"}),
        ("size", {"size": 1_000_001}),
        ("size", {"size": 0}),
        ("manifest", {"size": "many"}),
        ("manifest", {"version": None}),
        ("manifest", {"version": "1.2.3", "sha256": "0" * 1000}),
    ],
)
def test_what_does_not_fit_is_refused_with_a_word(
    run: Run, word: str, manifest: dict[str, Any]
) -> None:
    run(
        f"""
doll.on_message(offer, "n0nce")
assert not doll.is_waiting()
assert relay.said == [{{"type": "update", "state": "refused", "reason": {word!r}}}], relay.said
assert lines[0].startswith("W update refused {word}: "), lines
assert not whole()
""",
        **manifest,
    )


def test_a_version_with_its_own_architecture_is_taken(run: Run) -> None:
    run(
        """
doll.on_message(offer, "n0nce")
assert doll.is_waiting(), relay.said
""",
        mpy="6.3",
        arch="x64",
    )


@pytest.mark.parametrize(
    "change",
    [
        'offer["signature"] = "0" * 64',
        'offer["signature"] = offer["signature"][:-2]',
        'offer["signature"] = "no hex"',
        'offer["signature"] = ""',
        'offer["manifest"] = offer["manifest"].replace("0.2.0", "0.3.0")',
    ],
)
def test_a_signature_that_is_not_the_relays_is_refused(run: Run, change: str) -> None:
    run(f"""
{change}
doll.on_message(offer, "n0nce")
assert relay.said[0]["reason"] == "signature"
assert not doll.is_waiting()
""")


def test_another_token_is_no_token_of_this_doll(run: Run) -> None:
    run(
        """
doll.on_message(offer, "n0nce")
assert relay.said[0]["reason"] == "signature"
""",
        token="t0ken ",
    )


@pytest.mark.parametrize("message", [{}, {"manifest": 1}, {"manifest": "{}"}, {"signature": "00"}])
def test_an_offer_that_is_none_is_refused(run: Run, message: dict[str, Any]) -> None:
    run(f"""
doll.on_message({message!r}, "n0nce")
assert relay.said[0]["reason"] == "manifest"
""")


def test_a_doll_without_a_token_takes_nothing(run: Run) -> None:
    run(
        """
doll = Update(relay, "doll-1", "", "mini", "any")
doll.on_message(offer, "n0nce")
assert relay.said[0]["reason"] == "token"
""",
        token="",
    )


def test_the_owner_may_turn_updates_off_or_allow_older_versions(run: Run) -> None:
    run(
        """
doll = Update(relay, "doll-1", "t0ken", "mini", "off")
doll.on_message(offer, "n0nce")
assert relay.said.pop()["reason"] == "off"
doll = Update(relay, "doll-1", "t0ken", "mini", "any")
doll.on_message(offer, "n0nce")
assert doll.is_waiting()
""",
        version="0.0.1",
    )


def test_a_version_that_has_failed_here_is_not_taken_again(run: Run) -> None:
    run("""
slots.write({"failed": "0.2.0", "slot": ""})
doll.on_message(offer, "n0nce")
assert relay.said[0]["reason"] == "failed"
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
