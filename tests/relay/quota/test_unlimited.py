from __future__ import annotations

from relay.llm.gemini_errors import Limit, Refusal
from relay.quota.base import Now
from relay.quota.unlimited import Unlimited


async def test_everything_is_admitted_at_once_whatever_happened() -> None:
    quota = Unlimited()
    await quota.refused("model", Refusal(Limit.ZERO, 0, None))
    await quota.failed("model")
    await quota.retired("model")
    await quota.answered("model")
    for _ in range(100):
        async with quota.place("model", doll="a", tokens=10**9) as place:
            assert place.admission == Now()
            await place.granted()
    assert await quota.snapshot() == []
    await quota.close()
