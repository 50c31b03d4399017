"""`doll persona learn` and `forget`: reviewed before anything is written, and deleted whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.persona.conftest import Run

SECRET, LEFT_OUT = "달빛열매", "010-1234-5678"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    lines = ["진주 님과 카카오톡 대화", "저장한 날짜 : 2026-11-24 09:12:33", ""]
    for n in range(40):
        lines += [
            f"[진주] [오후 {n % 12 + 1}:07] {('나 왔어', f'{SECRET} 먹을래')[n % 2]}",
            f"[차차] [오후 {n % 12 + 1}:08] {('기다린 거 아니거든', '흥, 세그폴트나 봐')[n % 2]}",
        ]
    lines.append(f"[차차] [오후 9:08] 번호는 {LEFT_OUT} 이야")
    path = tmp_path / "KakaoTalkChats.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def files_with(folder: Path, word: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if word.encode() in path.read_bytes()]


async def test_without_a_speaker_it_tells_who_there_is(persona: Run, export: Path) -> None:
    code, output, _ = await persona("learn", str(export))
    assert code == 2
    assert "--speaker '차차'  (41)" in output


@pytest.mark.parametrize("typed", ["n\n", ""])
async def test_nothing_is_written_before_the_owner_says_so(
    persona: Run, export: Path, data: Path, typed: str
) -> None:
    code, output, _ = await persona("learn", str(export), "--speaker", "차차", typed=typed)
    assert code == 1
    assert f"phone numbers (1): {LEFT_OUT}" in output
    assert "Speaks casual Korean" in output
    assert "Nothing was written." in output
    assert files_with(data, "") == []


async def test_it_is_learned_shown_and_forgotten_without_a_trace(
    persona: Run, export: Path, data: Path
) -> None:
    typed = "?열매\n-세그폴트\nf\na\ny\n"
    code, output, errors = await persona("learn", str(export), "--speaker", "차차", typed=typed)
    assert (code, errors) == (0, "")
    assert "20 exchanges with '세그폴트' were struck" in output
    assert files_with(data, "아니거든")
    assert files_with(data, "세그폴트") == files_with(data, LEFT_OUT) == []
    _, prompt, _ = await persona("show")
    assert "아니거든" in prompt
    _, listed, _ = await persona("list")
    assert "✓" in listed
    code, output, _ = await persona("forget", "chacha")
    assert (code, "is deleted" in output) == (0, True)
    assert files_with(data, "아니거든") == files_with(data, SECRET) == []
    _, prompt, _ = await persona("show")
    assert "아니거든" not in prompt
    _, output, _ = await persona("forget", "chacha")
    assert "has learned nothing" in output


async def test_a_script_needs_no_review_and_a_persona_of_its_own_learns(
    persona: Run, export: Path, data: Path
) -> None:
    arguments = ("--speaker", "차차", "--persona", "study", "--yes", "--hide", SECRET)
    code, _, _ = await persona("learn", str(export), *arguments)
    assert code == 0
    assert [path.name for path in (data / "learned").iterdir()] == ["study"]
    assert files_with(data, SECRET) == []


async def test_what_cannot_be_learned_from_is_told_in_one_line(
    persona: Run, export: Path, tmp_path: Path
) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary", encoding="utf-8")
    for arguments, said in (
        ((str(diary), "--speaker", "x"), "no export that is known"),
        ((str(tmp_path / "none.txt"), "--speaker", "x"), "cannot be read"),
        ((str(export), "--speaker", "x"), "Nobody called 'x'"),
        ((str(export), "--speaker", "차차", "--persona", "nobody"), "There is no persona"),
    ):
        code, _, errors = await persona("learn", *arguments)
        assert code == 1
        assert said in errors
        assert errors.count("\n") == 1
