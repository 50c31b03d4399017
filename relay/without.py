"""Imports a package as if some others, which it would take along, were not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Within, none of `packages` can be imported for the first time; after it, all of them can.

    For packages that look at what is there (`try: import X`), do without it, and are imported for
    the first time here. What is loaded already stays.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: there is no such
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
