from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.journal import Journal


def test_messages_go_out_in_order_and_count() -> None:
    journal = Journal(8)
    assert [journal.add(str(n)) for n in range(3)] == [0, 1, 2]
    assert [journal.take() for _ in range(4)] == ["0", "1", "2", None]
    assert (journal.sent, journal.end) == (3, 3)


def test_what_was_not_received_goes_out_again() -> None:
    journal = Journal(8)
    for n in range(5):
        journal.add(str(n))
        journal.take()
    journal.add("5")
    journal.rewind(3)
    assert [journal.take() for _ in range(4)] == ["3", "4", "5", None]


def test_only_the_newest_of_what_was_sent_is_kept() -> None:
    journal = Journal(4)
    for n in range(100):
        journal.add(str(n))
        journal.take()
    assert len(journal) == 4
    assert journal.reaches(96)
    assert not journal.reaches(95)


def test_what_was_not_sent_is_kept_whatever_its_number() -> None:
    journal = Journal(1)
    for n in range(10):
        journal.add(str(n))
    assert [journal.take() for _ in range(10)] == [str(n) for n in range(10)]


@pytest.mark.parametrize("received", [-1, 4, 10**9])
def test_a_count_that_cannot_be_is_not_reached(received: int) -> None:
    journal = Journal(8)
    for n in range(5):
        journal.add(str(n))
    for _ in range(3):
        journal.take()
    assert not journal.reaches(received)
    with pytest.raises(ValueError, match=str(received)):
        journal.rewind(received)


def test_what_has_arrived_is_forgotten_and_the_count_goes_on() -> None:
    journal = Journal(8)
    for n in range(3):
        journal.add(str(n))
        journal.take()
    journal.add("3")
    journal.forget_sent()
    assert len(journal) == 1
    assert not journal.reaches(2)
    assert journal.reaches(3)
    assert journal.take() == "3"


def test_a_cut_drops_what_did_not_go_out_and_its_places_are_given_again() -> None:
    journal = Journal(8)
    for n in range(5):
        journal.add(str(n))
    journal.take()
    journal.cut()
    assert journal.take() is None
    assert journal.add("new") == 1
    assert journal.take() == "new"


@given(
    st.lists(
        st.one_of(
            st.just("add"),
            st.just("take"),
            st.just("forget"),
            st.integers(min_value=0, max_value=9),
        ),
        max_size=200,
    )
)
def test_any_drops_give_the_device_each_message_once_and_in_order(steps: list[str | int]) -> None:
    journal = Journal(12)
    made = 0
    arrived: list[str | bytes] = []
    on_the_way: list[str | bytes] = []
    for step in steps:
        if step == "add":
            assert journal.add(str(made)) == made
            made += 1
        elif step == "take":
            if (message := journal.take()) is not None:
                on_the_way.append(message)
        elif step == "forget":
            arrived += on_the_way
            on_the_way.clear()
            journal.forget_sent()
        else:  # the link breaks behind so many of the messages on their way
            assert isinstance(step, int)
            arrived += on_the_way[:step]
            on_the_way.clear()
            if not journal.reaches(len(arrived)):
                assert journal.sent - len(arrived) > 12
                break
            journal.rewind(len(arrived))
        assert len(journal) <= 12 + (made - journal.sent)
    else:
        while (message := journal.take()) is not None:
            on_the_way.append(message)
        assert arrived + on_the_way == [str(n) for n in range(made)]
