"""Where sentences end: marks, and what stands before and after them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.sentences import ClauseSplitter
from relay.turn.stops import Verdict, is_certain, is_cjk, judge


def every_stop(text: str, language: str) -> list[str]:
    """The clauses of `text` where no lengths get in the way."""
    lengths = {"first_min_chars": 999, "first_max_chars": 999, "min_chars": 0, "max_chars": 999}
    splitter = ClauseSplitter(language, **lengths)
    clauses = [clause for char in text for clause in splitter.push(char)] + splitter.flush()
    return [clause.text for clause in clauses]


# Each row is a text, with "|" where a clause ends.
KOREAN = [
    "안녕. |나는 차차야.",
    "안녕! |반가워!",
    "뭐?! |그게 무슨 소리야?",
    "흥, 딱히 널 위해서 한 건 아니야… |그냥 심심했어.",
    "음... |그건 잘 모르겠어.",
    "바…바보야! |그런 거 아니야.",
    "그… |그게 아니라",
    "했어.|그래서 갔어.",
    "원주율은 3.14야. |알았지?",
    "천 원은 1,000원이야. |비싸!",
    "지금은 12:30이야. |점심 먹자.",
    "오늘은 2026.11.23.이야. |월요일이지.",
    "오늘은 2026. 11. 23. 월요일이야. |추워.",
    "v2.0이 나왔어. |써 봐.",
    "안녕~ |반가워~",
    "3~5시에 와. |기다릴게.",
    "진짜 웃겨 ㅋㅋㅋ |너 최고야 ㅎㅎ",
    "미안해ㅠㅠ |다시 할게.",
    "ㅋㅋㅋ 뭐야. |웃기네.",
    '"안녕!"이라고 했어. |그랬더니 웃더라.',
    '걔가 "싫어. 안 가."라고 했어. |그래서 갔지.',
    '"싫어. |안 가."',
    '고래는 "정말?" 하고 물었지. |그랬대.',
    '걔가 "그래." |그러더라.',
    "「안녕。」って言った。|そうだ。",
    "我是茶茶。|你好！|再见？|好",
    "그래.) |응.",
    "사과(빨간 것. 맛있음.)가 좋아. |너는?",
    "*한숨을 쉰다. 먼 산을 본다.* 알았어. |갈게.",
    "`a.b. c` 를 써 봐. |알았지?",
    "https://example.com/a?b=c! |여기야. |봐 봐.",
    "메일은 a@b.co.kr이야. |보내.",
    "C++은 좋아. |C#도 좋아.",
    "1. 사과를 산다. |2. 씻는다.",
    "정답은 5. |맞았어!",
    "U.S. 대통령이래. |신기하지?",
    "좋아!|😊 그래.",
    "좋아! |😊 그래.",
    "속상해 :( 그래도 괜찮아. |힘내자.",
    "(￣^￣) 흥! |몰라.",
    "진짜? |진짜로?? |와!!!",
    "알았어。|그래．",
]

ENGLISH = [
    "Hello. |I am ChaCha.",
    "Really?! |No way!",
    "Well... |maybe.",
    "W...what? |I said no.",
    "Mr. Smith is here. |Say hi.",
    "Ask Dr. J. K. Rowling. |She knows.",
    "It's 3.14. |Not 3.",
    "Python v3.12.1 is out. |Try it.",
    "It costs $1,000.50. |Too much!",
    "Fruit, e.g. apples, i.e. food. |Yum.",
    "See No. 5 and p. 12. |Then stop.",
    "Oh no. |I forgot.",
    "It is 5 p.m. |Let's go.",
    "It is 5 p.m. now. |Let's go.",
    "At 9 a.m. we met. |Fine.",
    "The U.S. is big. |So is Canada.",
    "Apples, pears, etc. |They are good.",
    "Apples, etc. are good. |Yes.",
    "Born Jan. 5, 2020. |Nice.",
    "Visit example.com. |Or www.python.org/a.b?c=d, ok?",
    "Mail me@example.com! |Soon.",
    'He said "Stop. Now." and left. |I stayed.',
    '"Stop. |Now."',
    '"Really?" she asked. |"Yes." |He nodded.',
    "She said 'no.' |Then she left.",
    "I like it (a lot. really). |You?",
    "**Note.** |This is bold.",
    "1. First do this. |2. Then that.",
    "a) one. |b) two.",
    "If a != b then stop. |Good.",
    "It's 5\" long. |Nice.",
    "ok. |so what.",
    "The answer is 42. |Easy!",
    "In 2026. |I was there.",
    "Smith et al. said so. |True.",
    "No! |Yes! |Maybe?",
    "Ph.D. students work. |A lot.",
    "Is it you? |It is I. |Good.",
    "main.py and node.js run. |Cool.",
    "Use f(x). |Or g(x).",
    "Hi… |there.",
    "¿Qué? |Sí.",
]


@pytest.mark.parametrize("row", KOREAN)
def test_korean_and_cjk_sentences(row: str) -> None:
    assert every_stop(row.replace("|", ""), "ko") == [part.strip() for part in row.split("|")]


@pytest.mark.parametrize("row", ENGLISH)
def test_english_sentences(row: str) -> None:
    assert every_stop(row.replace("|", ""), "en") == [part.strip() for part in row.split("|")]


@pytest.mark.parametrize(
    ("before", "marks", "after", "verdict"),
    [
        ("그래", ".", "", Verdict.WAIT),
        ("그래", ".", " ", Verdict.END),
        ("그래", ".", "\n", Verdict.END),
        ("그래", ".", "그", Verdict.END),
        ("It is 3", ".", "1", Verdict.NO),
        ("It is 3", ".", " ", Verdict.WAIT),
        ("It is 3", ".", " 4", Verdict.NO),
        ("It is 3", ".", " S", Verdict.END),
        ("at 5 p.m", ".", " ", Verdict.WAIT),
        ("Mr", ".", " ", Verdict.NO),
        ("뭐", "?!", "", Verdict.WAIT),
        ("뭐", "?!", "그", Verdict.END),
        ("뭐", '?"', " ", Verdict.WAIT),
        ("안녕", "~", " ", Verdict.END),
        ("서울 ", "~", " ", Verdict.NO),
        ("https://a.b/c", "?", "d", Verdict.NO),
        ("好", "。", "再", Verdict.END),
    ],
)
def test_a_verdict_waits_only_where_what_follows_decides(
    before: str, marks: str, after: str, verdict: Verdict
) -> None:
    assert judge(before, marks, after) is verdict


@pytest.mark.parametrize("before", ["정말 아니야", "That is all", "it isn't", "好的"])
def test_a_full_stop_is_certain_behind_a_plain_word(before: str) -> None:
    assert is_certain(before, ".")


@pytest.mark.parametrize("before", ["", "3", "Mr", "at 5 p.m", "v", "C", "가", "ChaCha", "a.b"])
def test_a_full_stop_is_not_certain_where_more_may_belong_to_it(before: str) -> None:
    assert not is_certain(before, ".")


@pytest.mark.parametrize(
    ("char", "cjk"), [("한", True), ("あ", True), ("漢", True), ("a", False), ("", False)]
)
def test_cjk_characters_are_told_apart(char: str, cjk: bool) -> None:
    assert is_cjk(char) is cjk


@given(st.text(), st.text(alphabet=".?!…~ㅋ", min_size=1), st.text(max_size=3))
def test_there_is_a_verdict_for_anything(before: str, marks: str, after: str) -> None:
    assert (judge(before, marks, after) is Verdict.WAIT) <= (len(after) < 2)
    is_certain(before, marks)
