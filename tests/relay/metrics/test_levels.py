from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from relay.llm.admission import Link
from relay.metrics import levels
from relay.quota.base import Quota
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import LimitSettings, QuotaSettings
from relay.quota.store import Change, MemoryStore, StoreError, T
from relay.quota.unlimited import Unlimited
from tests.fakes.clocks import loop_clock
from tests.fakes.metered import FakeMeteredModel
from tests.relay.metrics.conftest import sample

pytestmark = pytest.mark.virtual_time

LITE = "gemini-3.5-flash-lite"


def link(quota: Quota, name: str = LITE) -> Link:
    return Link(FakeMeteredModel(name), quota, "gemini")


def scheduler(store: MemoryStore | None = None) -> Scheduler:
    limits = LimitSettings(requests_per_minute=15, requests_per_day=500)
    return Scheduler(
        store or MemoryStore(loop_clock()),
        QuotaSettings(limits={LITE: limits}),
        Pacing(ZoneInfo("America/Los_Angeles")),
    )


async def ask(quota: Quota, model: str = LITE, tokens: int = 100) -> None:
    async with quota.place(model, doll="a", tokens=tokens) as place:
        await place.granted()


async def test_what_is_used_and_left_of_a_model_moves_with_each_request() -> None:
    quota = scheduler()
    for _ in range(3):
        await ask(quota)
    await levels.look(2, [link(quota)])
    assert sample("doll_connected") == 2
    assert sample("doll_quota_used", model=LITE, of="requests_minute") == 3
    assert sample("doll_quota_left", model=LITE, of="requests_minute") == 12
    assert sample("doll_quota_left", model=LITE, of="requests_day") == 497
    assert sample("doll_quota_used", model=LITE, of="tokens_minute") == 300
    assert sample("doll_quota_waiting", model=LITE) == 0
    assert sample("doll_quota_held_seconds", model=LITE) == 0
    await quota.failed(LITE)
    await levels.look(2, [link(quota)])
    assert (sample("doll_quota_held_seconds", model=LITE) or 0) > 0


async def test_models_that_others_asked_through_the_same_store_are_no_labels() -> None:
    quota = scheduler()
    await ask(quota, "somebody-elses-model")
    await ask(quota)
    await levels.look(0, [link(quota)])
    assert sample("doll_quota_used", model=LITE, of="requests_day") == 1
    assert sample("doll_quota_used", model="somebody-elses-model", of="requests_day") is None


async def test_a_name_with_a_version_is_shown_under_that_of_its_allowance() -> None:
    quota = scheduler()
    await ask(quota, f"{LITE}-preview")
    await levels.look(0, [link(quota, f"{LITE}-preview")])
    assert sample("doll_quota_used", model=LITE, of="requests_day") == 1


async def test_a_model_without_limits_has_nothing_left_to_show() -> None:
    quota = scheduler()
    await ask(quota, "llama")
    await levels.look(0, [link(quota, "llama"), link(Unlimited(), "qwen")])
    assert sample("doll_quota_used", model="llama", of="requests_day") == 1
    assert sample("doll_quota_left", model="llama", of="requests_day") is None
    assert sample("doll_quota_used", model="qwen", of="requests_day") is None


class BrokenStore(MemoryStore):
    broken = False

    async def change(self, model: str, change: Change[T]) -> T:
        if self.broken:
            raise StoreError("the disk is full")
        return await super().change(model, change)


async def test_numbers_that_cannot_be_had_are_left_out_rather_than_old() -> None:
    store = BrokenStore(loop_clock())
    quota = scheduler(store)
    await ask(quota)
    await levels.look(0, [link(quota)])
    store.broken = True
    await levels.look(1, [link(quota)])
    assert sample("doll_quota_used", model=LITE, of="requests_day") is None
    assert sample("doll_connected") == 1
