"""Whether something stays as large as it is: the slope of its samples, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

#: This part of the samples is warm-up: caches fill, tables grow to their size.
WARM_UP = 1 / 3

#: One-sided: so sure is it that the true slope is not above the bound.
CONFIDENCE = 0.95

_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth of y for one of x, by least squares."""

    mean: float
    upper: float  #: one-sided bound of `CONFIDENCE`, by Student's t
    samples: int  #: behind the warm-up


def slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """The slope behind the warm-up. Raises ValueError where there is too little to tell by.

    The errors are taken for independent, which holds for samples in the same state (everybody has
    left, and the garbage is collected), and not for ones that are taken any time.
    """
    skip = math.floor(len(x) * WARM_UP)
    x, y = x[skip:], y[skip:]
    count = len(x)
    if count < _FEWEST:
        raise ValueError(f"{count} samples behind the warm-up tell nothing: {_FEWEST} are needed")
    middle, height = sum(x) / count, sum(y) / count
    spread = sum((a - middle) ** 2 for a in x)
    if spread == 0:
        raise ValueError("nothing happened between the samples")
    pairs = list(zip(x, y, strict=True))
    mean = sum((a - middle) * (b - height) for a, b in pairs) / spread
    rest = sum((b - height - mean * (a - middle)) ** 2 for a, b in pairs)
    error = math.sqrt(rest / (count - 2) / spread)
    return Slope(mean, mean + _t(count - 2) * error, count)


def _t(freedom: int) -> float:
    """Student's t at `CONFIDENCE`: the expansion of Abramowitz and Stegun 26.7.5, right to a per
    cent from 3 degrees of freedom on."""
    z = NormalDist().inv_cdf(CONFIDENCE)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
