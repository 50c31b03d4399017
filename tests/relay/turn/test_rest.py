from __future__ import annotations

from relay.turn.rest import KEEP_S, MAX_CHARS, Rest, Unheard


def test_what_was_not_heard_is_given_out_once() -> None:
    rest = Rest()
    rest.keep(("둘째야.", "셋째야."), "ko", now=10.0)
    assert rest.take(11.0) == Unheard("둘째야. 셋째야.", "ko")
    assert rest.take(12.0) is None


def test_after_a_while_nobody_knows_any_more_what_it_was_about() -> None:
    rest = Rest()
    rest.keep(("둘째야.",), "ko", now=10.0)
    assert rest.take(10.0 + KEEP_S) is None
    rest.keep(("둘째야.",), "ko", now=10.0)
    rest.forget()
    assert rest.take(11.0) is None


def test_an_interruption_with_nothing_left_over_leaves_the_one_before() -> None:
    rest = Rest()
    rest.keep(("둘째야.",), "ko", now=10.0)
    rest.keep((), "en", now=11.0)
    assert rest.take(12.0) == Unheard("둘째야.", "ko")


def test_it_is_bounded() -> None:
    rest = Rest()
    rest.keep(["열 글자쯤 되는 말."] * 1000, "ko", now=0.0)
    kept = rest.take(1.0)
    assert kept is not None
    assert MAX_CHARS - 20 < len(kept.text) < MAX_CHARS
    rest.keep(["말" * MAX_CHARS], "ko", now=0.0)
    assert rest.take(1.0) is None
