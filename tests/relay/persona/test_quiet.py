from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from relay.persona.quiet import QuietHours


@pytest.mark.parametrize(
    ("start", "end", "quiet", "loud"),
    [
        ((22, 30), (7, 0), [(22, 30), (0, 0), (6, 59)], [(22, 29), (7, 0), (12, 0)]),
        ((13, 0), (15, 0), [(13, 0), (14, 59)], [(12, 59), (15, 0), (0, 0)]),
    ],
)
def test_it_is_quiet_from_the_first_time_to_just_before_the_second(
    start: tuple[int, int],
    end: tuple[int, int],
    quiet: list[tuple[int, int]],
    loud: list[tuple[int, int]],
) -> None:
    hours = QuietHours(time(*start), time(*end))
    day = datetime(2026, 11, 23, tzinfo=UTC)
    for hour, minute in quiet:
        assert hours.at(day.replace(hour=hour, minute=minute)), (hour, minute)
    for hour, minute in loud:
        assert not hours.at(day.replace(hour=hour, minute=minute)), (hour, minute)
