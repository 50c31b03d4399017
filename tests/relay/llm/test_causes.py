from __future__ import annotations

import pytest

from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.admission import Patience, Search
from relay.llm.causes import Causes
from relay.llm.policy import Trouble
from relay.quota.base import Later, NotToday

NOW = 1_700_000_000.0


def causes(*happened: ProviderError | Later | NotToday) -> Causes:
    search = Search("doll-1", Patience())
    made = Causes(search, NOW)
    for what in happened:
        if isinstance(what, ProviderError):
            made.errors.append(what)
        else:
            search.refusals.append(what)
    return made


def failure(kind: ErrorKind, retry_after_s: float | None = None) -> ProviderError:
    return ProviderError(kind, "why", retry_after_s=retry_after_s)


def test_what_the_owner_can_mend_is_named_first() -> None:
    mixed = causes(failure(ErrorKind.AUTH), failure(ErrorKind.SERVER), Later(60.0))
    assert (mixed.trouble, mixed.back_at) == (Trouble.AUTH, None)


def test_a_failure_is_named_before_a_quota_which_would_promise_too_late_a_time() -> None:
    mixed = causes(NotToday(NOW + 80_000), failure(ErrorKind.SERVER))
    assert (mixed.trouble, mixed.back_at) == (Trouble.SERVER, None)


@pytest.mark.parametrize(
    ("happened", "trouble", "back_s"),
    [
        ([NotToday(NOW + 900), NotToday(None)], Trouble.QUOTA, 900),
        ([NotToday(None)], Trouble.QUOTA, None),
        ([NotToday(NOW + 900), Later(60.0)], Trouble.RATE, 60),
        ([failure(ErrorKind.RATE, 40.0), Later(50.0)], Trouble.RATE, 40),
        ([failure(ErrorKind.QUOTA)], Trouble.QUOTA, None),
        ([ModelGoneError("404")], Trouble.GONE, None),
        ([], Trouble.GONE, None),
    ],
)
def test_the_time_is_that_of_the_first_model_that_is_back(
    happened: list[ProviderError | Later | NotToday], trouble: Trouble, back_s: float | None
) -> None:
    made = causes(*happened)
    assert made.trouble is trouble
    assert made.back_at == (None if back_s is None else NOW + back_s)
    assert made.as_error().retry_after_s == (None if back_s is None else pytest.approx(back_s))


def test_as_an_error_it_has_a_kind_of_the_common_vocabulary() -> None:
    assert causes().as_error().kind is ErrorKind.SERVER
    assert causes(failure(ErrorKind.AUTH)).as_error().kind is ErrorKind.AUTH
