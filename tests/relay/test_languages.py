from __future__ import annotations

import pytest

from relay.languages import code_of, is_code, written_in


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("korean", "ko"),
        ("ko", "ko"),
        ("KO", "ko"),
        ("ko-KR", "ko"),
        ("English", "en"),
        ("en_US", "en"),
        (" de ", "de"),
        ("", ""),
        ("klingon", ""),
        ("<script>", ""),
    ],
)
def test_a_language_is_known_however_it_is_named(told: str, code: str) -> None:
    assert code_of(told) == code


@pytest.mark.parametrize(
    ("text", "languages", "language"),
    [
        ("안녕, Jinju!", ("en", "ko"), "ko"),
        ("Hello!", ("ko", "en"), "en"),
        ("12", ("ko", "en"), "en"),
        ("123", ("ko",), "ko"),
        ("こんにちは", ("ko", "ja", "en"), "ja"),
        ("Hello", ("ko", "ja"), "ko"),
    ],
)
def test_letters_tell_the_language(text: str, languages: tuple[str, ...], language: str) -> None:
    assert written_in(text, languages) == language


def test_a_code_is_two_or_three_small_letters() -> None:
    assert is_code("ko")
    assert is_code("yue")
    assert not any(map(is_code, ("", "k", "KO", "ko-KR", "korean", "no such language", "한국")))
