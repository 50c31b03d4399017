from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.persona.learning.describe import described
from relay.persona.learning.style import Style, StyleMeter


def measured(*texts: str, others: tuple[str, ...] = (), times: int = 10) -> Style:
    meter = StyleMeter()
    for _ in range(times):
        for text in texts:
            meter.own(text)
        for text in others:
            meter.other(text)
    return meter.style()


@pytest.mark.parametrize(
    ("register", "texts"),
    [
        ("casual", ["나 왔어", "밥 먹어", "그게 아니거든", "뭐 하냐", "가자"]),
        ("polite", ["저 왔어요", "밥 먹었어요?", "그게 아닌데요", "맞죠", "갈게요~"]),
        ("formal", ["지금 갑니다", "알겠습니다.", "오셨습니까?", "감사합니다"]),
        ("mixed", ["나 왔어", "밥 먹어요", "가자", "갈게요"]),
        ("", ["I'm home", "let's eat"]),
        ("", ["필요", "중요", "월요일", "ㅇㅇ"]),
    ],
)
def test_hears_how_polite_korean_is(register: str, texts: list[str]) -> None:
    assert measured(*texts).register == register


def test_endings_that_tell_something_are_counted() -> None:
    style = measured("나 아니거든", "몰랐거든 ㅋㅋ", "했잖아!", "먹어", "가냐")
    assert style.endings == ("-거든", "-잖아", "-냐")


def test_words_that_all_use_are_nobodys_favourites() -> None:
    style = measured("세그폴트 났네 오늘", "세그폴트 밥", others=("오늘 밥 먹자", "났네 밥"))
    assert style.favourites[0] == "세그폴트"
    assert "오늘" not in style.favourites
    assert "밥" not in style.favourites


def test_a_word_to_begin_with_is_an_opener() -> None:
    style = measured("흥, 몰라", "흥 됐어 나 간다", "나 흥미 없어", "뭐 나 먼저", "그건 뭐 나")
    assert style.openers[0] == "흥"
    assert "나" not in style.openers


@pytest.mark.parametrize(
    ("texts", "laugh"),
    [
        (["뭐야 ㅋㅋㅋㅋㅋㅋ"], "ㅋㅋㅋ"),
        (["ㅎㅎ 좋아", "응"], "ㅎㅎ"),
        (["hahaha ok"], "haha"),
        (["that's not aha"], ""),
        (["ㅋ"], ""),
    ],
)
def test_laughs_are_known(texts: list[str], laugh: str) -> None:
    assert measured(*texts).laugh == laugh


def test_signs_are_shares_of_messages() -> None:
    style = measured("뭐?", "응~", "글쎄...", "좋아!! 😀")
    assert (style.asks, style.drawls, style.trails, style.exclaims) == (0.25,) * 4
    assert style.emoji == 0.25
    assert style.messages == 40


def test_length_is_the_median_without_laughs() -> None:
    assert measured("가나다라마", "가나다라마 ㅋㅋㅋㅋㅋㅋ", "가" * 300).chars == 5


def test_words_can_be_kept_out() -> None:
    meter = StyleMeter()
    for _ in range(20):
        meter.own("진주야 코딩 하자")
        meter.other("오늘 뭐 하지 나는 몰라 그래 좋아")
    assert meter.style(lambda word: "진주" not in word).favourites == ("코딩", "하자")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_style_is_told_in_words(language: str) -> None:
    style = measured("흥, 나 아니거든 ㅋㅋㅋ", "흥 됐거든?", "세그폴트 ㅠㅠ")
    lines = described(style, language)
    text = "\n".join(lines)
    assert all(word in text for word in ("거든", "흥", "ㅋㅋㅋ", "ㅠㅠ"))
    assert "{" not in text
    assert described(style, "xx") == described(style, "en")


def test_every_habit_has_words() -> None:
    for chars in (5, 30, 100):
        for register in ("", "casual", "polite", "formal", "mixed"):
            habits = Style(
                9, chars, register, emoji=0.5, asks=0.5, exclaims=0.5, drawls=1, trails=1
            )
            assert (
                len(described(habits, "ko")) == len(described(habits, "en")) == 6 + bool(register)
            )
    assert "담담" in "".join(described(Style(9, 30), "ko"))


@given(st.lists(st.text(max_size=80)))
def test_any_text_is_measured(texts: list[str]) -> None:
    style = measured(*texts, times=1)
    assert style.messages == len(texts)
    assert described(style, "ko")
