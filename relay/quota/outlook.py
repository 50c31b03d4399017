"""When the slots of one minute come back, seen from one moment, with requests to come behind it."""

from __future__ import annotations

from itertools import accumulate

from relay.quota.log import LATEST_S, WINDOW_S, Log


class Outlook:
    """A log as it will go on if nothing else is asked. It leaves the log as it is.

    A request on its way counts as if it arrived just now, `LATEST_S` after its grant at the latest.
    """

    def __init__(self, log: Log, now: float) -> None:
        self._log = log
        self._now = now
        self._real = len(log)
        self._tokens = log.tokens
        self._to_come: list[float] = []  # when those come back that were supposed to be sent
        self._tokens_to_come: list[int] = []
        self._dolls: set[str] = set()
        self._tokens_on_way: list[int] | None = None  # of the first so many; when it is needed

    def __len__(self) -> int:
        return self._real + len(self._to_come)

    def suppose(self, at: float, tokens: int, doll: str) -> None:
        """One more is sent at `at`, and not earlier than those before."""
        self._to_come.append(at + WINDOW_S)
        self._tokens_to_come.append(tokens)
        self._tokens += tokens
        self._dolls.add(doll)

    def has(self, doll: str) -> bool:
        """Whether a request of the minute is this doll's."""
        return doll in self._dolls or self._log.has(doll)

    def back(self, count: int) -> float:
        """When `count` slots (one or more, at most all) have come back."""
        if count > self._real:
            return self._to_come[count - self._real - 1]
        there, on_way = self._split(count)
        return WINDOW_S + max(
            self._log.there[there - 1] if there else 0.0,
            self._arrival(on_way - 1) if on_way else 0.0,
        )

    def has_at_most(self, tokens: int) -> float:
        """When the minute's requests have at most `tokens` together; 0 if they have."""
        if self._tokens <= tokens:
            return 0.0
        low, high = 1, len(self)  # so many have to leave; if all do, the rest is 0
        while low < high:
            middle = (low + high) // 2
            if self._tokens - self._tokens_of(middle) <= tokens:
                high = middle
            else:
                low = middle + 1
        return self.back(low)

    def _tokens_of(self, count: int) -> int:
        """Of the first `count` that leave."""
        if count > self._real:
            return self._log.tokens + sum(self._tokens_to_come[: count - self._real])
        if self._tokens_on_way is None:
            self._tokens_on_way = list(
                accumulate((sent.tokens for sent in self._log.on_way), initial=0)
            )
        there, on_way = self._split(count)
        return self._log.there.tokens(there) + self._tokens_on_way[on_way]

    def _split(self, count: int) -> tuple[int, int]:
        """How many of the first `count` real ones that leave are there, and how many on their way.

        Both lists are in order: the smallest number of the first with which nobody of the second
        has to wait for one that is left.
        """
        there = self._log.there
        low, high = max(0, count - len(self._log.on_way)), min(count, len(there))
        while low < high:
            middle = (low + high) // 2
            if there[middle] < self._arrival(count - middle - 1):
                low = middle + 1
            else:
                high = middle
        return low, count - low

    def _arrival(self, index: int) -> float:
        return min(self._now, self._log.on_way[index].at + LATEST_S)
