from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Message
from relay.llm.tokens import of_message
from relay.memory.conversation import MAX_TURNS, Conversation, newest
from relay.memory.records import MAX_LINE_CHARS, Exchange, Fact, FactChange
from relay.memory.settings import MemorySettings

NOW = 1_800_000_000  # 2027-01-15, UTC


def conversation(
    *turns: tuple[str, str],
    tokens: int = 1_500,
    keep: Callable[[Exchange | FactChange], None] | None = None,
) -> Conversation:
    settings = MemorySettings(history_tokens=tokens)
    made = Conversation(settings, language="ko", zone=UTC, keep=keep, now=lambda: NOW)
    for heard, said in turns:
        made.add(heard, said)
    return made


def test_history_is_oldest_first() -> None:
    assert conversation(("안녕", "왔어?"), ("응", "흥.")).history() == (
        Message("user", "안녕"),
        Message("assistant", "왔어?"),
        Message("user", "응"),
        Message("assistant", "흥."),
    )


def test_a_reply_that_was_cut_off_at_once_leaves_the_question() -> None:
    assert conversation(("안녕", "")).history() == (Message("user", "안녕"),)


def test_an_empty_turn_is_not_remembered_nor_kept() -> None:
    kept: list[object] = []
    assert len(conversation(("", " \n\x00"), keep=kept.append)) == 0
    assert kept == []


def test_a_long_line_is_cut() -> None:
    line = conversation(("x" * 100_000, "")).history()[0]
    assert len(line.text) == MAX_LINE_CHARS


def test_what_a_database_refuses_is_taken_out() -> None:
    assert conversation(("가\x00나\ud800다\u202e", "")).history()[0].text == "가나다"


def test_korean_fills_the_window_sooner_than_english() -> None:
    korean = conversation(*[("가" * 20, "나" * 20)] * 100, tokens=200)
    english = conversation(*[("a" * 20, "b" * 20)] * 100, tokens=200)
    assert len(english) > 2 * len(korean) > 0


def test_what_has_left_the_window_is_counted_for_the_summary() -> None:
    talk = conversation(("가" * 40, "나" * 40), tokens=100)
    assert talk.left_tokens == 0
    talk.add("다" * 40, "라" * 40)
    assert talk.left_tokens == 2 * (0.75 * 40 + 4)
    assert [line.text[0] for line in talk.history()] == ["다", "라"]


def test_the_prompt_tells_the_summary_and_then_the_facts_with_number_and_day() -> None:
    talk = conversation()
    talk.load([], [Fact(NOW, "진주는 고양이를 키운다.")], "어제 바다에 갔다.")
    assert talk.notes() == (
        "그동안 나눈 이야기: 어제 바다에 갔다.",
        "[1] 진주는 고양이를 키운다. (2027-01-15)",
    )


def test_all_that_is_new_is_kept_and_what_was_loaded_is_not() -> None:
    kept: list[object] = []
    talk = conversation(keep=kept.append)
    talk.load([Exchange(1, "옛", "날")], [Fact(1, "옛날이야기를 좋아한다.")])
    talk.add("안녕", "흥.")
    talk.note("진주는 고양이를 키운다.")
    talk.note("  ")
    assert kept == [
        Exchange(NOW, "안녕", "흥."),
        FactChange(Fact(NOW, "진주는 고양이를 키운다.")),
    ]


def test_after_a_deletion_a_turn_that_still_runs_adds_to_nothing() -> None:
    kept: list[object] = []
    talk = conversation(("안녕", "흥."), keep=kept.append)
    talk.note("진주는 고양이를 키운다.")
    kept.clear()
    talk.end()
    assert talk.history() == talk.notes() == ()
    talk.add("늦은 질문", "늦은 대답")
    assert kept == []


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=60))
def test_the_window_is_always_within_its_limits_and_the_newest(
    turns: list[tuple[str, str]],
) -> None:
    kept: list[Exchange] = []
    talk = conversation(*turns, tokens=120, keep=lambda new: kept.append(new))  # type: ignore[arg-type]
    history = talk.history()
    assert sum(of_message(line.text) for line in history) <= 120
    assert len(talk) <= MAX_TURNS
    everything = [
        line.text
        for turn in kept
        for line in (Message("user", turn.heard), Message("assistant", turn.said))
        if line.text
    ]
    assert [line.text for line in history] == everything[len(everything) - len(history) :]
    assert len(talk) == newest(reversed(kept), MemorySettings(history_tokens=120))
