"""What is taken for a wish: measured on sentences that nothing was chosen on."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.intents.finder import Wish, find
from tests.relay.llm.local.test_matching import garble

BOTH = pytest.mark.parametrize("language", ["ko", "en"])
SENTENCES = Path(__file__).parent / "sentences"
TALK = Path(__file__).parents[3] / "tools" / "bench" / "hesitations" / "held-out.toml"
WISHES_IN_TALK = ("What's your name?",)
GARBLED = {"ko": 0.15, "en": 0.08}  # one Korean syllable in six, one English letter in thirty


@cache
def sentences(which: str, language: str) -> tuple[tuple[str, str], ...]:
    """(wish, sentence); the names are what `relay.turn.calling` takes off."""
    table = tomllib.loads((SENTENCES / f"{which}-{language}.toml").read_text(encoding="utf-8"))
    return tuple(
        (name, re.sub("차차야?|ChaCha", "", said)) for name, many in table.items() for said in many
    )


def found(said: str, language: str) -> str:
    wish = find(said, language)
    return wish.name if wish else "none"


@BOTH
def test_wishes_are_found_in_words_that_nothing_was_chosen_on(language: str) -> None:
    wishes = [pair for pair in sentences("heldout", language) if pair[0] != "none"]
    assert len(wishes) >= 60
    assert sum(found(said, language) == name for name, said in wishes) / len(wishes) >= 0.95


@BOTH
def test_an_ordinary_sentence_is_not_hijacked(language: str) -> None:
    """Near misses ("what time does the shop close?") and everyday talk to a doll."""
    near = [said for name, said in sentences("heldout", language) if name == "none"]
    talk = tomllib.loads(TALK.read_text(encoding="utf-8"))[language]
    everyday = (sentence.replace(" | ", " ") for sentence in talk)
    said = [*near, *(sentence for sentence in everyday if sentence not in WISHES_IN_TALK)]
    assert len(near) >= 60
    assert len(said) >= 80
    hijacked = [(each, found(each, language)) for each in said if find(each, language)]
    assert len(hijacked) / len(said) <= 0.02, hijacked


@BOTH
def test_a_recogniser_s_errors_lose_some_wishes_and_make_no_others(language: str) -> None:
    pairs = [
        (name, garble(said, seed, GARBLED[language]))
        for seed in range(3)
        for name, said in sentences("heldout", language)
    ]
    wishes = [pair for pair in pairs if pair[0] != "none"]
    kept = sum(found(said, language) == name for name, said in wishes)
    wrong = sum(found(said, language) not in (name, "none") for name, said in pairs)
    assert kept / len(wishes) >= 0.75
    assert wrong / len(pairs) <= 0.02


@pytest.mark.parametrize(
    ("said", "language", "wish"),
    [
        ("볼륨 오십으로 해 줘", "ko", Wish("volume", level=50)),
        ("볼륨을 70퍼센트로 맞춰 줘.", "ko", Wish("volume", level=70)),
        ("Set the volume to twenty five percent.", "en", Wish("volume", level=25)),
        ("소리 키워 줘", "ko", Wish("louder", step=20)),
        ("quieter please", "en", Wish("quieter", step=-20)),
        ("볼륨 최대로", "ko", Wish("loudest", level=100)),
        ("그만!", "ko", Wish("stop")),
        ("볼륨 500으로 해 줘", "ko", None),
        ("what time is it in 20 minutes", "en", None),
        ("그만 살고 싶어", "ko", None),  # danger is for the brain
        ("what time is it", "fr", None),
    ],
)
def test_what_a_wish_comes_to(said: str, language: str, wish: Wish | None) -> None:
    assert find(said, language) == wish


@given(st.text(max_size=80), st.sampled_from(["ko", "en"]))
def test_any_text_has_an_answer(text: str, language: str) -> None:
    assert find(text, language) is None or find(text, language).name != "other"
