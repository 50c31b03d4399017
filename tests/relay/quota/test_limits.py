from __future__ import annotations

import pytest

from relay.quota.limits import Learned, Limits, allowance, family, known
from relay.quota.settings import LimitSettings

LITE = "gemini-3.5-flash-lite"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("models/gemini-3.5-flash-lite", "gemini-3.5-flash-lite"),
        ("gemini-3-flash-preview", "gemini-3-flash"),
        ("gemini-2.5-flash-preview-tts", "gemini-2.5-flash-preview-tts"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gemini-flash-lite-latest", "gemini-flash-lite"),
        ("Gemma-4-26b-it", "gemma-4-26b-it"),
    ],
)
def test_versions_of_a_model_share_an_allowance(model: str, name: str) -> None:
    assert family(model) == name


@pytest.mark.parametrize(
    ("model", "limits"),
    [
        (LITE, Limits(15, 250_000, 500)),
        ("gemini-3.1-flash-lite-preview", Limits(15, 250_000, 500)),
        ("gemini-3.8-flash", Limits(5, 250_000, 20)),
        ("gemini-3.8-flash-lite-tts", Limits(3, 10_000, 10)),
        ("gemini-3.1-pro", Limits(0, 0, 0)),
        ("gemini-5-wonder", Limits(5, 250_000, 20)),
        ("gemma-4-26b-it", Limits(15, 15_000, 1_500)),
        ("llama3:8b", Limits()),
    ],
)
def test_the_table_knows_the_free_tier(model: str, limits: Limits) -> None:
    assert known(model) == limits


def test_the_owner_goes_before_the_table_and_may_lift_a_limit() -> None:
    own = {LITE: LimitSettings(requests_per_minute=1000, requests_per_day="unlimited")}
    assert allowance(LITE, own).limits(Learned()) == Limits(1000, 250_000, None)
    assert allowance(LITE + "-preview", own).limits(Learned()) == Limits(1000, 250_000, None)


def test_an_unknown_model_has_the_limits_that_its_owner_gives() -> None:
    own = {"llama3": LimitSettings(requests_per_minute=30)}
    assert allowance("llama3", own).limits(Learned()) == Limits(30, None, None)


@pytest.mark.parametrize("told", [10, 20])
def test_what_a_429_told_goes_before_the_table_in_both_directions(told: int) -> None:
    learned = Learned(requests_per_minute=told)
    assert allowance(LITE, {}).limits(learned) == Limits(told, 250_000, 500)


def test_an_owner_who_allows_less_than_the_provider_means_it() -> None:
    own = {LITE: LimitSettings(requests_per_day=100)}
    assert allowance(LITE, own).limits(Learned(requests_per_day=500)).requests_per_day == 100
    assert allowance(LITE, own).limits(Learned(requests_per_day=20)).requests_per_day == 20


def test_no_allowance_at_all_is_never() -> None:
    own = {LITE: LimitSettings(requests_per_minute=1000)}
    assert allowance(LITE, own).limits(Learned(never=True)).never
    assert allowance("gemini-3.1-pro", {}).limits(Learned()).never
    assert not allowance(LITE, own).limits(Learned()).never
