from __future__ import annotations

import re

import pytest

from relay.llm.emotions import NAMES
from relay.llm.local import josa
from relay.llm.local.content import content, languages
from relay.llm.local.text import normalise

PLACEHOLDERS = {"{name}", "{owner}", "{time}", "{date}", "{weekday}"}
BOTH = pytest.mark.parametrize("language", ["ko", "en"])


def test_there_is_korean_and_english() -> None:
    assert languages() == ("en", "ko")


def test_both_languages_know_the_same_things() -> None:
    assert set(content("ko").intents) == set(content("en").intents)


@BOTH
def test_no_example_means_two_things(language: str) -> None:
    seen: dict[str, str] = {}
    for intent in content(language).intents.values():
        for example in intent.examples:
            assert seen.setdefault(example, intent.name) == intent.name


@BOTH
def test_whatever_can_be_asked_again_has_more_than_one_answer(language: str) -> None:
    known = content(language)
    for intent in known.intents.values():
        assert len(set(intent.replies)) == len(intent.replies)
        if intent.name not in ("repeat", "again"):
            usable = [reply for reply in intent.replies if "{owner}" not in reply]
            assert len(usable or intent.without_owner) >= 2, intent.name
    assert len(known.fallback.replies) >= 3


@BOTH
def test_replies_hold_only_what_can_be_filled_in_and_spoken(language: str) -> None:
    for intent in content(language).intents.values():
        for reply in (*intent.replies, *intent.without_owner):
            assert set(re.findall(r"{.*?}", reply)) <= PLACEHOLDERS
            assert not re.search(r"[*_#~<>\[\]]|https?:|[☀-➿\U0001f300-\U0001faff]", reply), reply
            assert "(" not in josa.resolve(reply), reply


@BOTH
def test_each_answer_has_an_emotion_of_the_protocol(language: str) -> None:
    known = content(language)
    felt = {intent.name: intent.emotion for intent in known.intents.values()}
    assert {*felt.values(), known.sums.emotion, known.fallback.emotion} <= NAMES.keys()
    assert felt == {intent.name: intent.emotion for intent in content("ko").intents.values()}


@BOTH
def test_danger_is_answered_with_a_person_to_call(language: str) -> None:
    numbers = {"ko": "109|112|119", "en": "crisis line|emergency number"}[language]
    for name in ("self_harm", "abuse", "emergency"):
        intent = content(language).intents[name]
        assert intent.urgent
        for reply in intent.replies:
            assert re.search(f"{numbers}|someone you trust|믿는 사람", reply), reply
    for reply in content("ko").intents["self_harm"].replies:
        assert "109" in reply


@BOTH
def test_examples_are_normalised(language: str) -> None:
    for intent in content(language).intents.values():
        for phrase in (*intent.examples, *intent.keywords):
            assert phrase == normalise(phrase) != ""


def test_a_language_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        content("xx")
