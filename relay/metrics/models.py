"""The models whose names may become labels: those of the configured chain, and no others."""

from __future__ import annotations

from collections.abc import Iterable

#: For a turn that no model answered, and for a name that is none of ours.
NONE, OTHER = "none", "other"

_known = {NONE, OTHER}


def know(names: Iterable[str]) -> None:
    """These are the chain's, and the embedded brain's."""
    _known.update(names)


def label(model: str) -> str:
    """What stands for a model in a label."""
    return model if model in _known else OTHER
