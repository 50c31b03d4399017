"""How often one doll may have something recognised and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from relay.errors import ErrorKind, ProviderError
from relay.metrics.refusals import Limit, count
from relay.stt.base import Transcript
from relay.wire.limits import TokenBucket

#: Likely ends of an utterance, each of which is recognised early, for one turn. A person who
#: hesitates makes some; a doll that makes more waits for the true end.
_EARLY = 4


class Allowance:
    """One for a session. What is over it costs no model anything, and the doll says so."""

    def __init__(self, turns_per_min: float, now: Callable[[], float]) -> None:
        """`now` gives seconds of a clock that does not go back."""
        self._now = now
        rate, burst = turns_per_min / 60, max(1.0, 2 * turns_per_min)
        self._turns = TokenBucket(rate, burst, now())
        self._early = TokenBucket(_EARLY * rate, _EARLY * burst, now())

    def turn(self) -> bool:
        """Whether one more turn may be answered."""
        if self._turns.take(1, self._now()):
            return True
        count(Limit.TURNS)
        return False

    def recognition(self) -> bool:
        """Whether an utterance may be recognised before it is certain that it has ended."""
        return self._early.take(1, self._now())

    def refusal(self) -> asyncio.Task[Transcript]:
        """In the place of a recognition: the turn says that there were too many."""
        task = asyncio.create_task(_refuse())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, if alone
        return task


async def _refuse() -> Transcript:
    raise ProviderError(ErrorKind.RATE, "more turns than limits.turns_per_min")
