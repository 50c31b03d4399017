"""What all tests share.

A test of code that waits runs in virtual time, where `asyncio.sleep(3600)` returns at once:

    @pytest.mark.virtual_time
    async def test_the_doll_gives_up_after_an_hour() -> None:
        started = asyncio.get_running_loop().time()
        ...
        assert asyncio.get_running_loop().time() - started == 3600

The clock is the loop's `time()`; code under test must not read another. Threads are waited for,
sockets are refused, and a test in which nothing can happen any more fails with `DeadlockError` and
the tasks that wait. `pytestmark = pytest.mark.virtual_time` does it for a module.
"""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop, new_event_loop
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tools.virtual_time import VirtualTimeLoop

# Hypothesis times each example by the clock on the wall, which a busy machine fails.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "virtual_time: runs on a clock that jumps to what comes next"
    )


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """Give marked tests the loop of virtual time, and the others the usual one."""
    virtual = item.get_closest_marker("virtual_time") is not None
    return {"loop": VirtualTimeLoop if virtual else new_event_loop}


@pytest.fixture(autouse=True)
def log_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command under test sets up of the log ends with that test.

    Loggers are not cached either: a cached one would keep that set-up until the process ends, and
    a later test would look in vain for the lines that it writes.
    """
    configure, root = structlog.configure, logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def uncached(**settings: Any) -> None:
        configure(**{**settings, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
