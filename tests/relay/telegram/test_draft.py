"""When an answer that grows is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.telegram.draft import MOST_UNITS, PACE_S, Draft, clean, split


def test_a_short_answer_is_not_shown_piece_by_piece() -> None:
    draft = Draft(0.0)
    assert draft.push("흥. 반가워", 0.5) == ""
    assert draft.text == "흥. 반가워"


def test_a_long_answer_grows_by_whole_sentences_and_not_faster_than_allowed() -> None:
    draft = Draft(0.0)
    assert draft.push("옛날에. 어느 마", PACE_S) == "옛날에."
    assert draft.push("을에. 토끼", PACE_S + 0.1) == ""
    draft.hold(10.0)
    assert draft.push("가", 9.9) == ""
    assert draft.push(" 살", 10.0) == "옛날에. 어느 마을에."


@given(st.text(max_size=300), st.integers(2, 40))
def test_parts_hold_all_the_words_and_fit(text: str, most: int) -> None:
    text = clean(text)
    parts = split(text, most)
    assert all(len(part.encode("utf-16-le")) <= 2 * most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_what_telegram_takes_is_counted_in_utf_16() -> None:
    assert [len(part) for part in split("😀" * 3_000)] == [MOST_UNITS // 2, 3_000 - MOST_UNITS // 2]
