"""Dialogues from beginning to end, in virtual time; each group of them is a `.scene` file."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.services import Services
from tests.relay.turn.scenarios.stage import Scenario, Stage, read

pytestmark = pytest.mark.virtual_time

FILES = sorted(Path(__file__).parent.glob("*.scene"))
SCENARIOS = [(path.stem, scenario) for path in FILES for scenario in read(path)]


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(scenario, id=f"{group}: {scenario.name}") for group, scenario in SCENARIOS],
)
async def test_a_scenario(services: Services, scenario: Scenario) -> None:
    await Stage(services).play(scenario)


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len(SCENARIOS) >= 30
    assert len({scenario.steps for _, scenario in SCENARIOS}) == len(SCENARIOS)
