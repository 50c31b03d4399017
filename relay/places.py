"""How many dolls there is room for, in all and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from relay.metrics.refusals import Limit
from relay.wire.address import is_loopback, source


class Places:
    """Connections that are open, by where they come from: the client's address, not a proxy's."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._taken: Counter[str] = Counter()

    def exceeded(self, host: str) -> Limit | None:
        """The limit that one more connection from `host` would be too much for."""
        if is_loopback(host) or self._taken[source(host)] < self._per_address:
            return None
        return Limit.SOCKETS_PER_ADDRESS

    @contextmanager
    def taken(self, host: str) -> Iterator[None]:
        """A connection from `host` is open inside of this."""
        where = source(host)
        self._taken[where] += 1
        try:
            yield
        finally:
            self._taken[where] -= 1
            if not self._taken[where]:
                del self._taken[where]  # strangers must not fill it with addresses
