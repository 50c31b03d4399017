"""Which offers are taken, and with which word the others are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., str]


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
