from __future__ import annotations

import pytest

from relay.quota.copy import Copy, Page
from relay.quota.log import LATEST_S, WINDOW_S, Log, Sent
from relay.quota.state import State, decode, decode_requests, encode
from relay.quota.store import StoreError


class Book:
    """A head and a journal, as a store keeps them."""

    def __init__(self, head: bytes | None = None) -> None:
        self.head = head
        self.number = 0
        self.pages: dict[int, bytes] = {}

    def read(self, copy: Copy) -> State:
        seen = copy.seen(self.number)
        unseen = [(number, page) for number, page in self.pages.items() if number > seen]
        return copy.state(self.head, self.number, unseen)

    def write(self, page: Page) -> None:
        self.head, self.number = page.head, page.number
        self.pages = {each: data for each, data in self.pages.items() if each >= page.oldest}
        if page.requests is not None:
            self.pages[page.number] = page.requests

    def grant(self, copy: Copy, at: float, *, lost: bool = False) -> Page:
        with copy.taken_back():
            state = self.read(copy)
            state.time = at
            state.log.expire(at)
            state.log.add(Sent(at, 1, "doll"))
            page = copy.page(state)
            if not lost:
                self.write(page)
                copy.kept(page)
        return page

    def times(self, copy: Copy) -> list[float]:
        with copy.taken_back():
            return [sent.at for sent in self.read(copy).log]


def test_a_page_has_only_what_the_change_added() -> None:
    book, copy = Book(), Copy()
    pages = [book.grant(copy, at) for at in (1.0, 2.0)]
    assert [decode_requests(page.requests or b"") for page in pages] == [
        [Sent(1.0, 1, "doll")],
        [Sent(2.0, 1, "doll")],
    ]
    assert len(decode(pages[1].head).log) == 0


def test_what_others_wrote_is_read_once_and_in_order() -> None:
    book, ours, theirs = Book(), Copy(), Copy()
    book.grant(ours, 1.0)
    book.grant(theirs, 2.0)
    book.grant(theirs, 3.0)
    assert book.times(ours) == book.times(theirs) == book.times(Copy()) == [1.0, 2.0, 3.0]
    assert ours.number == theirs.number == 3


def test_what_was_not_written_is_taken_back() -> None:
    book, copy = Book(), Copy()
    book.grant(copy, 1.0)
    book.grant(copy, 2.0, lost=True)
    assert book.times(copy) == [1.0]
    book.grant(copy, 3.0)
    assert book.times(copy) == book.times(Copy()) == [1.0, 3.0]


def test_what_was_written_and_not_known_to_be_is_found_there() -> None:
    book, copy = Book(), Copy()
    book.write(book.grant(copy, 1.0, lost=True))
    assert book.times(copy) == [1.0]


def test_pages_that_are_over_are_taken_away_and_nothing_else() -> None:
    book, copy = Book(), Copy()
    for at in range(200):
        book.grant(copy, float(at))
    assert len(book.pages) == int(WINDOW_S + LATEST_S) + 1
    assert book.times(Copy()) == [
        200.0 - len(book.pages) + number for number in range(len(book.pages))
    ]
    slow = Copy()
    book.grant(slow, 200.0)
    assert book.times(slow)[-1] == book.times(copy)[-1] == 200.0


def test_a_change_without_requests_has_no_page() -> None:
    book, copy = Book(), Copy()
    with copy.taken_back():
        state = book.read(copy)
        state.refusals = 3
        page = copy.page(state)
    assert page.requests is None
    book.write(page)
    assert book.read(copy).refusals == 3


def test_a_ledger_that_begins_again_is_not_mixed_with_what_was_seen() -> None:
    book, copy = Book(), Copy()
    for at in (1.0, 2.0, 3.0):
        book.grant(copy, at)
    empty = Book()
    empty.grant(Copy(), 0.5)
    assert empty.times(copy) == [0.5]


def test_the_log_in_a_head_of_an_earlier_release_counts_and_goes_to_the_journal() -> None:
    old = State(time=5.0, log=Log([Sent(1.0, 7, "a", 1.5), Sent(4.0, 8, "b")]))
    book, copy = Book(encode(old)), Copy()
    assert book.times(copy) == book.times(copy) == [1.0, 4.0]
    book.grant(copy, 6.0)
    assert book.times(copy) == book.times(Copy()) == [1.0, 4.0, 6.0]
    assert len(decode(book.head or b"").log) == 0


def test_a_page_that_nobody_can_read_is_told_with_what_to_do() -> None:
    with pytest.raises(StoreError, match="move it away"):
        Copy().state(None, 1, [(1, b"[5]")])
