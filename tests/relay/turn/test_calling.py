"""Who is called, and who is not: measured on sentences that nothing was chosen on."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.calling import Call, Calling

SENTENCES = Path(__file__).parent / "sentences"
BRAIN = Path(__file__).parents[1] / "llm" / "local" / "sentences"
CHACHA = Calling(["차차", "ChaCha"])


@cache
def sentences(which: str) -> dict[str, list[str]]:
    return tomllib.loads((SENTENCES / f"calls-{which}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("which", "least"), [("tuning", 1.0), ("heldout", 0.9)])
def test_a_call_is_heard_in_either_language_and_misheard(which: str, least: float) -> None:
    called = sentences(which)["called"]
    missed = [said for said in called if CHACHA.find(said) is None]
    assert 1 - len(missed) / len(called) >= least, missed


@pytest.mark.parametrize(("which", "most"), [("tuning", 0.0), ("heldout", 0.02)])
def test_what_sounds_nearly_like_it_is_no_call(which: str, most: float) -> None:
    others = sentences(which)["others"]
    wrong = [said for said in others if CHACHA.find(said) is not None]
    assert len(wrong) / len(others) <= most, wrong


@pytest.mark.parametrize("language", ["ko", "en"])
def test_everyday_talk_does_not_call_the_doll(language: str) -> None:
    talk = [
        said
        for which in ("tuning", "heldout")
        for many in tomllib.loads(
            (BRAIN / f"{which}-{language}.toml").read_text(encoding="utf-8")
        ).values()
        for said in many
        if not re.search("차차|cha", said, re.IGNORECASE)
    ]
    assert len(talk) > 200
    assert [said for said in talk if CHACHA.find(said)] == []


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("차차야", ""),
        ("저기, 차차야!", ""),
        ("hey ChaCha", ""),
        ("차차야 몇 시야?", "몇 시야?"),
        ("저기 차차야 몇 시야", "몇 시야"),
        ("hey cha cha, what time is it", "what time is it"),
        ("오늘 며칠이야, 차차야?", "오늘 며칠이야"),
        ("그럼 이제 차차야 노래해 줘", "그럼 이제 노래해 줘"),
    ],
)
def test_the_name_is_taken_off(said: str, rest: str) -> None:
    assert CHACHA.find(said) == Call(rest)


@pytest.mark.parametrize(
    ("names", "called", "other"),
    [
        (
            ["민지"],
            ["민지야 안녕", "밍지야", "민찌야 뭐 해", "Minji, hello"],
            ["민수야", "먼지가 많아"],
        ),
        (
            ["뽀삐", "Poppy"],
            ["보삐야", "hey Poppy", "포피야 이리 와"],
            ["포도 먹자", "happy birthday"],
        ),
        (
            ["Luna", "루나"],
            ["Luna, sing", "hey Loona", "루나야", "누나 루나야"],
            ["lunch time", "누나 왔어"],
        ),
    ],
)
def test_a_doll_may_have_another_name(
    names: list[str], called: list[str], other: list[str]
) -> None:
    calling = Calling(names)
    assert [said for said in called if calling.find(said) is None] == []
    assert [said for said in other if calling.find(said) is not None] == []


@given(st.text(max_size=500))
def test_any_text_has_an_answer(said: str) -> None:
    call = CHACHA.find(said)
    assert call is None or len(call.rest) <= len(said)


def test_a_doll_without_a_name_that_can_be_said_is_never_called() -> None:
    assert Calling(["!", ""]).find("차차야") is None
