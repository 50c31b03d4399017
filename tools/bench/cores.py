"""Who runs where, and how much processor time it takes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import psutil


@contextlib.contextmanager
def apart() -> Iterator[int | None]:
    """Keep this process off the core that it gives; what is measured is started on it by `on`.

    None where there is only one core, or where processes cannot be pinned.
    """
    if not hasattr(os, "sched_setaffinity") or len(cores := os.sched_getaffinity(0)) < 2:
        yield None
        return
    core = min(cores)
    os.sched_setaffinity(0, cores - {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, cores)


@contextlib.contextmanager
def on(core: int | None) -> Iterator[None]:
    """Processes that are started within run on `core`, all of their threads."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Used:
    """Processor time over some seconds, of a process and its children, all of their threads."""

    cpu_s: float
    wall_s: float
    others_s: float  #: of the same core, by everybody else (0 where it is not pinned)
    each_s: tuple[float, ...] = ()  #: of each process by itself


class Meter:
    """Counts from where it is made, and anew from each `read`. Children that come later are not
    counted."""

    def __init__(self, pid: int, core: int | None) -> None:
        process = psutil.Process(pid)
        self._processes = [process, *process.children(recursive=True)]
        self._core = core
        self._then = self._now()

    def read(self) -> Used:
        before, self._then = self._then, self._now()
        wall, core, *each = (now - then for now, then in zip(self._then, before, strict=True))
        cpu = sum(each)
        return Used(cpu, wall, max(0.0, core - cpu), tuple(each))

    def _now(self) -> tuple[float, ...]:
        busy = 0.0
        if self._core is not None:
            times = psutil.cpu_times(percpu=True)[self._core]
            busy = sum(times) - times.idle - times.iowait
        each = (sum(process.cpu_times()[:2]) for process in self._processes)
        return perf_counter(), busy, *each
