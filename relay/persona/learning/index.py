"""Finds among many lines those that are most like one: TF-IDF over short pieces, in numpy.

Pieces are those by which the embedded brain matches too (`relay.llm.local.text.grams`: Korean by
jamo), so that what recognition gets slightly wrong is found all the same. They are hashed into
buckets, so there is no vocabulary to load; that two share a bucket now and then costs a little
precision and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relay.llm.local.text import grams, normalise

_BUCKETS = 1 << 18

#: Entries that one search reads at most, those of rare pieces first. It bounds the time: about
#: 1 ms, however many lines there are.
SEARCH_ENTRIES = 100_000

#: Of a text that is searched for; what is longer is cut.
_MAX_CHARS = 300


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no equality that is one bool
class Index:
    """For each bucket the numbers of the lines that have a piece in it."""

    starts: NDArray[np.int32]  #: of a bucket's entries; _BUCKETS + 1 of them
    entries: NDArray[np.int32]  #: numbers of lines
    lengths: NDArray[np.float32]  #: of the lines as vectors, never 0

    @classmethod
    def of(cls, lines: Sequence[str]) -> Index:
        """Index lines; some ten seconds for 100,000."""
        buckets = [_buckets_of(line) for line in lines]
        counts = np.fromiter(map(len, buckets), np.int64, len(buckets))
        numbers = np.repeat(np.arange(len(lines), dtype=np.int32), counts)
        flat = np.concatenate(buckets) if buckets else np.zeros(0, np.int32)
        order = np.argsort(flat, kind="stable")
        starts = np.zeros(_BUCKETS + 1, np.int32)
        np.cumsum(np.bincount(flat, minlength=_BUCKETS), out=starts[1:])
        telling = _rarity(np.diff(starts), len(lines))
        squares = np.bincount(numbers, telling[flat] ** 2, len(lines))
        lengths = np.sqrt(np.maximum(squares, 1e-6)).astype(np.float32)
        return cls(starts, numbers[order], lengths)

    def nearest(self, text: str, most: int, least: float = 0.0) -> list[tuple[int, float]]:
        """The lines most like `text`: (number, likeness from 0 to 1), the nearest first.

        Lines that are less like it than `least` are left out.
        """
        if not len(self.lengths):
            return []
        wanted = _buckets_of(text[:_MAX_CHARS])
        sizes = self.starts[wanted + 1] - self.starts[wanted]
        weights = _rarity(sizes, len(self.lengths))
        length = float(np.sqrt(np.sum(weights**2)))
        order = np.argsort(sizes, kind="stable")
        order = order[np.cumsum(sizes[order]) <= SEARCH_ENTRIES]
        lists = [
            self.entries[self.starts[bucket] : self.starts[bucket + 1]] for bucket in wanted[order]
        ]
        if not lists or length == 0.0:
            return []
        each = np.repeat(weights[order] ** 2, sizes[order])
        scores = np.bincount(np.concatenate(lists), each, len(self.lengths))
        scores = scores / (self.lengths * length)
        best = np.argpartition(scores, -min(most, len(scores)))[-min(most, len(scores)) :]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [(int(i), float(scores[i])) for i in best if scores[i] >= least and scores[i] > 0]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is to be stored of it."""
        return {"starts": self.starts, "entries": self.entries, "lengths": self.lengths}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], lines: int) -> Index:
        """Take it from a file. Raises ValueError or KeyError if it is none for so many lines."""
        index = cls(arrays["starts"], arrays["entries"], arrays["lengths"])
        if (
            [array.dtype.str[1:] for array in (index.starts, index.entries, index.lengths)]
            != ["i4", "i4", "f4"]
            or index.starts.shape != (_BUCKETS + 1,)
            or index.lengths.shape != (lines,)
            or index.entries.ndim != 1
            or index.starts[0] != 0
            or index.starts[-1] != len(index.entries)
            or np.any(np.diff(index.starts) < 0)
            or (len(index.entries) and not 0 <= index.entries.min() <= index.entries.max() < lines)
            or not np.all(index.lengths > 0)
        ):
            raise ValueError("the index does not fit the lines")
        return index


def likeness(one: NDArray[np.int32], other: NDArray[np.int32]) -> float:
    """How many pieces two lines share, 0 to 1 (Dice)."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return 2 * shared / max(1, len(one) + len(other))


def pieces(text: str) -> NDArray[np.int32]:
    """The pieces of a line, each once, as numbers."""
    return _buckets_of(text[:_MAX_CHARS])


def _buckets_of(text: str) -> NDArray[np.int32]:
    found = {zlib.crc32(gram.encode()) % _BUCKETS for gram in set(grams(normalise(text)))}
    return np.fromiter(sorted(found), np.int32, len(found))


def _rarity(counts: NDArray[np.integer[Any]], lines: int) -> NDArray[np.float64]:
    """Inverse document frequency of pieces that stand in `counts` of all lines; never 0."""
    return np.asarray(np.log((lines + 2) / (counts + 1)), np.float64)
