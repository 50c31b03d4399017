"""Chooses among the ways to say a thing, and never the one that was said last."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from relay.llm.base import Message
from relay.llm.local.text import normalise

_PART = 12  # characters by which a reply that was cut off is still known


def choose(variants: Sequence[str], history: Sequence[Message], text: str) -> str:
    """One of `variants`: one that was not said yet, else the one said longest ago.

    Chance would not be repeatable and a counter would be state, so the request itself decides.
    """
    said = _said(history)
    ages = [_age(normalise(variant), said) for variant in variants]
    oldest = max(ages)
    fresh = [variant for variant, age in zip(variants, ages, strict=True) if age == oldest]
    return fresh[zlib.crc32(f"{len(history)} {text}".encode()) % len(fresh)]


def last_said(history: Sequence[Message]) -> str:
    """The doll's last words, empty if there were none."""
    spoken = (message.text for message in reversed(history) if message.role == "assistant")
    return next(spoken, "")


def said_one_of(history: Sequence[Message], variants: Sequence[str]) -> bool:
    """Whether the doll's last words are (the beginning of) one of these."""
    line = normalise(last_said(history))
    return any(_same(line, normalise(variant)) for variant in variants)


def _said(history: Sequence[Message]) -> list[str]:
    """The doll's lines, the newest first."""
    return [normalise(line.text) for line in reversed(history) if line.role == "assistant"]


def _age(variant: str, said: Sequence[str]) -> int:
    """How many lines ago it was said; more than there are if it was not."""
    return next((age for age, line in enumerate(said) if _same(line, variant)), len(said))


def _same(line: str, variant: str) -> bool:
    """An interrupted reply is remembered as far as it was spoken."""
    return line == variant or (len(line) >= _PART and variant.startswith(line))
