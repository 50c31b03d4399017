"""The largest number that still passes, found in few trials. Sans-I/O."""

from __future__ import annotations

#: Two numbers closer together than this part of them are not told apart.
RESOLUTION = 0.05


class Search:
    """Bisection that begins with a guess: while nothing has failed, it goes on to larger numbers,
    and while nothing has passed, to smaller ones."""

    def __init__(self, guess: int, *, most: int, resolution: float = RESOLUTION) -> None:
        """`most` is the largest number that is tried."""
        self._most = most
        self._resolution = resolution
        self._next = max(1, min(guess, most))
        self.passed = 0  #: the largest that has
        self._failed: int | None = None  # the smallest that has

    @property
    def next(self) -> int | None:
        """What to try; None once the answer is known."""
        return None if self._over() else self._next

    def tell(self, passed: bool, guess: int | None = None) -> None:
        """How the trial of `next` went; with a better guess, as long as there is only one side."""
        tried = self._next
        if passed:
            self.passed = max(self.passed, tried)
        else:
            self._failed = tried if self._failed is None else min(self._failed, tried)
        if self._failed is None:
            self._next = min(self._most, max(tried + 1, guess or round(tried * 1.25)))
        elif not self.passed:
            self._next = max(1, int(tried * 0.75))
        else:
            self._next = (self.passed + self._failed) // 2

    def _over(self) -> bool:
        if self._failed is None:
            return self.passed >= self._most
        if self._failed <= 1:
            return True
        step = max(1.0, self._resolution * self._failed)
        return self.passed > 0 and self._failed - self.passed <= step
