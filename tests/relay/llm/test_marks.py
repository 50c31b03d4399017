from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Emotion, MemoryNote, Part
from relay.llm.marks import Marks

FACT = "진주의 생일은 3월 2일이다."
NOTE = MemoryNote(FACT)
HAPPY = Emotion("happy")


def read(*pieces: str) -> tuple[str, list[Part]]:
    """What is spoken, and the rest."""
    marks = Marks()
    parts = [part for piece in pieces for part in marks.push(piece)] + marks.finish()
    spoken = "".join(part for part in parts if isinstance(part, str))
    return spoken, [part for part in parts if not isinstance(part, str)]


ANSWERS = [
    (f"<emotion>happy</emotion> 응.\n<note>{FACT}</note>", "응.", [HAPPY, NOTE]),
    (f"<emotion>happy</emotion>응. <note>{FACT}", "응.", [HAPPY, NOTE]),
    (f"<emotion>Happy</emotion>\n<reply>응.</reply>\n<memory_note>{FACT}", "응.", [HAPPY, NOTE]),
    (f"응. [note: {FACT}] 그래.", "응.  그래.", [NOTE]),
    (f"응. (Note: {FACT})", "응.", [NOTE]),
    (f"응.\n**Note:** {FACT}", "응.", [NOTE]),
    (f"emotion: happy\nreply: 응.\nmemory_note: {FACT}\n", "응.", [HAPPY, NOTE]),
    (f"메모: {FACT}\n응.", "응.", [NOTE]),
    ("응.\n<note>없음</note>", "응.", []),
    ("응.\nmemory_note: None", "응.", []),
    ("<emotion>grumpy</emotion> 응.", "응.", []),
    (f'{{"emotion": "happy", "reply": "응.", "memory_note": "{FACT}"}}', "응.", [HAPPY, NOTE]),
    (f'```json\n{{"reply": "응.", "memory_note": "{FACT}"}}\n```', "응.", [NOTE]),
    (f"응. <note>{FACT}</note><note>또 하나</note>", "응.", [NOTE]),
    ("3 < 4, (괄호) 그리고 [하나].", "3 < 4, (괄호) 그리고 [하나].", []),
    ("쪽지에 note: 라고 적혀 있어.", "쪽지에 note: 라고 적혀 있어.", []),
    ("emotion: 그건 내가 느끼는 마음 같은 거야. 알겠어? 그렇지?", None, []),
]


@pytest.mark.parametrize(("answer", "spoken", "others"), ANSWERS)
def test_marks_are_read_and_not_spoken(answer: str, spoken: str | None, others: list[Part]) -> None:
    said, told = read(answer)
    assert told == others
    assert said.strip() == spoken if spoken is not None else "마음" in said


@given(st.sampled_from(ANSWERS), st.data())
def test_it_does_not_matter_where_the_pieces_are_cut(
    answer: tuple[str, str | None, list[Part]], data: st.DataObject
) -> None:
    text = answer[0]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    said, told = read(*pieces)
    whole, of_whole = read(text)
    assert (said.strip(), told) == (whole.strip(), of_whole)


def test_what_cannot_be_a_mark_is_passed_on_at_once() -> None:
    marks = Marks()
    assert marks.push("안녕, 진주") == ["안녕, 진주"]
    assert marks.push("야. 2 <") == ["야. 2 "]
    assert marks.push(" 3") == ["< 3"]


@given(st.lists(st.text(alphabet="<>/[]():*-{}\"'\n noteemotion메모가", max_size=12), max_size=8))
def test_nothing_that_a_model_writes_breaks_it(pieces: list[str]) -> None:
    _, told = read(*pieces)
    assert len(told) <= 2
