"""What waits in a chat, and who is told what how often."""

from __future__ import annotations

import pytest

from relay.telegram.inbox import MOST, Inbox, Message, Press
from relay.telegram.strangers import AGAIN_S, PER_HOUR, PER_MINUTE, Strangers


def written(number: int, text: str, user: int = 1) -> Message:
    return Message(number, 1, user, "ko", text)


def test_texts_of_one_person_are_taken_together_and_commands_alone() -> None:
    inbox = Inbox()
    items = [written(1, "하나"), written(2, "둘"), written(3, "/help"), written(4, "셋", user=2)]
    for item in items:
        inbox.put(item)
    inbox.put(Press("q", 1, 9, 1, "ko", "clear:no"))
    assert inbox.take() == items[:2]
    assert inbox.take() == [items[2]]
    assert inbox.take() == [items[3]]
    assert isinstance(inbox.take(), Press)
    with pytest.raises(IndexError):
        inbox.take()


def test_a_flood_is_told_once_until_all_is_done() -> None:
    inbox = Inbox()
    for number in range(MOST + 5):
        inbox.put(written(number, "/help"))
    assert len(inbox) == MOST
    assert [inbox.is_flooded() for _ in range(2)] == [True, False]
    for _ in range(MOST):
        inbox.take()
    for number in range(MOST + 1):
        inbox.put(written(number, "/help"))
    assert inbox.is_flooded()


def test_a_stranger_is_told_once_a_day_and_all_of_them_not_too_often() -> None:
    strangers = Strangers()
    assert strangers.may_tell(1, 0.0)
    assert not strangers.may_tell(1, AGAIN_S - 1)
    assert strangers.may_tell(1, AGAIN_S)
    told = sum(strangers.may_tell(who, AGAIN_S + 1) for who in range(2, 100))
    assert told == PER_HOUR - 1
    assert sum(strangers.may_try(0.0) for _ in range(50)) == PER_MINUTE
