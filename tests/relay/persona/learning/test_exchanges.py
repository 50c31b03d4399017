from __future__ import annotations

from relay.persona.base import Exchange
from relay.persona.learning.exchanges import MAX_CHARS, exchanges
from relay.persona.learning.messages import Message


def paired(*chat: tuple[str, str, int] | tuple[str, str, int, str]) -> list[Exchange]:
    messages = [
        (Message(who, text.rstrip("*"), *(rest or ["1"]), minute), not text.endswith("*"))
        for who, text, minute, *rest in chat
    ]
    return list(exchanges(messages, "차차"))


def test_what_was_said_is_paired_with_its_answer() -> None:
    chat = [("진주", "나 왔어", 0), ("차차", "왔어?", 1), ("진주", "응", 2), ("진주", "배고파", 3)]
    assert paired(*chat, ("차차", "밥", 4), ("차차", "먹어", 5)) == [
        Exchange("나 왔어", "왔어?"),
        Exchange("응 배고파", "밥 먹어"),
    ]


def test_what_the_speaker_says_first_is_no_answer() -> None:
    assert paired(("차차", "야", 0), ("진주", "왜", 1)) == []
    assert paired(("차차", "야", 0), ("차차", "자?", 20)) == []


def test_an_answer_that_comes_too_late_is_one_to_something_else() -> None:
    assert paired(("진주", "자?", 0), ("차차", "응", 361)) == []
    assert paired(("진주", "자?", 0), ("차차", "응", 360)) != []
    assert paired(("진주", "자?", 600, "1"), ("차차", "응", 605, "2")) == []


def test_midnight_does_not_part_them() -> None:
    assert paired(("진주", "자?", 1435, "1"), ("차차", "아니", 2, "2")) == [Exchange("자?", "아니")]


def test_who_comes_back_to_it_after_a_while_says_something_else() -> None:
    chat = [("진주", "나 왔어", 0), ("차차", "왔어?", 1), ("차차", "근데 있잖아", 30)]
    assert paired(*chat) == [Exchange("나 왔어", "왔어?")]


def test_nothing_is_left_of_an_exchange_with_something_private() -> None:
    assert paired(("진주", "주소*", 0), ("차차", "응", 1)) == []
    assert paired(("진주", "응", 0), ("차차", "내 번호*", 1)) == []
    assert paired(("진주", "응", 0), ("차차", "들어 봐", 1), ("차차", "번호*", 1)) == []


def test_stories_and_empty_talk_are_left_out() -> None:
    assert paired(("진주", "해 봐", 0), *[("차차", "그래서", 1)] * 5) == []
    assert paired(("진주", "해 봐", 0), ("차차", "가" * (MAX_CHARS + 1), 1)) == []
    assert paired(("진주", "  ", 0), ("차차", "응", 1)) == []


def test_without_times_the_day_counts() -> None:
    messages = [(Message("진주", "자?", "1"), True), (Message("차차", "응", "1"), True)]
    assert list(exchanges(messages, "차차")) == [Exchange("자?", "응")]
    messages[1] = (Message("차차", "응", "2"), True)
    assert list(exchanges(messages, "차차")) == []
