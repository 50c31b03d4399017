"""`doll persona`: the real command, its files, and what the next turn makes of them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from relay.config import RelaySettings
from relay.persona import load
from tests.tools.persona.conftest import Run
from tools.pairing import issue, opened

DOLL = "24:6f:28:00:00:01"


def editor(script: str) -> str:
    """An EDITOR that does `script` to the text in `text`."""
    code = (
        "import sys, pathlib; path = pathlib.Path(sys.argv[1]); "
        f"text = path.read_text('utf-8'); {script}; path.write_text(text, 'utf-8')"
    )
    return shlex.join([sys.executable, "-c", code])


async def test_personas_are_listed_with_who_has_them(persona: Run, data: Path) -> None:
    await issue(RelaySettings(data=data), DOLL, name="코코", persona="study")
    await issue(RelaySettings(data=data), "other", name="초코")
    (data / "personas").mkdir()
    (data / "personas" / "broken.toml").write_text("name = 3", encoding="utf-8")
    code, output, errors = await persona("list")
    assert (code, errors) == (0, "")
    rows = {line.split()[0]: line for line in output.splitlines()[1:]}
    assert {"chacha", "chacha-en", "storyteller", "study-en", "broken"} <= set(rows)
    assert "초코, (the relay's own)" in rows["chacha"]
    assert "코코" in rows["study"]
    assert "✗" in rows["broken"]


async def test_the_prompt_is_shown_as_it_is_now_and_the_file_as_it_is(persona: Run) -> None:
    code, output, _ = await persona("show")
    assert code == 0
    assert "너는 차차" in output
    assert "지금은 20" in output
    code, output, _ = await persona("show", "study-en", "--file")
    assert (code, output.count('name = "Daon"')) == (0, 1)
    code, _, errors = await persona("show", "nobody")
    assert code == 1
    assert errors.startswith("doll persona show: There is no persona 'nobody'; there are chacha")


async def test_a_shipped_persona_is_edited_as_a_copy_of_ones_own(persona: Run, data: Path) -> None:
    change = editor("text = text.replace('도란', '나무')")
    code, output, _ = await persona("edit", "storyteller", editor=change)
    assert code == 0
    assert "storyteller.toml" in output
    own = data / "personas"
    assert load("storyteller", own).name == "나무"
    assert load("storyteller").name == "도란"
    code, output, _ = await persona("edit", "storyteller")
    assert (code, "Nothing was changed" in output) == (0, True)


async def test_a_new_one_begins_as_another(persona: Run, data: Path) -> None:
    change = editor("text = text.replace('다온', '하루')")
    assert (await persona("edit", "mine", "--from", "study", editor=change))[0] == 0
    assert load("mine", data / "personas").name == "하루"
    code, _, errors = await persona("edit", "new", editor=change)
    assert code == 1
    assert "There is no persona 'new'" in errors


async def test_what_cannot_be_used_never_takes_the_place_of_what_can(
    persona: Run, data: Path
) -> None:
    assert (await persona("edit", "mine", "--from", "study"))[0] == 0
    path = data / "personas" / "mine.toml"
    before = path.read_bytes()
    wrong = editor("text = text.replace('owner =', 'ownr =')")
    code, output, errors = await persona("edit", "mine", editor=wrong, typed="n\n")
    assert code == 1
    assert "mine.toml, line 5: `ownr` is not known here" in output
    assert "was left as it was" in errors
    assert path.read_bytes() == before
    mended = editor(
        "text = text.replace('ownr =', 'owner =') if 'ownr' in text "
        "else text.replace('owner =', 'ownr =') + '# mended'"
    )
    code, output, _ = await persona("edit", "mine", editor=mended, typed="y\n")
    assert code == 0
    assert path.read_text(encoding="utf-8").endswith("# mended")


@pytest.mark.parametrize(
    ("arguments", "editor", "said"),
    [
        (("edit", "chacha"), "no-such-editor", "There is no editor"),
        (("edit", "chacha"), "false", "nothing was changed"),
        (("edit", ".hidden"), "true", "is no name"),
    ],
)
async def test_why_it_cannot_be_edited_is_told(
    persona: Run, arguments: tuple[str, ...], editor: str, said: str
) -> None:
    code, _, errors = await persona(*arguments, editor=editor)
    assert code == 1
    assert said in errors


async def test_a_doll_is_given_a_persona(persona: Run, data: Path) -> None:
    await issue(RelaySettings(data=data), DOLL, name="코코")
    code, output, _ = await persona("set", "storyteller-en", "코코")
    assert (code, "코코" in output) == (0, True)
    async with opened(RelaySettings(data=data)) as registry:
        assert (await registry.find("코코")).persona == "storyteller-en"
    assert (await persona("set", "nobody", "코코"))[0] == 1


async def test_one_can_chat_without_a_doll(persona: Run) -> None:
    code, output, errors = await persona("try", typed="안녕\n\nwhat is two plus three?\n/quit\n")
    assert (code, errors) == (0, "")
    assert "Brain: local" in output
    answers = [line for line in output.splitlines() if "차차:" in line]
    assert len(answers) == 3, "a greeting and two answers"
    assert "five" in answers[2].lower()
