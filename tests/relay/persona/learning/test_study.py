"""From an export to a manner, with nothing private in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relay.persona.base import Exchange
from relay.persona.learning.messages import ExportError, Message
from relay.persona.learning.private import Kind
from relay.persona.learning.study import people, study


@pytest.fixture
def export(tmp_path: Path, long_chat: list[Message]) -> Path:
    path = tmp_path / "result.json"
    messages = [
        {
            "type": "message",
            "from": message.who,
            "text": message.text,
            "date": f"{message.day}T{minute // 60:02}:{minute % 60:02}",
        }
        for message in long_chat
        if (minute := message.minute) is not None
    ]
    path.write_text(json.dumps({"messages": messages}), encoding="utf-8")
    return path


def test_who_writes_is_counted(export: Path) -> None:
    assert people(export) == {"진주": 60, "차차": 62, "김민수": 1}


def test_how_somebody_speaks_is_learned(export: Path) -> None:
    found = study(export, "차차", "진주")
    assert (found.messages, found.own, found.left_out) == (123, 60, 3)
    assert found.style.register == "casual"
    assert "-거든" in found.style.endings
    assert "흥" in found.style.openers
    assert found.style.laugh == "ㅋㅋㅋ"
    assert Exchange("나 왔어", "왔어? 딱히 기다린 건 아니거든") in found.exchanges
    manner = found.manner()
    assert 3 <= len(manner.examples) <= 8
    assert manner.described("ko")


def test_the_two_names_become_those_of_the_persona(export: Path) -> None:
    found = study(export, "차차", "진주")
    assert Exchange("배고프다", "아니 그럼 밥을 먹어야지 {owner}야") in found.exchanges
    assert not any("진주" in word for word in found.style.favourites)


def test_nothing_private_is_in_what_is_kept(export: Path) -> None:
    found = study(export, "차차", "진주", hide=["우산"])
    kinds = {finding.kind for finding in found.findings}
    assert kinds == {Kind.PHONE, Kind.NAME}
    manner = found.manner()
    text = repr((manner.style, manner.examples, manner.exchanges))
    for word in ("1234", "민수", "우산", "진주", "차차"):
        assert word not in text, word


def test_the_owner_strikes_what_holds_a_word(export: Path) -> None:
    found = study(export, "차차", "진주")
    before = len(found.exchanges)
    struck = found.without("세그폴트")
    assert struck > 0
    assert len(found.exchanges) == before - struck
    assert "세그폴트" not in repr((found.manner(), found.examples()))


def test_in_a_talk_of_two_the_other_one_is_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    line = "[진주] [오후 9:07] 차차야 뭐 해\n[차차] [오후 9:08] 진주 너 기다린 거 아니거든\n"
    path.write_text(line * 30, encoding="utf-8")
    found = study(path, "차차")
    assert found.owner == "진주"
    assert set(found.exchanges) == {Exchange("{name}야 뭐 해", "{owner} 너 기다린 거 아니거든")}


def test_who_is_not_there_is_told_with_those_who_are(export: Path) -> None:
    with pytest.raises(ExportError, match=r"Nobody called '차' writes .*차차 \(62\), 진주 \(60\)"):
        study(export, "차")
    with pytest.raises(ExportError, match="Nobody called '엄마'"):
        study(export, "차차", "엄마")


def test_too_little_is_told(export: Path) -> None:
    with pytest.raises(ExportError, match="Only 1 messages of 김민수"):
        study(export, "김민수")
