"""A time limit for one wait after another, such as for each of many messages."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """As `asyncio.timeout`, but it can be used again, and then costs next to nothing.

        with deadline.within(60.0):
            message = await receive()

    A timer for each message would be made and thrown away fifty times a second. Here one timer
    stays; when it fires, it looks which wait is under way and how long that still has. One wait at
    a time. Raises TimeoutError.
    """

    __slots__ = ("_at", "_cancelling", "_fired", "_fires_at", "_loop", "_task", "_timer")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # known from the first wait on
        self._task: asyncio.Task[object] | None = None  # the one that waits
        self._cancelling = 0  # requests to cancel it that were there before ours
        self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = 0.0
        self._fired = False

    def within(self, seconds: float) -> Deadline:
        """Give the wait that comes next so long."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._at = self._loop.time() + seconds
        return self

    def expire(self) -> None:
        """The wait under way, if any, is over time now."""
        if self._task is not None and self._loop is not None:
            self._arm(self._loop, self._loop.time())

    def close(self) -> None:
        """Drop the timer. A later wait makes a new one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        assert self._task is not None, "a deadline needs a task"
        assert self._loop is not None, "use `within`"
        self._cancelling = self._task.cancelling()
        if self._timer is None or self._fires_at > self._at:
            self._arm(self._loop, self._at)

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self._fired:
            return
        self._fired = False
        assert task is not None
        # If somebody else cancelled the task as well, it is theirs.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError

    def _arm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        self.close()
        self._at = self._fires_at = at
        self._timer = loop.call_at(at, self._fire, loop)

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._task is None or self._fired:
            return
        if loop.time() < self._at:
            self._arm(loop, self._at)
        else:
            self._fired = True
            self._task.cancel()
