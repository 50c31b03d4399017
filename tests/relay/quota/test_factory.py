from __future__ import annotations

import sys
from pathlib import Path

import pytest

from relay.llm.gemini_errors import Limit, Refusal
from relay.quota.base import Later, Now
from relay.quota.factory import open_quota
from relay.quota.settings import QuotaSettings
from relay.quota.store import StoreError

LITE = "gemini-3.5-flash-lite"


async def test_a_relay_that_restarts_remembers_what_it_sent_and_learned(shared_url: str) -> None:
    settings = QuotaSettings(store=shared_url)
    quota = await open_quota(settings, "key", timezone="Asia/Seoul")
    for _ in range(3):
        async with quota.place(LITE, doll="a", tokens=100) as place:
            await place.granted()
    await quota.refused(LITE, Refusal(Limit.MINUTE, 3, None))
    await quota.close()
    quota = await open_quota(settings, "key", timezone="Asia/Seoul")
    async with quota.place(LITE, doll="a", tokens=100) as place:
        assert isinstance(place.admission, Later)
    (use,) = await quota.snapshot()
    assert (use.minute_requests, use.limits.requests_per_minute) == (3, 3)
    await quota.close()


async def test_the_same_key_at_another_server_is_another_project(tmp_path: Path) -> None:
    settings = QuotaSettings(store=str(tmp_path / "quota.sqlite3"))
    google = await open_quota(settings, "key")
    other = await open_quota(settings, "key", server="http://127.0.0.1:8099")
    await google.retired(LITE)
    async with other.place(LITE, doll="a", tokens=100) as place:
        assert place.admission == Now()
    await google.close()
    await other.close()


async def test_a_model_without_limits_is_admitted_until_its_server_refuses() -> None:
    quota = await open_quota(QuotaSettings(store="memory"), "key")
    for _ in range(100):
        async with quota.place("llama3:8b", doll="a", tokens=100) as place:
            assert place.admission == Now()
            await place.granted()
    await quota.refused("llama3:8b", Refusal(Limit.UNKNOWN, None, 20.0))
    async with quota.place("llama3:8b", doll="a", tokens=100) as place:
        assert isinstance(place.admission, Later)
    await quota.close()


async def test_redis_without_its_package_tells_which_extra_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "relay.quota.redis", None)
    with pytest.raises(StoreError, match=r"talking-doll\[redis\]"):
        await open_quota(QuotaSettings(store="redis://127.0.0.1"), "key")
