"""A day of many dolls in one time zone: how many talk at the same time, minute by minute.

Each doll is talked with in sessions, as many as a Poisson law gives it, at the hours of
`tools.bench.quota_day`. All begins and ends of a day are put in order, and counted through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.bench.quota_day import HOURS, SESSION_S
from tools.scaling.figures import Usage

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Day:
    """What was counted."""

    most_talking: int
    peak_to_mean: float  #: the most, against the mean of the day
    busiest_hour: float  #: that hour's mean, against the mean of the day
    turns: int


def day(dolls: int, usage: Usage, seed: int = 1) -> Day:
    """One day of so many dolls."""
    dice = np.random.default_rng(seed)
    mean_s = sum(SESSION_S) / 2
    sessions = int(dice.poisson(dolls * usage.minutes_per_day * 60 / mean_s))
    hours = np.array(
        [hour for span, weight in HOURS.items() for hour in span for _ in range(weight)]
    )
    begins = (dice.choice(hours, sessions) + dice.random(sessions)) * 3600
    lasts = dice.uniform(*SESSION_S, sessions)
    # +1 where one begins, -1 where it ends; one that begins late in the day ends on the next.
    moments = np.concatenate([begins, begins + lasts])
    order = np.argsort(moments, kind="stable")
    changes = np.concatenate([np.ones(sessions, np.int32), -np.ones(sessions, np.int32)])[order]
    talking = np.cumsum(changes)
    spans = np.diff(moments[order], append=_DAY_S * 2)
    mean = float(lasts.sum()) / _DAY_S
    hourly = np.bincount((moments[order] // 3600).astype(np.int64), talking * spans) / 3600
    most = int(talking.max(initial=0))
    return Day(
        most_talking=most,
        peak_to_mean=most / mean if mean else 0.0,
        busiest_hour=float(hourly.max(initial=0.0)) / mean if mean else 0.0,
        turns=int(lasts.sum() / 60 * usage.turns_per_minute),
    )
