from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.memory.facts import Facts
from relay.memory.records import MAX_FACT_CHARS, Fact


def noted(*texts: str, limit: int = 40) -> list[str]:
    facts = Facts(limit)
    for at, text in enumerate(texts):
        facts.propose(text, at)
    return [fact.text for fact in facts]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("진주의 생일은 3월 2일이다.", "진주의 생일은 3월 3일이다."),
        ("진주는 9살이다.", "진주는 10살이다."),
        ("진주는 서울에 산다.", "진주는 부산에 살아."),
        ("진주는 커피를 좋아한다.", "진주는 커피를 싫어한다."),
        ("진주는 커피를 좋아한다.", "진주는 이제 커피를 좋아하지 않는다."),
        ("진주는 고양이를 키운다.", "진주는 고양이를 키워."),
        ("진주는 진주알을 모은다.", "진주는 진주알을  모은다!"),
        ("Jinju's birthday is March 2nd.", "Jinju's birthday is on May 5th."),
        ("Jinju lives in Seoul.", "Jinju lives in Busan."),
        ("Jinju likes coffee.", "Jinju doesn't like coffee any more."),
        ("Jinju loves coffee.", "Jinju hates coffee."),
    ],
)
def test_what_says_the_same_or_the_contrary_is_replaced(old: str, new: str) -> None:
    assert len(noted(old, new)) == 1
    assert noted(old, new) == noted(new)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("진주는 고양이를 좋아한다.", "진주는 강아지를 좋아한다."),
        ("진주의 동생 생일은 3월 2일이다.", "진주의 생일은 5월 5일이다."),
        ("진주는 매주 토요일에 고양이를 산책시킨다.", "진주는 매주 토요일에 강아지를 산책시킨다."),
        ("Jinju has a cat.", "Jinju has a car."),
        ("Jinju likes tea.", "Jinju likes coffee."),
    ],
)
def test_what_is_about_something_else_stands_beside_it(one: str, other: str) -> None:
    assert noted(one, other) == [one, other]


@pytest.mark.parametrize("number", ["[2]", "2:", "#2:", "(2)", " [2] "])
def test_a_model_may_say_which_fact_is_out_of_date(number: str) -> None:
    cat, exam = "진주는 고양이를 키운다.", "진주는 금요일에 시험이 있다."
    assert noted(cat, exam, f"{number} 진주의 시험은 끝났다.") == [cat, "진주의 시험은 끝났다."]


def test_a_number_that_was_made_up_costs_no_fact() -> None:
    cat = "진주는 고양이를 키운다."
    assert noted(cat, "[1] 철수가 놀러 왔다.") == [cat, "철수가 놀러 왔다."]
    assert noted(cat, "[9] 진주는 수영을 배운다.") == [cat, "진주는 수영을 배운다."]


def test_a_time_of_day_is_no_number_of_a_fact() -> None:
    assert noted("7:30에 일어난다.") == ["7:30에 일어난다."]


def test_the_day_that_a_model_repeats_is_not_part_of_the_fact() -> None:
    assert noted("[1] 진주는 고양이를 키운다. (2027-01-15)") == ["진주는 고양이를 키운다."]


def test_of_too_many_the_oldest_goes_and_the_change_says_so() -> None:
    facts = Facts(2)
    facts.propose("하나를 안다.", 1)
    facts.propose("둘을 배웠다.", 2)
    change = facts.propose("셋이 왔다.", 3)
    assert change is not None
    assert change.removed == ("하나를 안다.",)
    assert [fact.text for fact in facts] == ["둘을 배웠다.", "셋이 왔다."]
    assert noted("하나", limit=0) == []


def test_they_are_listed_with_number_and_day() -> None:
    facts = Facts()
    facts.replace([Fact(1_800_000_000, "나"), Fact(0, "가")])
    assert facts.listed(UTC) == ("[1] 가 (1970-01-01)", "[2] 나 (2027-01-15)")


@given(st.lists(st.text(max_size=300), max_size=12))
def test_whatever_is_proposed_the_list_stays_short_clean_and_in_order(texts: list[str]) -> None:
    facts = Facts(5)
    shadow: dict[str, int] = {}
    for at, text in enumerate(texts):
        change = facts.propose(text, at)
        if change is None:
            continue
        for gone in change.removed:
            del shadow[gone]
        shadow[change.added.text] = at
    assert len(facts) <= 5
    assert {fact.text: fact.at for fact in facts} == shadow  # what the database comes to
    for fact in facts:
        assert 0 < len(fact.text) <= MAX_FACT_CHARS
        assert "\n" not in fact.text
        assert fact.text == fact.text.strip()
    moments = [fact.at for fact in facts]
    assert moments == sorted(moments)
