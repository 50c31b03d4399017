"""Markdown, links, code and stage directions, one kind at a time."""

from __future__ import annotations

import pytest

from relay import locales
from relay.turn import markup


def test_a_fence_that_never_closes_runs_to_the_end() -> None:
    assert markup.without_code("a ```b\nc", "en").split(" ", 1)[1].strip() == locales.text(
        "en", "speakable.code"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](b)", "a"),
        ("![a](b)", "a"),
        ("[a](https://b.c/d_(e)) f", "a f"),
        ("see https://b.c/d.", "see link."),
        ("(https://b.c)", "(link)"),
        ("a<br/>b", "a b"),
        ("1 < 2 > 0", "1 < 2 > 0"),
    ],
)
def test_links_and_tags(text: str, expected: str) -> None:
    assert markup.without_links(text, "en") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print", "print"),
        ("C++", "C++"),
        ("git push", "git push"),
        ("API_KEY", "API_KEY"),
        ("f(x)", ""),
        ("-r", ""),
    ],
)
def test_inline_code_is_spoken_if_it_reads_as_a_word(code: str, expected: str) -> None:
    assert markup.without_inline_code(f"`{code}`").strip() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a\nb", "a,\nb"),
        ("a.\nb", "a.\nb"),
        ("> - a\n> - b", "a,\nb"),
        ("---\na\n***", "a"),
        ("| a | b |\n|:--|--:|\n| c | d |", "a, b,\nc, d"),
        ("-5도", "-5도"),
        ("#tag", "#tag"),
        ("\n\n", ""),
    ],
)
def test_layout_becomes_running_text(text: str, expected: str) -> None:
    assert markup.without_layout(text) == expected


@pytest.mark.parametrize(
    "text", ["(한숨)", "*웃으며*", "[속삭이듯이]", "*고개를 저으며*", "(작게 웃는다)"]
)
def test_korean_directions_are_dropped_between_sentences(text: str) -> None:
    assert markup.without_directions(f"응. {text} 그래.", "ko").split() == ["응.", "그래."]


@pytest.mark.parametrize(
    "text", ["*sighs*", "(laughing)", "[pauses]", "*softly smiles*", "(looks away)"]
)
def test_english_directions_are_dropped_between_sentences(text: str) -> None:
    assert markup.without_directions(f"Yes. {text} Fine.", "en").split() == ["Yes.", "Fine."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*정말* 좋아", "정말 좋아"),
        ("사과 (빨간 것) 줘", "사과 , 빨간 것,  줘"),
        ("(02)", " 02 "),
        ("f(x)", "f x "),
    ],
)
def test_what_is_no_direction_keeps_its_words(text: str, expected: str) -> None:
    assert markup.without_directions(text, "ko") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**a**", "a"),
        ("~~a~~", "a"),
        ("2**3", "2**3"),
        ("2*3", "2*3"),
        ("#a C#", "a C#"),
        ("a_b", "a b"),
        ("*a", "a"),
    ],
)
def test_emphasis_goes_and_sums_stay(text: str, expected: str) -> None:
    assert markup.without_emphasis(text) == expected
