from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.failover import CoolDown
from relay.tts.fallback import FallbackTextToSpeech
from tests.fakes.tts import FakeTextToSpeech
from tests.relay.tts.contract import TextToSpeechContract, spoken

pytestmark = pytest.mark.virtual_time

GONE = ProviderError(ErrorKind.NETWORK, "gone")
CLAUSE = "안녕, 나는 인형이야."


class TestFallback(TextToSpeechContract):
    @pytest.fixture
    def tts(self) -> FallbackTextToSpeech:
        # The preferred voice breaks off in the middle of its first clause, and rests.
        cloud = FakeTextToSpeech(error=GONE, error_after=2)
        return FallbackTextToSpeech([("cloud", cloud), ("own", FakeTextToSpeech(rate_hz=24_000))])


def pair(**cloud: object) -> tuple[FallbackTextToSpeech, FakeTextToSpeech, FakeTextToSpeech]:
    first, second = FakeTextToSpeech(**cloud), FakeTextToSpeech()  # type: ignore[arg-type]
    both = FallbackTextToSpeech([("cloud", first), ("own", second)], CoolDown(first_s=30))
    return both, first, second


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(breaks=st.lists(st.integers(0, 6), min_size=1, max_size=3))
async def test_wherever_voices_break_off_every_sample_is_heard_once(breaks: list[int]) -> None:
    whole = np.concatenate(await spoken(FakeTextToSpeech(), CLAUSE))
    voices = [FakeTextToSpeech(error=GONE, error_after=chunks) for chunks in breaks]
    tts = FallbackTextToSpeech(
        [(str(at), voice) for at, voice in enumerate([*voices, FakeTextToSpeech()])]
    )
    heard = np.concatenate(await spoken(tts, CLAUSE))
    assert len(heard) == len(whole)
    # The same but for the few samples in which a voice that takes over fades in.
    assert np.mean(heard != whole) < 0.03


async def test_all_are_asked_for_the_dolls_voice() -> None:
    tts, cloud, own = pair(error=GONE, error_after=2)
    await spoken(tts, CLAUSE, voice="low")
    assert [call.voice for call in (*cloud.calls, *own.calls)] == ["low", "low"]


async def test_the_preferred_voice_speaks_alone() -> None:
    tts, _, own = pair()
    await spoken(tts, CLAUSE)
    assert own.calls == []


async def test_one_that_failed_is_left_alone_for_a_while_and_then_comes_back() -> None:
    tts, cloud, _ = pair(error=GONE)
    for _ in range(3):
        await spoken(tts, CLAUSE)
    assert len(cloud.calls) == 1
    cloud.error = None
    await asyncio.sleep(31)
    await spoken(tts, CLAUSE)
    assert (len(cloud.calls), cloud.finished) == (2, 1)


async def test_when_all_fail_the_first_failure_is_told_behind_what_was_spoken() -> None:
    tts, _, own = pair(error=GONE, error_after=3)
    own.error = ProviderError(ErrorKind.SERVER, "broken")
    heard: list[Pcm] = []
    with pytest.raises(ProviderError, match="gone"):
        async for chunk in tts.speak(CLAUSE, "ko"):
            heard.append(chunk)  # noqa: PERF401 - what came before the failure counts
    assert len(np.concatenate(heard)) == 3 * 1_600


async def test_while_all_rest_they_are_tried_all_the_same() -> None:
    tts, cloud, own = pair(error=GONE)
    own.error = GONE
    for _ in range(2):
        with pytest.raises(ProviderError):
            await spoken(tts, CLAUSE)
    assert (len(cloud.calls), len(own.calls)) == (2, 2)


async def test_a_voice_at_another_rate_takes_over_at_the_same_place() -> None:
    cloud = FakeTextToSpeech(rate_hz=24_000, error=GONE, error_after=2)
    own = FakeTextToSpeech(rate_hz=16_000)
    tts = FallbackTextToSpeech([("cloud", cloud), ("own", own)])
    heard = np.concatenate(await spoken(tts, CLAUSE))
    assert tts.rate_hz == 24_000
    assert len(heard) == pytest.approx(12_000, abs=4)


async def test_a_slower_voice_takes_over_where_the_faster_one_was() -> None:
    tts, cloud, own = pair()
    own.seconds_per_clause = 1.0
    await spoken(tts, CLAUSE)  # both speak once, so that it is known how fast they are
    cloud.error = GONE
    await spoken(tts, CLAUSE)
    await asyncio.sleep(31)
    cloud.error_after = 4  # of 5 chunks
    heard = np.concatenate(await spoken(tts, CLAUSE))
    assert len(heard) == 4 * 1_600 + 0.2 * 16_000


async def test_what_broke_off_behind_the_last_word_is_not_said_again() -> None:
    tts, _, own = pair(error=GONE, error_after=100)
    own.seconds_per_clause = 0.3
    assert len(np.concatenate(await spoken(tts, CLAUSE))) == 8_000


async def test_leaving_early_closes_the_voice_that_speaks() -> None:
    tts, cloud, own = pair(error=GONE)
    async with contextlib.aclosing(tts.speak(CLAUSE, "ko")) as chunks:
        await anext(chunks)
    assert (cloud.stopped, own.stopped) == (1, 1)


async def test_closing_closes_all() -> None:
    tts, cloud, own = pair()
    await tts.close()
    assert (cloud.closed, own.closed) == (True, True)
