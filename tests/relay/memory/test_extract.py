from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from relay.memory.extract import extract
from relay.memory.records import Exchange

DAY = 86_400


def told(*lines: str, language: str = "ko") -> str:
    turns = [Exchange(number * DAY, line, "흥.") for number, line in enumerate(lines)]
    return extract("", turns, language, 200, UTC)


def test_what_happened_is_kept_with_its_day_and_chatter_is_not() -> None:
    summary = told(
        "안녕", "뭐해?", "오늘 수학 시험을 봤는데 망했어.", "으으음 그렇구나", "오늘 뭐 먹을까?"
    )
    assert summary == "(1970-01-03) 오늘 수학 시험을 봤는데 망했어."


def test_it_works_in_english() -> None:
    lines = ("hello there", "I lost my cat yesterday.", "what is your name?", "okay okay okay")
    assert told(*lines, language="en") == "(1970-01-02) I lost my cat yesterday."


def test_the_same_thing_is_told_once() -> None:
    assert told("나 어제 바다에 갔어.", "나 어제 바다에 갔어!").count("바다") == 1


def test_the_oldest_goes_when_there_is_no_room() -> None:
    before = " / ".join(f"(2026-01-0{n}) 옛날 일 {n} 을 했어." for n in range(1, 9))
    turns = [Exchange(0, "내일 친구랑 여행을 가.", "흥.")]
    summary = extract(before, turns, "ko", 120, UTC)
    assert len(summary) <= 120
    assert summary.endswith("내일 친구랑 여행을 가.")
    assert "옛날 일 1" not in summary
    assert "옛날 일 8" in summary


@given(st.text(max_size=300), st.lists(st.text(max_size=200), max_size=20), st.integers(20, 300))
def test_it_never_grows_beyond_its_limit(before: str, lines: list[str], chars: int) -> None:
    turns = [Exchange(0, line, "") for line in lines]
    for language in ("ko", "en", "xx"):
        summary = extract(before, turns, language, chars, UTC)
        assert len(summary) <= chars
        assert "\n" not in summary
