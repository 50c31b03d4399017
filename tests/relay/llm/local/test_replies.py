from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Message
from relay.llm.local.replies import choose, last_said, said_one_of

VARIANTS = ["왔어? 기다린 건 아니야.", "안녕, 반갑다고 해 줄게.", "흥, 이제야 말을 거네."]


def doll(*lines: str) -> tuple[Message, ...]:
    return tuple(Message("assistant", line) for line in lines)


def test_the_same_request_has_the_same_answer() -> None:
    assert len({choose(VARIANTS, (), "안녕") for _ in range(20)}) == 1


def test_other_words_may_have_another_answer() -> None:
    assert {choose(VARIANTS, (), f"안녕 {number}") for number in range(50)} == set(VARIANTS)


def test_all_are_used_before_one_comes_again() -> None:
    history: tuple[Message, ...] = ()
    said = []
    for _ in range(9):
        history = (*history, Message("user", "안녕"))
        said.append(choose(VARIANTS, history, "안녕"))
        history = (*history, *doll(said[-1]))
    for start in (0, 3, 6):
        assert set(said[start : start + 3]) == set(VARIANTS)
    assert said[3] != said[2]


def test_a_reply_that_was_cut_off_counts_as_said() -> None:
    history = doll("안녕, 반갑다고 해 줄", VARIANTS[2])
    assert choose(VARIANTS, history, "안녕") == VARIANTS[0]


@given(st.lists(st.sampled_from(VARIANTS), min_size=1, max_size=10), st.text(max_size=10))
def test_the_last_words_are_never_repeated(said: list[str], text: str) -> None:
    assert choose(VARIANTS, doll(*said), text) != said[-1]


def test_one_variant_is_better_than_none() -> None:
    assert choose(VARIANTS[:1], doll(VARIANTS[0]), "안녕") == VARIANTS[0]


def test_knows_what_the_doll_said_last() -> None:
    history = (*doll(VARIANTS[0]), Message("user", "응"))
    assert last_said(history) == VARIANTS[0]
    assert last_said(()) == ""
    assert said_one_of(history, VARIANTS)
    assert not said_one_of(history, VARIANTS[1:])
    assert not said_one_of((), VARIANTS)
