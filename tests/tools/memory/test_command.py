"""`doll memory`, beside a relay that is not running and one that is."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from relay.config import Settings
from relay.devices.registry import Registry
from relay.memory.records import Exchange, Fact, Summary
from relay.memory.store import MemoryStore, News
from relay.recorder.shelf import FOLDER
from relay.store.database import Database
from tests.tools.devices.conftest import Run
from tools.memory.command import read

NOON = 1_763_953_200  # 2025-11-24 12:00 in Seoul


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A relay's folder with a doll that remembers something, and another one."""
    folder = tmp_path / "relay-data"
    database = await Database.open(folder)
    registry, store = Registry(database), MemoryStore(database)
    await registry.issue("id-1", name="차차")
    await registry.issue("id-2", name="코코")
    turns = [Exchange(NOON + n, f"질문 {n}", f"대답 {n}") for n in range(3)]
    await store.keep([News("id-1", turn) for turn in turns])
    await store.keep([News("id-2", Exchange(NOON, "남의 질문", "남의 대답"))])
    await store.set_facts("id-1", [Fact(NOON, "고양이를 키운다."), Fact(NOON + 1, "시험이 있다.")])
    revision = await store.revision("id-1")
    assert revision is not None
    await store.summarise("id-1", Summary(NOON, 1, "바다에 갔다."), revision)
    await database.close()
    return folder


async def test_an_owner_sees_what_a_doll_remembers(doll: Run, data: Path) -> None:
    code, output, errors = await doll("memory", "show", "차차", "--last", "2", data=data)
    assert (code, errors) == (0, "")
    assert "3 turns, 2 facts. The first turn was on 2025-11-24 12:00" in output
    assert "바다에 갔다." in output
    assert "질문 0" not in output
    assert "대답 2" in output
    assert "남의" not in output
    code, output, _ = await doll("memory", "facts", "id-1", data=data)
    assert output.splitlines() == [
        "  1  2025-11-24  고양이를 키운다.",
        "  2  2025-11-24  시험이 있다.",
    ]


async def test_facts_are_added_removed_and_edited(
    doll: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, output, _ = await doll("memory", "facts", "차차", "--remove", "2", data=data)
    assert "시험" not in output
    _, output, _ = await doll("memory", "facts", "차차", "--add", "수영을 배운다.", data=data)
    assert "고양이를 키운다." in output
    assert "수영을 배운다." in output
    code, _, errors = await doll("memory", "facts", "차차", "--remove", "9", data=data)
    assert code == 1
    assert "There is no fact 9" in errors
    editor = tmp_path / "editor"
    editor.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace('고양이', '강아지') + '바다를 좋아한다.\\n')\n"
    )
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    code, output, errors = await doll("memory", "edit", "차차", data=data)
    assert (code, errors, output.strip()[:9]) == (0, "", "✓ 3 facts")
    _, output, _ = await doll("memory", "facts", "차차", data=data)
    for text in ("강아지를 키운다.", "수영을 배운다.", "바다를 좋아한다."):
        assert text in output
    monkeypatch.setenv("EDITOR", "true")
    assert "Nothing was changed" in (await doll("memory", "edit", "차차", data=data))[1]


def test_an_edited_line_without_a_day_is_of_today_and_others_keep_their_moment() -> None:
    known = [Fact(NOON, "고양이를 키운다.")]
    edited = "# hint\n2025-11-24 고양이를 키운다.\n\n 새 사실\n2025-11-20 옛 사실\n"
    wanted = read(edited, known, Settings())
    assert [fact.text for fact in wanted] == ["옛 사실", "고양이를 키운다.", "새 사실"]
    assert wanted[1].at == NOON


async def test_everything_is_exported_as_json(doll: Run, data: Path, tmp_path: Path) -> None:
    code, output, errors = await doll("memory", "export", "차차", data=data)
    assert (code, errors) == (0, "")
    told = json.loads(output)
    assert told["doll"] == {"id": "id-1", "name": "차차"}
    assert told["summary"] == {"at": "2025-11-24T12:00:00+09:00", "text": "바다에 갔다."}
    assert told["facts"][0] == {"at": "2025-11-24T12:00:00+09:00", "text": "고양이를 키운다."}
    assert [turn["heard"] for turn in told["turns"]] == ["질문 0", "질문 1", "질문 2"]
    file = tmp_path / "차차.json"
    assert (await doll("memory", "export", "차차", "--to", str(file), data=data))[0] == 0
    assert json.loads(file.read_text())["turns"] == told["turns"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, _, errors = await doll("memory", "export", "차차", "--to", str(file), data=data)
    assert code == 1
    assert "already" in errors


async def test_what_is_deleted_is_in_no_file_and_others_keep_theirs(doll: Run, data: Path) -> None:
    recorded = data / FOLDER / "id-1" / "20270115T080000000Z"
    recorded.mkdir(parents=True)
    (recorded / "turn.json").write_text("질문 1")
    code, output, errors = await doll("memory", "delete", "차차", "--yes", data=data)
    assert (code, errors) == (0, "")
    assert "Nothing of it is left" in output
    content = everything(data)
    for text in ("질문 1", "대답 2", "고양이", "바다에"):
        assert text.encode() not in content.replace("남의 질문".encode(), b"")
    assert "남의 질문".encode() in content


async def test_without_a_yes_nothing_is_deleted(doll: Run, data: Path) -> None:
    assert (await doll("memory", "delete", "차차", data=data))[0] == 1
    assert "3 turns" in (await doll("memory", "show", "차차", data=data))[1]


async def test_one_turn_or_all_but_the_facts(doll: Run, data: Path) -> None:
    assert (await doll("memory", "delete", "차차", "--turn", "2", data=data))[0] == 0
    output = (await doll("memory", "show", "차차", data=data))[1]
    assert "질문 1" not in output
    assert "질문 2" in output
    code, _, errors = await doll("memory", "delete", "차차", "--turn", "99", data=data)
    assert code == 1
    assert "There is no turn #99" in errors
    await doll("memory", "delete", "차차", "--keep-facts", "--yes", data=data)
    assert "고양이" in (await doll("memory", "facts", "차차", data=data))[1]
    assert "remembers nothing yet" in (await doll("memory", "show", "차차", data=data))[1]


async def test_it_speaks_korean(doll: Run, data: Path) -> None:
    output = (await doll("memory", "show", "차차", data=data, language="ko_KR"))[1]
    assert "차차: 대화 3번, 메모 2개." in output


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
