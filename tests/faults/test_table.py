"""Whatever breaks, the doll talks again: real firmware, a real relay process, and what broke it."""

from __future__ import annotations

import pytest

from tools.faults.outcome import Fault, SkippedError
from tools.faults.table import FAULTS, run

QUICK = [fault for fault in FAULTS if fault.quick]
LONG = [fault for fault in FAULTS if not fault.quick]


async def assert_all_is_well_after(fault: Fault) -> None:
    ((_, came),) = await run([fault])
    if isinstance(came, SkippedError):
        pytest.skip(f"NOT TRIED: {fault.name}: {came}")
    assert came.missed() == [], came


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
async def test_the_doll_talks_again_soon_and_nothing_is_lost_that_need_not_be(fault: Fault) -> None:
    await assert_all_is_well_after(fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", LONG, ids=lambda fault: fault.name)
async def test_the_same_for_what_takes_longer_to_break(fault: Fault) -> None:
    await assert_all_is_well_after(fault)
