"""Korean and English text, also mixed, become phonemes of one alphabet."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.models import KOKORO, ensure
from relay.tts.phonemes import to_phonemes


@pytest.mark.parametrize(
    ("text", "language", "signs"),
    [
        ("안녕, 나야.", "ko", "annjɔŋ, naja."),
        ("3시", "ko", "se ɕi"),
        ("매운 음식", "ko", "mɛun ɯmɕik"),  # word by word, not [매우 늠식]
        ("할 거야", "ko", "hal ʔkɔja"),  # but what two words do to each other as one stays
        ("Hello!", "en", "həlˈO!"),
        ("I love 김치.", "en", "ˌI lˈʌv kimʨʰʰi."),
        ("unicorn은 뭐야?", "ko", "jˈunəkˌɔɹnɯn mɔja?"),
        ("Hello there.", "ko", "həlˈO ðˈɛɹ."),  # an English line of a Korean doll
        ("", "ko", ""),
        ("", "en", ""),
        ("…", "ko", ""),
        ("?!", "en", ""),
        ("😀", "en", ""),
    ],
)
def test_each_script_is_read_by_its_own_rules(text: str, language: str, signs: str) -> None:
    assert to_phonemes(text, language) == signs


@pytest.mark.parametrize(
    "text",
    ["a" * 5_000, "9" * 500, "1," * 500, "\x00\x07hi", "http://a.b/?c=d&e", "a-" * 500, "0-" * 500],
)
def test_odd_english_is_taken(text: str) -> None:
    assert to_phonemes(text, "en")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["ko", "en"]))
def test_any_text_is_taken(text: str, language: str) -> None:
    to_phonemes(text, language)


@pytest.mark.models
def test_all_signs_of_korean_are_in_the_models_alphabet() -> None:
    known = set(json.loads((ensure(KOKORO) / "vocab.json").read_text("utf-8"))["vocab"])
    every = "".join(chr(code) for code in range(ord("가"), ord("힣") + 1, 7))
    assert set(to_phonemes(every, "ko")) <= known
