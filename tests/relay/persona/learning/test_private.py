from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.persona.learning.private import Finding, Kind, Privacy


def kinds(text: str, *names: str) -> set[Kind]:
    return {finding.kind for finding in Privacy(names).findings(text)}


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            Kind.PHONE,
            [
                "010-1234-5678", "내 번호 01012345678이야", "010 1234 5678로 해", "02-345-6789",
                "031.123.4567", "+82 10-1234-5678", "1588-1234", "070-1234-5678", "0505-123-4567",
                "+49 151 23456789", "(555) 123-4567", "call 555-123-4567", "+1 555 123 4567",
                "0151/2345678", "+44 20 7946 0958",
            ],
        ),
        (Kind.RESIDENT, ["990101-1234567", "9901011234567", "990101-1******", "123-45-6789"]),
        (Kind.CARD, ["1234-5678-9012-3456", "1234 5678 9012 3456", "3782-822463-10005"]),
        (
            Kind.ACCOUNT,
            [
                "국민 123456-78-901234", "110-234-567890 신한", "3333-01-1234567 카카오뱅크",
                "3020123456781", "DE89 3704 0044 0532 0130 00",
            ],
        ),
        (Kind.EMAIL, ["jinju@example.com", "a.b+c@mail.example.co.kr 로 보내"]),
        (Kind.URL, ["https://example.com/x?y=1", "www.example.org", "naver.me/abc123 봐"]),
        (
            Kind.ADDRESS,
            [
                "서울시 마포구 와우산로 94", "경기도 성남시 분당구 정자동", "와우산로35길 12로 와",
                "역삼동 123-45", "103동 1204호", "래미안아파트 103동", "부산광역시 해운대구 우동",
                "12 Main Street", "221 Baker St, Apt 4", "P.O. Box 123", "SW1A 1AA", "CA 94103",
            ],
        ),
        (
            Kind.CODE,
            ["현관 비번 1234*야", "비밀번호는 hunter22", "인증번호 482913", "my pin: 4829"],
        ),
        (
            Kind.NAME,
            ["김민수 씨가 그랬어", "박지영 선생님 왔어", "이과장님은?", "Mr. Smith said", "김씨가"],
        ),
    ],
)  # fmt: skip
def test_finds_what_looks_private(kind: Kind, texts: list[str]) -> None:
    assert [text for text in texts if kind not in kinds(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "나 왔어", "오후 3시 30분에 봐", "2026년 11월 23일", "3/4이야", "12:30쯤",
        "100점 만점에 90점", "배가 3,000원이야", "1+1=2", "오늘 25도래", "30분만 기다려",
        "5번 출구", "그 길로 가면 돼",
        "나도 그 구두 살래", "이 동네 좋다", "C++20 재밌어", "ㅋㅋㅋㅋ", "세그폴트 났어",
        "이씨 진짜", "see you at 5", "I have 2 cats", "that was 100% me", "well... ok",
        "버전 1.2.3 나왔대", "10000원", "2026-11-23", "키가 165.5야",
    ],
)  # fmt: skip
def test_ordinary_talk_is_left_alone(text: str) -> None:
    found = list(Privacy().findings(text))
    assert found == [], found


def test_names_of_the_others_are_found_whole_and_in_part() -> None:
    others = ["김민수", "Anna Lee", "엄마♥"]
    for text in ("민수가 왔어", "김민수!", "민수야", "ask Anna", "anna is here", "엄마♥ 뭐래"):
        assert kinds(text, *others) == {Kind.NAME}, text
    for text in ("전민수", "Annabel", "엄마 보고 싶다"):
        assert kinds(text, *others) == set(), text


def test_a_number_is_told_once_and_as_what_it_is() -> None:
    text = "010-1234-5678 아니면 jinju@example.com"
    assert list(Privacy().findings(text)) == [
        Finding(Kind.EMAIL, "jinju@example.com"),
        Finding(Kind.PHONE, "010-1234-5678"),
    ]


@given(st.text(max_size=300))
def test_any_text_is_looked_through(text: str) -> None:
    for finding in Privacy([text[:5], ")("]).findings(text):
        assert finding.text in text


@pytest.mark.parametrize("piece", ["구1", "가", "0", "1-", "시 구 ", "a.", "a-", "+1 ", "로1길 "])
def test_no_text_makes_the_rules_run_away(piece: str) -> None:
    list(Privacy(["김민수"]).findings((piece * 2_000)[:2_000]))
