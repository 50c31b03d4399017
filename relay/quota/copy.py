"""A process's own copy of one model's log, so that no change reads and writes the whole of it.

A store keeps a ledger as a head (its state without the log, a few hundred bytes), with a number
that each change makes one more, and a journal: what each change added to the log, by its number. A
change reads the head and the pages of the journal that this process has not seen, which are those
of other processes; it writes the head and a page of its own. Pages of which every request is over
are taken away by whoever writes next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from relay.quota.log import LATEST_S, WINDOW_S, Log, Sent
from relay.quota.state import State, encode_requests, encode_without_log
from relay.quota.store import read, read_requests


@dataclass(frozen=True, slots=True)
class Page:
    """What a change writes."""

    number: int
    head: bytes
    requests: bytes | None  #: for the journal; None: nothing new in the log
    oldest: int  #: of the journal's pages, those with a smaller number may be taken away
    time: float  #: the ledger's


class Copy:
    """The log of one model as it was at the change with a `number`; 0 before the first."""

    def __init__(self) -> None:
        self.number = 0
        self._log = Log()
        self._pages: deque[tuple[int, float]] = deque()  # number, and ledger time at the latest

    def seen(self, number: int) -> int:
        """Up to which page this copy is that of a ledger which is at `number`."""
        # Less than was seen: the server or the file has lost what it had, and begins again.
        return self.number if number >= self.number else 0

    def state(self, head: bytes | None, number: int, pages: Iterable[tuple[int, bytes]]) -> State:
        """The ledger at `number`, of which `pages` are those that were not `seen`.

        It shares the log of this copy: change it within `taken_back`. Raises StoreError.
        """
        state = read(head)
        unseen = [(each, read_requests(data)) for each, data in pages]
        if not self.seen(number):
            self._log, self._pages = Log(), deque()
        for each, requests in unseen:
            self._log.follow(requests)
            self._pages.append((each, state.time))
        self.number = number
        for sent in state.log:  # a head that an earlier release wrote: it goes to the journal
            self._log.add(Sent(sent.at, sent.tokens, sent.doll))
            if sent.arrived is not None:
                self._log.arrived(sent.at, sent.doll, sent.arrived)
        state.log = self._log
        return state

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """At its end, what was changed in the log and not `kept` is as before."""
        try:
            yield
        finally:
            self._log.undo()

    def page(self, state: State) -> Page:
        """What to write of a state that was changed."""
        requests = encode_requests(self._log.changes) if self._log.changes else None
        over = state.time - WINDOW_S - LATEST_S
        oldest = next((number for number, time in self._pages if time > over), self.number + 1)
        return Page(self.number + 1, encode_without_log(state), requests, oldest, state.time)

    def kept(self, page: Page) -> None:
        """It is written."""
        self._log.commit()
        self.number = page.number
        while self._pages and self._pages[0][0] < page.oldest:
            self._pages.popleft()
        if page.requests is not None:
            self._pages.append((page.number, page.time))
