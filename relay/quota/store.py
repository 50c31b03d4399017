"""Where ledgers are kept: what every store promises, and the one that forgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from relay.quota.clock import Clock, Reading, system_clock
from relay.quota.log import Log, Sent
from relay.quota.state import State, decode, decode_requests, encode_without_log

T = TypeVar("T")

Change = Callable[[State, Reading], tuple[T, bool]]
"""Looks at a ledger's state, may change it, and tells its result and whether to store the change.

It may run in another thread, and more than once where another process was faster."""


class StoreError(Exception):
    """The store did not work; one sentence, with what to do."""


class Store(Protocol):
    """Keeps the ledgers of one project, by model."""

    async def change(self, model: str, change: Change[T]) -> T:
        """Apply `change` as one step that no other process comes between.

        What it changed is on disk (or in Redis) when this returns. A model that is not known yet
        begins with an empty state. Raises StoreError.
        """
        ...

    async def models(self) -> list[str]:
        """The models that have a ledger. Raises StoreError."""
        ...

    async def close(self) -> None:
        """Close it. May be called again."""
        ...


def read(data: bytes | None) -> State:
    """A stored state, or an empty one. Raises StoreError."""
    try:
        return State() if data is None else decode(data)
    except ValueError as error:
        raise _unreadable(error) from None


def read_requests(data: bytes) -> list[Sent]:
    """Requests that were stored. Raises StoreError."""
    try:
        return decode_requests(data)
    except ValueError as error:
        raise _unreadable(error) from None


def _unreadable(error: ValueError) -> StoreError:
    return StoreError(
        f"What quota.store holds cannot be read by this relay: move it away ({error})."
    )


class MemoryStore:
    """Keeps nothing beyond the process."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._heads: dict[str, bytes] = {}  # states without their logs
        self._logs: dict[str, Log] = {}

    async def change(self, model: str, change: Change[T]) -> T:
        """See Store.change."""
        state = read(self._heads.get(model))
        state.log = self._logs.setdefault(model, Log())
        try:
            result, write = change(state, self._clock())
            if write:
                self._heads[model] = encode_without_log(state)
                state.log.commit()
        finally:
            state.log.undo()
        return result

    async def models(self) -> list[str]:
        """See Store.models."""
        return list(self._heads)

    async def close(self) -> None:
        """There is nothing to close."""
