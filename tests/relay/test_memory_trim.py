"""Freed memory goes back to the system."""

from __future__ import annotations

import sys

import numpy as np
import psutil
import pytest

from relay.memory_trim import trim


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_what_was_freed_in_small_blocks_is_given_back() -> None:
    process = psutil.Process()
    # Below the size from which glibc asks the system for each block; one at the end stays.
    blocks = [np.ones(12_000) for _ in range(1_000)]
    last = np.ones(12_000)
    full = process.memory_info().rss
    blocks.clear()
    trim()
    assert full - process.memory_info().rss > 60 << 20
    assert last.sum() == 12_000


def test_it_may_be_called_anywhere() -> None:
    trim()
    trim()
