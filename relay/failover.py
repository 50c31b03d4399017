"""Which of several providers is asked first: the best one that is well. Sans-I/O.

A provider that failed rests for a while and is then asked again by a real request; none is sent
only to see whether it is back, since that would cost money or quota.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from relay.errors import ErrorKind, ProviderError


class Closable(Protocol):
    """What every provider is."""

    async def close(self) -> None:
        """Give back threads, models and connections."""
        ...


T = TypeVar("T")
P = TypeVar("P", bound=Closable)

#: These say something about the request and nothing about the provider.
_ABOUT_THE_REQUEST: Final = frozenset({ErrorKind.BAD_REQUEST, ErrorKind.BLOCKED})

#: These do not pass by themselves: somebody has to pay, or to change a key.
_LASTING: Final = frozenset({ErrorKind.AUTH, ErrorKind.QUOTA})


@dataclass(frozen=True, slots=True)
class CoolDown:
    """How long a provider rests, in seconds."""

    first_s: float = 15.0  #: after a failure; twice as long after each further one in a row
    longest_s: float = 600.0
    lasting_s: float = 600.0  #: after a wrong key or a used-up allowance, where no time was told
    told_s: float = 86_400.0  #: at most, where the provider told a time


@dataclass(slots=True)
class Member(Generic[T]):
    """One provider of the order, and how it is."""

    name: str  #: as in the settings
    provider: T
    failures: int = 0  #: in a row
    resting_until: float = 0.0  #: on the clock of whoever calls


class Order(Generic[T]):
    """Providers, the preferred one first."""

    def __init__(self, members: Sequence[tuple[str, T]], cool_down: CoolDown | None = None) -> None:
        if not members:
            raise ValueError("an order needs a provider")
        self.members = [Member(name, provider) for name, provider in members]
        self._cool_down = cool_down or CoolDown()

    def at(self, now: float) -> list[Member[T]]:
        """All of them in the order in which to ask: those that rest come last, soonest back first.

        None is left out: when all of them rest, trying is better than silence.
        """
        return sorted(self.members, key=lambda m: max(0.0, m.resting_until - now))

    def worked(self, member: Member[T]) -> None:
        """It answered as it should."""
        member.failures = 0
        member.resting_until = 0.0

    def failed(self, member: Member[T], error: ProviderError, now: float) -> float:
        """It failed; returns for how many seconds it rests."""
        if error.kind in _ABOUT_THE_REQUEST:
            return 0.0
        member.failures += 1
        doubled = self._cool_down.first_s * 2.0 ** min(member.failures - 1, 20)
        rest_s = min(doubled, self._cool_down.longest_s)
        if error.retry_after_s is not None:
            rest_s = min(max(error.retry_after_s, self._cool_down.first_s), self._cool_down.told_s)
        elif error.kind in _LASTING:
            rest_s = max(rest_s, self._cool_down.lasting_s)
        member.resting_until = now + rest_s
        return rest_s


async def opened(providers: Sequence[tuple[str, Awaitable[P]]]) -> list[tuple[str, P]]:
    """Wait until all are there. If one fails, the others are closed again and its error raised."""
    results = await asyncio.gather(*(coming for _, coming in providers), return_exceptions=True)
    there = [result for result in results if not isinstance(result, BaseException)]
    if len(there) < len(results):
        await asyncio.gather(*(provider.close() for provider in there), return_exceptions=True)
        raise next(result for result in results if isinstance(result, BaseException))
    return [(name, provider) for (name, _), provider in zip(providers, there, strict=True)]
