from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Message
from relay.memory.conversation import (
    MAX_LINE_CHARS,
    MAX_NOTE_CHARS,
    MAX_NOTES,
    Conversation,
    Conversations,
)


def said(*turns: tuple[str, str], max_turns: int = 20) -> Conversation:
    conversation = Conversation(max_turns)
    for user, spoken in turns:
        conversation.add(user, spoken)
    return conversation


def test_history_is_oldest_first() -> None:
    assert said(("안녕", "왔어?"), ("응", "흥.")).history() == (
        Message("user", "안녕"),
        Message("assistant", "왔어?"),
        Message("user", "응"),
        Message("assistant", "흥."),
    )


def test_a_reply_that_was_cut_off_at_once_leaves_the_question() -> None:
    assert said(("안녕", "")).history() == (Message("user", "안녕"),)


def test_an_empty_turn_is_not_remembered() -> None:
    assert len(said(("", " "))) == 0


def test_the_newest_turns_that_fit_are_kept_whole() -> None:
    conversation = said(("a" * 10, "b" * 10), ("c" * 10, "d" * 10), ("e" * 10, "f" * 10))
    assert [m.text[0] for m in conversation.history(max_chars=45)] == ["c", "d", "e", "f"]
    assert conversation.history(max_chars=19) == ()
    assert [m.text[0] for m in conversation.history(max_turns=1)] == ["e", "f"]


def test_a_long_line_is_cut() -> None:
    line = said(("x" * 100_000, "")).history(max_chars=100_000)[0]
    assert len(line.text) == MAX_LINE_CHARS


def test_clear_forgets() -> None:
    conversation = said(("안녕", "왔어?"))
    conversation.clear()
    assert conversation.history() == ()


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=30),
    st.integers(0, 200),
    st.integers(0, 12),
)
def test_history_is_always_within_its_limits_and_the_newest(
    turns: list[tuple[str, str]], max_chars: int, max_turns: int
) -> None:
    conversation = said(*turns, max_turns=8)
    history = conversation.history(max_chars, max_turns)
    assert sum(len(line.text) for line in history) <= max_chars
    assert len(history) <= 2 * max_turns
    assert len(conversation) <= 8
    everything = conversation.history(10**6, 10**6)
    assert history == everything[len(everything) - len(history) :]


def test_each_doll_has_its_own() -> None:
    conversations = Conversations()
    conversations.of("a", 0).add("안녕", "왔어?")
    assert len(conversations.of("a", 1)) == 1
    assert len(conversations.of("b", 1)) == 0


def test_a_doll_that_was_idle_starts_anew() -> None:
    conversations = Conversations(idle_s=60)
    conversations.of("a", 0).add("안녕", "왔어?")
    assert len(conversations.of("a", 59)) == 1
    assert len(conversations.of("a", 118)) == 1  # the last use counts
    assert len(conversations.of("a", 178)) == 0


def test_idle_conversations_are_let_go() -> None:
    conversations = Conversations(idle_s=60)
    conversations.of("a", 0)
    conversations.of("b", 30)
    assert conversations.forget_idle(59) == 0
    assert conversations.forget_idle(60) == 1
    assert conversations.forget_idle(90) == 1
    assert len(conversations) == 0


def test_the_least_recently_used_goes_first() -> None:
    conversations = Conversations(max_dolls=2)
    for device in ("a", "b"):
        conversations.of(device, 0).add(device, device)
    conversations.of("a", 1)
    conversations.of("c", 2)
    assert len(conversations) == 2
    assert len(conversations.of("a", 3)) == 1
    assert len(conversations.of("b", 3)) == 0


def test_forget_is_for_one_doll() -> None:
    conversations = Conversations()
    for device in ("a", "b"):
        conversations.of(device, 0).add(device, device)
    conversations.forget("a")
    conversations.forget("nobody")
    assert len(conversations.of("a", 1)) == 0
    assert len(conversations.of("b", 1)) == 1


def test_notes_are_kept_once_newest_last_and_not_without_bound() -> None:
    conversation = Conversation()
    for number in range(MAX_NOTES + 5):
        conversation.note(f"사실  {number}\n")
    conversation.note("사실 10")
    conversation.note(" ")
    conversation.note("긴 " * 1_000)
    notes = conversation.notes()
    assert len(notes) == MAX_NOTES
    assert notes[-2] == "사실 10"
    assert notes[0] == "사실 6"
    assert all(len(note) <= MAX_NOTE_CHARS and "\n" not in note for note in notes)
    conversation.clear()
    assert conversation.notes() == ()
