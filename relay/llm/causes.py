"""Why no model of a chain has answered a turn, in one word, and until when."""

from __future__ import annotations

from relay.errors import ErrorKind, ProviderError
from relay.llm.admission import Search
from relay.llm.policy import Trouble
from relay.quota.base import Later

_USED_UP = (Trouble.RATE, Trouble.QUOTA)


class Causes:
    """What went wrong in one turn: the failures of models, and what the quotas said to `search`."""

    def __init__(self, search: Search, now: float) -> None:
        """`now` is Unix time."""
        self.errors: list[ProviderError] = []
        self._search = search
        self._now = now

    @property
    def trouble(self) -> Trouble:
        """The one to name: what the owner can mend, then what has just failed, then the quotas."""
        troubles = [Trouble.of(error) for error in self.errors]
        if Trouble.AUTH in troubles:
            return Trouble.AUTH
        if failures := [trouble for trouble in troubles if trouble not in _USED_UP]:
            return failures[-1]
        refusals = self._search.refusals
        if Trouble.RATE in troubles or any(isinstance(told, Later) for told in refusals):
            return Trouble.RATE
        return Trouble.QUOTA if troubles or refusals else Trouble.GONE

    @property
    def back_at(self) -> float | None:
        """When a model may be asked again, in Unix time, if that is what is waited for."""
        if self.trouble not in _USED_UP:
            return None
        hints = [e.retry_after_s for e in self.errors if e.retry_after_s is not None]
        times = [self._now + hint for hint in hints]
        if (told := self._search.back_at(self._now)) is not None:
            times.append(told)
        return min(times, default=None)

    def as_error(self) -> ProviderError:
        """The same for a turn that nobody answers at all."""
        trouble, back_at = self.trouble, self.back_at
        kind = ErrorKind.SERVER if trouble is Trouble.GONE else ErrorKind(trouble.value)
        wait_s = None if back_at is None else max(0.0, back_at - self._now)
        return ProviderError(kind, "No model could be asked.", retry_after_s=wait_s)
