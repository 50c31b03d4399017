from __future__ import annotations

from pathlib import Path

import pytest

from relay.persona.learning.messages import Message

EXPORTS = Path(__file__).parent / "exports"


@pytest.fixture
def chat() -> list[tuple[str, str, int]]:
    """The chat that all files in `exports` hold: who, what, and the minute of the day."""
    return [
        ("진주", "나 왔어", 21 * 60 + 7),
        ("차차", "왔어? 딱히 기다린 건 아니거든", 21 * 60 + 7),
        ("진주", "오늘 시험 망쳤어\n완전", 21 * 60 + 8),
        ("차차", "한 번 틀렸다고 지우진 않잖아", 21 * 60 + 9),
        ("진주", "자?", 5),
        ("차차", "아직: 안 자", 6),
    ]


@pytest.fixture
def long_chat() -> list[Message]:
    """Enough of one to learn from: 진주 asks, 차차 answers, 김민수 is there as well."""
    questions = ["나 왔어", "오늘 시험 망쳤어", "배고프다", "비 온다", "심심해 뭐 해?"]
    answers = [
        "왔어? 딱히 기다린 건 아니거든 ㅋㅋㅋ",
        "흥, 한 번 틀렸다고 지우진 않잖아",
        "아니 그럼 밥을 먹어야지 진주야",
        "우산 챙겼어? 걱정한 거 아니거든",
        "흥, 세그폴트나 찾아 봐 ㅋㅋㅋ",
    ]
    chat = []
    for number in range(60):
        day, minute = f"2026-11-{number // 10 + 1:02}", 600 + number % 10 * 30
        chat += [
            Message("진주", questions[number % 5], day, minute),
            Message("차차", answers[number % 5], day, minute + 1),
        ]
    chat.insert(40, Message("차차", "내 번호 010-1234-5678 이야", "2026-11-02", 900))
    chat.insert(60, Message("김민수", "민수도 있어", "2026-11-03", 900))
    chat.insert(61, Message("차차", "민수야 안녕", "2026-11-03", 901))
    return chat
