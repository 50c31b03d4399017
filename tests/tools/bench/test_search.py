from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.bench.search import RESOLUTION, Search


def find(limit: int, guess: int, most: int) -> tuple[int, int]:
    """What is found where all up to `limit` pass, and after how many trials."""
    search, trials = Search(guess, most=most), 0
    while (tried := search.next) is not None:
        assert 1 <= tried <= most
        search.tell(tried <= limit)
        trials += 1
        assert trials < 60
    return search.passed, trials


@given(st.integers(0, 2000), st.integers(-5, 3000), st.integers(2, 1000))
def test_what_is_found_passes_and_is_near_the_largest_that_does(
    limit: int, guess: int, most: int
) -> None:
    found, _ = find(limit, guess, most)
    best = min(limit, most)
    assert found <= best
    assert best - found <= max(1, RESOLUTION * (best + 1) / (1 - RESOLUTION))


def test_a_good_guess_takes_few_trials() -> None:
    assert find(300, 320, 800)[1] <= 5


def test_a_better_guess_is_tried_next_while_nothing_has_failed() -> None:
    search = Search(50, most=800)
    search.tell(True, guess=320)
    assert search.next == 320
    search.tell(True)
    assert search.next == 400


def test_where_nothing_passes_nothing_is_found() -> None:
    assert find(0, 200, 800)[0] == 0


def test_where_everything_passes_the_most_is_found() -> None:
    assert find(10_000, 200, 800)[0] == 800
