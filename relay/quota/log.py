"""The requests of one model's last minute, in the order in which their slots come back. No I/O.

Two lists are kept in that order, so that no question sorts or counts them again. Requests of which
the arrival is known come back one window after it; arrivals become known nearly in their order, so
a new one goes near the end. Requests on their way come back in the order of their grants. How many
there are, how many tokens they have and whose they are is counted along; when the n-th comes back
is found in some steps of a binary search (see `outlook`), however large the limit is.

What happened since the last `commit` can be taken back with `undo`, and told to another copy of the
log: see `changes` and `follow`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

import msgspec

WINDOW_S = 60.1  #: a minute, and what a provider's clock may be slower
LATEST_S = 30.0  #: from the grant to the provider, at most
_SLACK = 64  # requests that are over and may still lie at the front of a list

_at = attrgetter("at")
_arrival = attrgetter("arrived")


class Sent(msgspec.Struct, array_like=True, frozen=True):
    """One request that was sent, or was about to be when the process died."""

    at: float  #: in the ledger's own time (see `clock`), seconds
    tokens: int
    doll: str  #: a short tag, not the doll's name
    arrived: float | None = None  #: by when the provider had it; None: it may still be on its way


class Log:
    """All requests that may still count. Times are the ledger's; see `clock`."""

    def __init__(self, sent: Iterable[Sent] = ()) -> None:
        self._on_way: list[Sent] = []  # by `at`
        self._there = _There()
        self._tokens_on_way = 0
        self._dolls: Counter[str] = Counter()
        #: What happened since the last commit, as `follow` takes it.
        self.changes: list[Sent] = []
        self.follow(sent)

    def __len__(self) -> int:
        return len(self._there) + len(self._on_way)

    def __iter__(self) -> Iterator[Sent]:
        yield from self._there
        yield from self._on_way

    @property
    def on_way(self) -> Sequence[Sent]:
        """Those that may not have arrived, in the order of their grants."""
        return self._on_way

    @property
    def there(self) -> _There:
        """Those of which the arrival is known, in its order."""
        return self._there

    @property
    def tokens(self) -> int:
        """Of all together."""
        return self._there.tokens(len(self._there)) + self._tokens_on_way

    def has(self, doll: str) -> bool:
        """Whether one of them is this doll's."""
        return doll in self._dolls

    def expire(self, now: float) -> None:
        """Forget what is over by `now`. It stays forgotten: time does not go back."""
        for sent in self._there.expire(now):
            self._uncount(sent)
        over = bisect_right(self._on_way, now, key=lambda sent: sent.at + LATEST_S + WINDOW_S)
        for sent in self._on_way[:over]:
            self._tokens_on_way -= sent.tokens
            self._uncount(sent)
        del self._on_way[:over]

    def add(self, sent: Sent) -> None:
        """A request that was granted, and is on its way."""
        self._take(sent)
        self.changes.append(sent)

    def arrived(self, at: float, doll: str, arrived: float) -> None:
        """The request that was granted to a doll at `at` had arrived by `arrived`.

        Nothing, if none such is on its way. Of two that are alike it matters not which is which.
        """
        for sent in self._granted(at):
            if sent.doll == doll:
                known = Sent(at, sent.tokens, doll, arrived)
                self._take(known)
                self.changes.append(known)
                return

    def commit(self) -> None:
        """What happened is written down."""
        self.changes = []

    def undo(self) -> None:
        """What happened since the last commit did not."""
        changes, self.changes = self.changes, []
        for sent in reversed(changes):
            if sent.arrived is None:
                self._drop_on_way(sent)
            else:
                if self._there.remove(sent):  # or it is over, which its grant alone may not be
                    self._uncount(sent)
                self._take(Sent(sent.at, sent.tokens, sent.doll))

    def follow(self, changes: Iterable[Sent]) -> None:
        """What another copy of this log has committed."""
        for sent in changes:
            self._take(sent)

    def _take(self, sent: Sent) -> None:
        if sent.arrived is None:
            insort(self._on_way, sent, key=_at)
            self._tokens_on_way += sent.tokens
        else:
            self._drop_on_way(Sent(sent.at, sent.tokens, sent.doll))
            self._there.add(sent)
        self._dolls[sent.doll] += 1

    def _drop_on_way(self, sent: Sent) -> None:
        for index, one in enumerate(self._granted(sent.at), self._place(sent.at)):
            if one == sent:
                del self._on_way[index]
                self._tokens_on_way -= sent.tokens
                self._uncount(sent)
                return

    def _granted(self, at: float) -> list[Sent]:
        """Those on their way that were granted at this very moment."""
        return self._on_way[self._place(at) : bisect_right(self._on_way, at, key=_at)]

    def _place(self, at: float) -> int:
        return bisect_left(self._on_way, at, key=_at)

    def _uncount(self, sent: Sent) -> None:
        self._dolls[sent.doll] -= 1
        if not self._dolls[sent.doll]:
            del self._dolls[sent.doll]


class _There:
    """Requests by their arrival, with the tokens of any number of the first of them."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._before = [0]  # tokens of all that stood before each of them, and before the next one
        self._first = 0  # those before it are over

    def __len__(self) -> int:
        return len(self._sent) - self._first

    def __iter__(self) -> Iterator[Sent]:
        return iter(self._sent[self._first :])

    def __getitem__(self, index: int) -> float:
        """When the `index`-th of them arrived; from 0."""
        arrived: float = _arrival(self._sent[self._first + index])
        return arrived

    def tokens(self, count: int) -> int:
        """Of the first `count` together."""
        return self._before[self._first + count] - self._before[self._first]

    def add(self, sent: Sent) -> None:
        """Put one into its place: the last, but for those that became known too late."""
        at = bisect_right(self._sent, _arrival(sent), self._first, key=_arrival)
        self._sent.insert(at, sent)
        self._before.insert(at + 1, self._before[at])
        self._shift(at + 1, sent.tokens)

    def remove(self, sent: Sent) -> bool:
        """Take one out; whether it was there."""
        at = bisect_left(self._sent, _arrival(sent), self._first, key=_arrival)
        while at < len(self._sent) and self._sent[at].arrived == sent.arrived:
            if self._sent[at] == sent:
                del self._sent[at], self._before[at + 1]
                self._shift(at + 1, -sent.tokens)
                return True
            at += 1
        return False

    def expire(self, now: float) -> list[Sent]:
        """Forget those that are over by now: these."""
        first = bisect_right(
            self._sent, now, self._first, key=lambda sent: _arrival(sent) + WINDOW_S
        )
        over = self._sent[self._first : first]
        self._first = first
        if first > _SLACK and 2 * first > len(self._sent):
            del self._sent[:first], self._before[:first]
            self._first = 0
        return over

    def _shift(self, at: int, tokens: int) -> None:
        for index in range(at, len(self._before)):
            self._before[index] += tokens
