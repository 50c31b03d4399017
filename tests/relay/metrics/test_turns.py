"""What turns leave behind in the counters; those of a session run in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.llm.chain import LOCAL
from relay.metrics import models, turns
from relay.services import Services
from relay.turn.ended import Outcome, TurnEnded
from relay.turn.timeline import Timeline
from relay.wire.messages import Abort, Listen
from tests.fakes.cloud import Cloud
from tests.fakes.connection import QUIET, FakeConnection
from tests.fakes.session import talking
from tests.relay.metrics.conftest import Grown, sample

pytestmark = pytest.mark.virtual_time

STAGE = "doll_turn_stage_seconds"
RESPONSE = "doll_turn_response_seconds"


def ended(**more: object) -> TurnEnded:
    given = {"device_id": "d", "turn": 1, "timeline": Timeline(), "ended_at": 0.0}
    return TurnEnded(**{**given, "outcome": Outcome.ANSWERED, **more})  # type: ignore[arg-type]


async def test_a_turn_is_counted_with_its_stages(services: Services, grown: Grown) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert grown("doll_turns_total", outcome="answered") == 1
    for stage in ("speech", "endpoint", "recognition", "model", "clause", "voice", "speaking"):
        assert grown(f"{STAGE}_count", stage=stage) == 1, stage
    assert grown(f"{STAGE}_count", stage="quota") == 0
    # Two clauses, paced; the last frames wait for one another, to leave in a group.
    assert grown(f"{STAGE}_sum", stage="speaking") == pytest.approx(0.456)
    assert grown(f"{RESPONSE}_count", sound="first") == grown(f"{RESPONSE}_count", sound="answer")


async def test_a_failure_is_counted_by_its_kind_and_is_no_answer(
    services: Services, grown: Grown
) -> None:
    services.stt.error = ProviderError(ErrorKind.SERVER, "no ears")
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert grown("doll_turns_total", outcome="failed") == 1
    assert grown("doll_turn_failures_total", kind="server") == 1
    assert grown(f"{RESPONSE}_count", sound="answer") == 0
    assert grown(f"{RESPONSE}_count", sound="first") == 1
    assert grown("doll_answers_total", model="none") == 1


async def test_a_bug_is_counted_as_one(services: Services, grown: Grown) -> None:
    services.stt.error = ZeroDivisionError("a bug")
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert grown("doll_turn_failures_total", kind="internal") == 1


async def test_nothing_understood_is_no_failure(services: Services, grown: Grown) -> None:
    services.stt.text = ""
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert grown("doll_turns_total", outcome="not_heard") == 1
    assert grown("doll_turns_total", outcome="failed") == 0


async def test_a_barge_in_is_counted_by_what_the_doll_was_at(
    services: Services, grown: Grown
) -> None:
    services.tts.seconds_per_clause = 5.0
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_frame()
        doll.say(Abort())
        await doll.until_stop()
        services.brain.tail.first_delay_s = 30.0
        await doll.ask()
        await asyncio.sleep(0.5)
        doll.say(Listen(state="start", mode="manual"))
        await doll.until_stop(2)
        doll.say(Abort())  # nobody is interrupted
        await asyncio.sleep(0.1)
    assert grown("doll_barge_ins_total", interrupted="speaking") == 1
    assert grown("doll_barge_ins_total", interrupted="thinking") == 1
    assert grown("doll_turns_total", outcome="cut") == 2


async def test_a_doll_that_leaves_interrupts_nobody(services: Services, grown: Grown) -> None:
    services.tts.seconds_per_clause = 5.0
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_frame()
    assert grown("doll_turns_total", outcome="cut") == 1
    assert grown("doll_barge_ins_total", interrupted="speaking") == 0


async def test_fillers_models_and_their_failures_are_counted(cloud: Cloud, grown: Grown) -> None:
    models.know(["lite", "older"])
    cloud.models[0].error = ProviderError(ErrorKind.SERVER, "overloaded")
    cloud.models[1].first_delay_s = 4.0
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await doll.ask()
        await doll.until_stop()
    assert grown("doll_fillers_total") == 1
    assert grown("doll_answers_total", model="older") == 1
    assert grown("doll_model_failures_total", model="lite", kind="server") == 1
    assert grown(f"{STAGE}_count", stage="quota") == 1


async def test_work_that_is_begun_early_is_counted_and_whether_it_was_of_use(
    cloud: Cloud, grown: Grown
) -> None:
    cloud.services.stt.text = "오늘 뭐 했어?"
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(1.0)
        await doll.speak(0.25, QUIET)  # likely the end, and then it goes on
        await doll.speak(0.5)
        await doll.speak(1.5, QUIET)
        await doll.until_stop()
    assert grown("doll_early_begun_total", work="recognition") == 2
    assert grown("doll_early_used_total", work="recognition") == 1
    assert grown("doll_early_begun_total", work="answer") >= 1
    assert grown("doll_early_used_total", work="answer") == 1


async def test_no_name_from_outside_becomes_a_label(grown: Grown) -> None:
    models.know([LOCAL])
    for number in range(1000):
        hostile = f'{number}"}}\n# HELP {{x="'
        turns.observe(ended(model=hostile, device_id=hostile, language=hostile))
        turns.observe(ended(outcome=Outcome.FAILED, failure=hostile))
    assert grown("doll_answers_total", model="other") == 1000
    assert grown("doll_answers_total", model="none") == 1000
    assert grown("doll_turn_failures_total", kind="internal") == 1000
    assert sample("doll_answers_total", model=hostile) is None


async def test_an_onlooker_that_fails_is_nothing_to_the_turn(services: Services) -> None:
    seen: list[TurnEnded] = []

    def broken(_: TurnEnded) -> None:
        raise ZeroDivisionError("a bug")

    services.onlookers[:] = [broken, seen.append]
    doll = FakeConnection()
    async with talking(services, doll):
        for number in (1, 2):
            await doll.ask()
            await doll.until_stop(number)
    assert [one.turn for one in seen] == [1, 2]
    assert doll.states[-1] == "stop"
    assert seen[0].device_id == doll.device_id
