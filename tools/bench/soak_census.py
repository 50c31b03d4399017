"""What this process holds: memory, tasks, threads, files, and containers that only grow."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil

_CONTAINERS = (dict, list, set, deque)
_SMALLEST = 8  #: a container below this is not looked at


@dataclass(frozen=True, slots=True)
class Sample:
    """One look, after the garbage was collected."""

    tasks: int
    threads: int
    files: int
    traced_bytes: int  #: by tracemalloc, if it runs
    rss_bytes: int


def look() -> Sample:
    """Collect the garbage, and count. Takes some tenths of a second."""
    gc.collect()
    process = psutil.Process()
    return Sample(
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        files=process.num_fds(),
        traced_bytes=tracemalloc.get_traced_memory()[0],
        rss_bytes=process.memory_info().rss,
    )


@dataclass(slots=True)
class Growers:
    """Containers that were larger at each look than at the one before."""

    looks: int = 0
    _sizes: dict[int, list[int]] = field(default_factory=dict)  #: by `id`

    def look(self) -> None:
        """Call with the garbage collected. One that shrank or stayed is not looked at again."""
        own = {id(self._sizes), id(gc.garbage)}
        now = {
            id(found): len(found)
            for found in _containers()
            if len(found) >= _SMALLEST and id(found) not in own
        }
        if not self.looks:
            self._sizes = {key: [size] for key, size in now.items()}
        else:
            self._sizes = {
                key: [*sizes, now[key]]
                for key, sizes in self._sizes.items()
                if now.get(key, 0) > sizes[-1]
            }
        self.looks += 1

    def found(self, most: int = 5) -> list[str]:
        """What has grown at every look since the first, the fastest first; for a person."""
        alive = {id(found): found for found in _containers() if id(found) in self._sizes}
        ranked = sorted(self._sizes.items(), key=lambda one: one[1][0] - one[1][-1])
        return [
            f"{_name(alive[key])}: {sizes[0]} to {sizes[-1]}"
            for key, sizes in ranked[:most]
            if key in alive and len(sizes) > 1
        ]


def _containers() -> Iterator[Any]:
    """All of them, some more than once. The collector does not follow a dict of plain values, so
    that is found by whoever holds it."""
    for found in gc.get_objects():
        if isinstance(found, _CONTAINERS):
            yield found
        for held in gc.get_referents(found):
            if type(held) is dict:
                yield held


def _name(found: Any) -> str:
    """Whose it is: the object and attribute that hold it, as far as that can be seen."""
    for holder in gc.get_referrers(found):
        if isinstance(holder, dict):
            for key, value in list(holder.items()):
                if value is found and isinstance(key, str):
                    return f"{type(found).__name__} {holder.get('__name__', '')}.{key}"
        else:
            for key in (*getattr(holder, "__dict__", {}), *getattr(holder, "__slots__", ())):
                if isinstance(key, str) and getattr(holder, key, None) is found:
                    return f"{type(found).__name__} {type(holder).__name__}.{key}"
    return type(found).__name__
