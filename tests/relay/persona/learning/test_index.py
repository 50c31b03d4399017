from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.persona.learning import index as module
from relay.persona.learning.index import Index, likeness, pieces

LINES = [
    "오늘 시험 망쳤어",
    "배고픈데 뭐 먹지",
    "비가 와서 춥다",
    "I failed my exam",
    "나 왔어",
    "",
]


@pytest.fixture(scope="module")
def index() -> Index:
    return Index.of(LINES)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("시험을 완전히 망쳤어요", 0),
        ("시 험 망 첬 어", 0),  # as a recogniser might write it
        ("배고프다 뭐 먹을까", 1),
        ("밖에 비가 와서 추워", 2),
        ("my exam went wrong, I failed", 3),
    ],
)
def test_finds_the_line_that_is_most_like_it(index: Index, said: str, found: int) -> None:
    (number, score), *_ = index.nearest(said, 3)
    assert number == found
    assert 0 < score <= 1


def test_the_same_line_is_as_like_as_can_be(index: Index) -> None:
    assert index.nearest(LINES[0], 1) == [(0, pytest.approx(1, abs=1e-3))]


def test_what_is_like_nothing_finds_nothing(index: Index) -> None:
    assert index.nearest("zzzz qqqq", 3) == []
    assert index.nearest("", 3) == []
    assert index.nearest("나", 3, least=0.9) == []
    assert Index.of([]).nearest("나 왔어", 3) == []


def test_a_search_reads_a_bounded_number_of_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index.of([f"오늘 시험 {n}번 망쳤어" for n in range(2_000)] + ["바다에서 진주를 캤어"])
    monkeypatch.setattr(module, "SEARCH_ENTRIES", 500)
    read = 0
    concatenate = np.concatenate

    def counting(lists: list[np.ndarray]) -> np.ndarray:
        nonlocal read
        read = sum(map(len, lists))
        return concatenate(lists)

    monkeypatch.setattr(module.np, "concatenate", counting)
    assert index.nearest("오늘 시험 망쳤는데 바다에서 진주를 캤어", 1)[0][0] == 2_000
    assert 0 < read <= 500, "pieces that stand everywhere are not read"


@settings(max_examples=30)
@given(st.lists(st.text(max_size=40), max_size=12), st.text(max_size=60))
def test_any_lines_can_be_indexed_stored_and_searched(lines: list[str], said: str) -> None:
    index = Index.of(lines)
    again = Index.from_arrays(index.arrays(), len(lines))
    found = again.nearest(said, 3)
    assert found == index.nearest(said, 3)
    assert len(found) <= 3
    assert all(0 <= number < len(lines) and 0 < score < 1.001 for number, score in found)


@pytest.mark.parametrize("key", ["starts", "entries", "lengths"])
def test_arrays_that_do_not_fit_are_refused(index: Index, key: str) -> None:
    good = index.arrays()
    for bad in (good[key][:-1], good[key].astype(np.float64), good[key][None], good[key] - 9):
        with pytest.raises(ValueError):
            Index.from_arrays(good | {key: bad}, len(LINES))
    with pytest.raises(KeyError):
        Index.from_arrays({k: v for k, v in good.items() if k != key}, len(LINES))


def test_likeness_goes_from_nothing_to_all() -> None:
    one, other = pieces("나 왔어"), pieces("너 왔니")
    assert likeness(one, one) == 1
    assert 0 < likeness(one, other) < 1
    assert likeness(one, pieces("zzzz")) == 0
