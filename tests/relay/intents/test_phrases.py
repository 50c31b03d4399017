from __future__ import annotations

import pytest

from relay import locales
from relay.intents.phrases import OTHER, expanded, languages, wishes
from relay.intents.sounds import alike


@pytest.mark.parametrize("language", languages())
def test_every_wish_has_phrases_in_every_language(language: str) -> None:
    assert set(wishes(language).intents) == set(wishes("ko").intents)
    assert all(known.examples for known in wishes(language).intents.values())


@pytest.mark.parametrize("language", languages())
def test_no_phrase_means_two_things(language: str) -> None:
    owners: dict[str, str] = {}
    for name, known in wishes(language).intents.items():
        for example in known.examples if name != OTHER else ():
            assert owners.setdefault(example, name) == name, example


def test_the_relay_has_words_for_every_language_of_the_phrases() -> None:
    assert set(languages()) == set(locales.languages())


def test_a_row_stands_for_all_its_choices() -> None:
    assert expanded("(소리|볼륨)(을|) 올려") == [
        "소리을 올려",
        "소리 올려",
        "볼륨을 올려",
        "볼륨 올려",
    ]
    assert expanded("그만") == ["그만"]


@pytest.mark.parametrize(
    ("one", "other"), [("키워", "끼워"), ("크게", "그개"), ("있어", "잊어"), ("왜", "웨")]
)
def test_what_sounds_alike_is_compared_alike(one: str, other: str) -> None:
    assert alike(one) == alike(other)


def test_what_sounds_different_stays_so() -> None:
    assert len({alike(text) for text in ("시간", "지간", "시칸", "time", "시깅")}) == 4
