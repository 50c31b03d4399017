"""Clauses that were spoken before: greetings, fillers and failures come at once the second time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from relay.audio import Pcm


class ClauseCache:
    """Keeps the speech used last, within `limit` bytes in all.

    A clause of more than a quarter of that is not kept: it would push out many useful ones.
    """

    def __init__(self, limit: int = 8 << 20) -> None:
        self._limit = limit
        self._size = 0
        self._clauses: OrderedDict[Hashable, Pcm] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of speech that are kept."""
        return self._size

    def get(self, key: Hashable) -> Pcm | None:
        """The speech kept for `key`, which is now the one used last."""
        if key in self._clauses:
            self._clauses.move_to_end(key)
        return self._clauses.get(key)

    def put(self, key: Hashable, pcm: Pcm) -> None:
        """Keep `pcm`; it must not be changed from now on."""
        if pcm.nbytes > self._limit // 4:
            return
        if (old := self._clauses.pop(key, None)) is not None:
            self._size -= old.nbytes
        self._clauses[key] = pcm
        self._size += pcm.nbytes
        while self._size > self._limit:
            _, dropped = self._clauses.popitem(last=False)
            self._size -= dropped.nbytes
