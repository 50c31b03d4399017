"""Which model answers, in virtual time: what the quotas say, and each row of the table."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.admission import Link
from relay.llm.base import Emotion, MemoryNote
from relay.llm.chain import LOCAL, Chain
from relay.llm.events import Answering, Event, Waiting
from relay.llm.gemini_errors import Limit, OverLimitError, Refusal
from relay.llm.policy import RULES, Trouble
from relay.quota.base import Admission, Later, NotToday, Now, SupersededError
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.metered import TOKENS, FakeMeteredModel
from tests.fakes.quota import ScriptedQuota
from tests.relay.llm.contract import request
from tools.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.virtual_time

REQUEST = request("안녕?")
NOW = REQUEST.now.timestamp()
ERRORS: dict[Trouble, ProviderError] = {
    **{Trouble(kind.value): ProviderError(kind, "as the test says") for kind in ErrorKind},
    Trouble.GONE: ModelGoneError("404"),
}


class Brain:
    """A chain of three models with one quota, and the small brain behind them."""

    def __init__(self, **admissions: Admission) -> None:
        self.quota = ScriptedQuota(**admissions)
        self.models = [FakeMeteredModel(name) for name in ("lite", "older", "flash")]
        self.tail = FakeLanguageModel(["작은 머리야."])
        links = [Link(model, self.quota, "gemini") for model in self.models]
        self.chain = Chain(links, tail=self.tail)
        self.events: list[Event] = []

    async def ask(self, doll: str = "doll-1") -> str:
        """The text of the answer; all events are in `events`."""
        self.events = []
        async with aclosing(self.chain.answer(REQUEST, doll=doll)) as answer:
            async for event in answer:
                self.events.append(event)
        assert self.quota.open_places == 0
        assert all(model.open == 0 for model in self.models)
        return "".join(event for event in self.events if isinstance(event, str))

    @property
    def answering(self) -> Answering:
        return [event for event in self.events if isinstance(event, Answering)][-1]

    @property
    def waits(self) -> list[float]:
        return [event.seconds for event in self.events if isinstance(event, Waiting)]

    @property
    def sent(self) -> list[str]:
        """The models that requests went to."""
        return [grant.model for grant in self.quota.granted]


def now() -> float:
    return asyncio.get_running_loop().time()


# What the quotas say.


async def test_the_first_model_answers_when_it_is_free() -> None:
    brain = Brain()
    assert await brain.ask() == "구름 위에서 대답해."
    assert brain.answering == Answering("lite", granted_at=0.0)
    assert brain.sent == ["lite"]
    assert brain.quota.asked == ["lite"]
    assert brain.quota.answers == ["lite"]
    assert brain.quota.granted[0].tokens == TOKENS


async def test_two_seconds_are_waited_for_in_silence() -> None:
    brain = Brain(lite=Later(2.0))
    await brain.ask()
    assert brain.answering == Answering("lite", granted_at=2.0)
    assert brain.waits == []


async def test_a_model_that_is_free_now_is_preferred_to_a_wait_that_is_noticed() -> None:
    brain = Brain(lite=Later(2.1), older=Later(9.0))
    await brain.ask()
    assert brain.answering == Answering("flash", granted_at=0.0)
    assert brain.waits == []


async def test_without_a_free_one_the_shortest_wait_is_announced() -> None:
    brain = Brain(lite=Later(14.0), older=Later(6.0), flash=Later(9.0))
    await brain.ask()
    assert brain.waits == [6.0]
    assert brain.answering == Answering("older", granted_at=6.0)


async def test_nobody_waits_longer_than_fifteen_seconds() -> None:
    brain = Brain(lite=Later(15.1), older=NotToday(NOW + 7_200), flash=NotToday(None))
    assert await brain.ask() == "작은 머리야."
    assert now() == 0.0
    assert brain.sent == []
    outage = brain.answering.outage
    assert outage is not None
    assert outage.trouble is Trouble.RATE
    assert outage.back_at == NOW + 15.1


async def test_used_up_for_today_says_when_the_first_is_back() -> None:
    brain = Brain(lite=NotToday(NOW + 7_200), older=NotToday(None), flash=NotToday(NOW + 9_000))
    await brain.ask()
    assert brain.answering.model == LOCAL
    outage = brain.answering.outage
    assert outage is not None
    assert (outage.trouble, outage.back_at) == (Trouble.QUOTA, NOW + 7_200)


async def test_a_wait_that_grows_too_long_goes_to_the_next_model() -> None:
    brain = Brain(lite=Later(1.0))
    brain.quota.late_s = 60.0
    await brain.ask()
    assert brain.answering == Answering("older", granted_at=15.0)


async def test_an_allowance_that_ends_during_the_wait_goes_to_the_next_model() -> None:
    brain = Brain(lite=Later(1.0))
    asyncio.get_running_loop().call_later(0.5, _end, brain.quota)
    brain.models[0].requests_per_answer = 2
    await brain.ask()
    assert brain.sent == ["lite", "older"]
    assert brain.answering.model == "older"


def _end(quota: ScriptedQuota) -> None:
    quota.admissions["lite"] = NotToday(None)


async def test_a_question_that_is_sent_twice_is_two_requests() -> None:
    brain = Brain()
    brain.models[0].requests_per_answer = 2
    await brain.ask()
    assert brain.sent == ["lite", "lite"]


async def test_a_newer_question_ends_this_one() -> None:
    brain = Brain()
    brain.quota.error = SupersededError()
    with pytest.raises(SupersededError):
        await brain.ask()
    assert brain.tail.requests == []


# What is done about failures.


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_each_failure_is_followed_as_its_row_says(trouble: Trouble) -> None:
    brain = Brain()
    if trouble is Trouble.QUOTA:
        brain.quota.after_refusal = NotToday(None)
    for model in brain.models:
        model.error = ERRORS[trouble]
    if trouble is Trouble.BLOCKED:
        with pytest.raises(ProviderError) as caught:
            await brain.ask()
        assert caught.value.kind is ErrorKind.BLOCKED
        assert brain.tail.requests == []
    else:
        assert await brain.ask() == "작은 머리야."
        outage = brain.answering.outage
        assert outage is not None
        assert outage.trouble is trouble
    tried = {"no": 1, "one more": 2, "yes": 3}[RULES[trouble].elsewhere.value]
    assert brain.sent == ["lite", "older", "flash"][:tried]


async def test_a_refusal_teaches_the_quota_and_tells_when_the_model_is_back() -> None:
    brain = Brain(older=NotToday(None), flash=NotToday(None))
    refusal = Refusal(Limit.DAY, 500, None)
    brain.models[0].error = OverLimitError(ErrorKind.QUOTA, "429", refusal)
    brain.quota.after_refusal = NotToday(NOW + 3_600)
    await brain.ask()
    assert brain.quota.refusals == [("lite", refusal)]
    outage = brain.answering.outage
    assert outage is not None
    assert (outage.trouble, outage.back_at) == (Trouble.QUOTA, NOW + 3_600)


async def test_an_overloaded_model_is_reported_and_another_one_answers() -> None:
    brain = Brain()
    brain.models[0].error = ERRORS[Trouble.SERVER]
    assert await brain.ask() == "구름 위에서 대답해."
    assert brain.quota.failures == ["lite"]
    assert brain.answering.model == "older"


async def test_a_retired_model_is_warned_about_once_and_never_asked_again() -> None:
    brain = Brain()
    brain.models[0].error = ERRORS[Trouble.GONE]
    await brain.ask()
    await brain.ask()
    assert brain.sent == ["lite", "older", "older"]
    assert brain.quota.gone == ["lite"]


async def test_a_wrong_key_costs_one_request_in_five_minutes() -> None:
    brain = Brain()
    for model in brain.models:
        model.error = ERRORS[Trouble.AUTH]
    await brain.ask()
    await asyncio.sleep(299)
    await brain.ask()
    assert brain.sent == ["lite"]
    outage = brain.answering.outage
    assert outage is not None
    assert outage.trouble is Trouble.AUTH
    await asyncio.sleep(2)
    brain.models[0].error = None
    assert await brain.ask() == "구름 위에서 대답해."


async def test_with_a_bug_in_one_model_another_one_answers() -> None:
    brain = Brain()
    brain.models[0].error = ZeroDivisionError("a bug")
    assert await brain.ask() == "구름 위에서 대답해."
    assert brain.sent == ["lite", "older"]
    assert brain.quota.failures == ["lite"]


async def test_after_the_first_words_nobody_else_is_asked() -> None:
    brain = Brain()
    brain.models[0].error, brain.models[0].error_after = ERRORS[Trouble.SERVER], 1
    with pytest.raises(ProviderError):
        await brain.ask()
    assert [event for event in brain.events if isinstance(event, str)] == ["구름 위에서 "]
    assert brain.sent == ["lite"]
    assert brain.quota.failures == ["lite"]


async def test_what_a_failed_model_felt_is_not_passed_on() -> None:
    brain = Brain()
    brain.models[0].parts = [Emotion("angry"), " ", "안 나와."]
    brain.models[0].error, brain.models[0].error_after = ERRORS[Trouble.NETWORK], 2
    brain.models[1].parts = [Emotion("happy"), "응.", MemoryNote("진주는 고양이를 키운다.")]
    await brain.ask()
    assert [event for event in brain.events if not isinstance(event, Answering)] == [
        Emotion("happy"), "응.", MemoryNote("진주는 고양이를 키운다."),
    ]  # fmt: skip


async def test_a_model_that_says_nothing_has_failed() -> None:
    brain = Brain()
    brain.models[0].parts = [Emotion("happy"), " \n"]
    assert await brain.ask() == "구름 위에서 대답해."
    assert brain.quota.failures == ["lite"]


async def test_only_the_first_answer_of_an_outage_is_news() -> None:
    brain = Brain(lite=NotToday(None), older=NotToday(None), flash=NotToday(None))
    news = []
    for doll in ("doll-1", "doll-1", "doll-2"):
        await brain.ask(doll)
        assert brain.answering.outage is not None
        news.append(brain.answering.outage.news)
    assert news == [True, False, True]


async def test_a_small_brain_by_choice_is_no_outage() -> None:
    chain = Chain(tail=FakeLanguageModel(["안녕."]))
    async with aclosing(chain.answer(REQUEST, doll="doll-1")) as answer:
        assert [event async for event in answer] == [Answering(LOCAL), "안녕."]


async def test_with_nobody_left_it_says_when_to_come_back() -> None:
    quota = ScriptedQuota(lite=NotToday(NOW + 60))
    chain = Chain([Link(FakeMeteredModel("lite"), quota)])
    with pytest.raises(ProviderError) as caught:
        async for _ in chain.answer(REQUEST, doll="doll-1"):
            pass
    assert caught.value.kind is ErrorKind.QUOTA
    assert caught.value.retry_after_s == pytest.approx(60)


async def test_an_answer_that_nobody_wants_any_more_ends_its_request() -> None:
    brain = Brain()
    answer = brain.chain.answer(replace(REQUEST), doll="doll-1")
    async for event in answer:
        if isinstance(event, str):
            break
    assert brain.models[0].open == 1
    await answer.aclose()
    assert brain.models[0].open == 0
    assert brain.quota.open_places == 0


async def test_it_closes_what_it_was_given() -> None:
    brain = Brain()
    await brain.chain.close()
    assert brain.quota.closed
    assert brain.tail.closed
    assert all(model.closed for model in brain.models)


ADMISSIONS = st.one_of(
    st.just(Now()),
    st.floats(0, 40).map(Later),
    st.one_of(st.none(), st.floats(NOW, NOW + 1e5)).map(NotToday),
)
FAILURES = st.sampled_from([None, *(t for t in Trouble if t is not Trouble.BLOCKED)])


@settings(max_examples=200, deadline=None)
@given(
    admissions=st.lists(ADMISSIONS, min_size=3, max_size=3),
    failures=st.lists(FAILURES, min_size=3, max_size=3),
    late_s=st.sampled_from([0.0, 0.5, 60.0]),
)
def test_there_is_always_an_answer_within_bounds(
    admissions: list[Admission], failures: list[Trouble | None], late_s: float
) -> None:
    async def run() -> None:
        brain = Brain(**dict(zip(("lite", "older", "flash"), admissions, strict=True)))
        brain.quota.late_s = late_s
        for model, failure in zip(brain.models, failures, strict=True):
            model.error = ERRORS[failure] if failure else None
        assert await brain.ask() in ("구름 위에서 대답해.", "작은 머리야.")
        assert now() <= 3 * 15.0 + 1e-6
        assert len(brain.sent) == len(set(brain.sent))  # no model is asked twice
        assert len(brain.quota.failures) <= 2  # one more attempt, and no third

    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
