"""Where ledgers are kept: what every store promises, and the one that forgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from relay.quota.clock import Clock, Reading, system_clock
from relay.quota.state import State, decode, encode

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
        raise StoreError(
            f"What quota.store holds cannot be read by this relay: move it away ({error})."
        ) from None


class MemoryStore:
    """Keeps nothing beyond the process."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._states: dict[str, bytes] = {}

    async def change(self, model: str, change: Change[T]) -> T:
        """See Store.change."""
        state = read(self._states.get(model))
        result, write = change(state, self._clock())
        if write:
            self._states[model] = encode(state)
        return result

    async def models(self) -> list[str]:
        """See Store.models."""
        return list(self._states)

    async def close(self) -> None:
        """There is nothing to close."""
