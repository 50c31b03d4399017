from __future__ import annotations

import os
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.persona import Exchange, PersonaError, load
from relay.persona.loader import MAX_FILE_BYTES, SHIPPED, names
from relay.persona.quiet import QuietHours

MORE = """\
wake = ["몽아"]
rules = ["노래하지 마."]

[lights]
happy = "#ffA000"
sad = "#1e3cff"

[quiet]
from = 22:30:00
to = "07:00"
answers = "called"
volume = 25

[[examples]]
"""

GOOD = """\
name = "몽이"
owner = "수아"
languages = ["ko", "en"]
character = "너는 {name}, {owner}의 친구야."

[[examples]]
heard = "안녕"
said = "왔구나."

[lines.ko]
greeting = ["{owner}, 안녕!", "안녕!"]

[lines.ko.failure]
network = "인터넷이 이상해."
"""


def write(folder: Path, text: str, name: str = "mong") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def wrong(folder: Path, text: str) -> str:
    with pytest.raises(PersonaError) as caught:
        load(write(folder, text))
    message = str(caught.value)
    assert message.count("\n") == 0
    assert "mong.toml" in message
    return message


def test_reads_all_that_a_file_says(tmp_path: Path) -> None:
    persona = load(write(tmp_path, GOOD))
    assert (persona.name, persona.owner, persona.voice) == ("몽이", "수아", "")
    assert (persona.language, persona.languages) == ("ko", ("ko", "en"))
    assert persona.character == "너는 {name}, {owner}의 친구야."
    assert persona.examples == (Exchange("안녕", "왔구나."),)
    assert persona.lines == {
        "ko": {"greeting": ("수아, 안녕!", "안녕!"), "failure.network": ("인터넷이 이상해.",)}
    }


def test_reads_rules_wake_names_lights_and_quiet_hours(tmp_path: Path) -> None:
    persona = load(write(tmp_path, GOOD.replace("[[examples]]\n", MORE)))
    assert persona.rules == ("노래하지 마.",)
    assert persona.calls == ("몽이", "몽아")
    assert persona.lights == {"happy": 0xFFA000, "sad": 0x1E3CFF}
    assert persona.quiet == QuietHours(time(22, 30), time(7), called=True, volume=0.25)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('"#1e3cff"', '"blue"'), 11, "`sad` must be a colour"),
        (('"#1e3cff"', '"#10d020"'), 11, "the microphone is open"),
        (("sad =", "gloomy ="), 11, "`gloomy` is no emotion"),
        (('"07:00"', '"7 in the morning"'), 15, "`quiet.to` must be a time of day"),
        (("22:30:00", "1979-05-27T22:30:00Z"), 14, "`quiet.from` must be a time of day"),
        (('"07:00"', '"22:30"'), 14, "the same time"),
        (("to =", "until ="), 13, "`from` and `to`"),
        (('"called"', '"never"'), 16, "`quiet.answers`"),
        (("volume = 25", "volume = 0"), 17, "`quiet.volume`"),
        (("volume = 25", "volume = true"), 17, "`quiet.volume`"),
        (("volume", "loudness"), 17, "`quiet.loudness` is not known"),
        (('["몽아"]', '"몽아"'), 6, "`wake` must be a list"),
        (('["노래하지 마."]', '[""]'), 7, "`rules` must be a list"),
        (("greeting =", "greating ="), 24, "`lines.ko.greating` is no line"),
    ],
)
def test_says_what_is_wrong_with_those_and_where(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    text = GOOD.replace("[[examples]]\n", MORE)
    assert change[0] in text
    message = wrong(tmp_path, text.replace(*change, 1))
    assert f"line {line}:" in message, message
    assert said in message


def test_names_may_be_written_another_way_in_another_language(tmp_path: Path) -> None:
    text = f'{GOOD}\n[lines.en]\ngreeting = "Hi, {{owner}}!"\n[names.en]\nowner = "Sua"\n'
    persona = load(write(tmp_path, text))
    assert persona.names_in("ko") == ("몽이", "수아")
    assert persona.names_in("en") == ("몽이", "Sua")
    assert persona.lines["en"]["greeting"] == ("Hi, Sua!",)
    assert persona.lines["ko"]["greeting"][0] == "수아, 안녕!"


def test_a_doll_without_an_owner_says_no_line_with_a_hole_in_it(tmp_path: Path) -> None:
    persona = load(write(tmp_path, GOOD.replace('owner = "수아"\n', "")))
    assert persona.owner == ""
    assert persona.lines["ko"]["greeting"] == ("안녕!",)


SHIPPED_NAMES = ["chacha", "chacha-en", "storyteller", "storyteller-en", "study", "study-en"]


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_the_shipped_personas_load(name: str) -> None:
    persona = load(name)
    assert persona.examples
    assert set(persona.lines) == set(persona.languages)
    assert all(lines["greeting"] for lines in persona.lines.values())


def test_the_owners_own_persona_comes_before_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "chacha")
    assert load("chacha", tmp_path).name == "몽이"
    assert load("chacha-en", tmp_path).name == "ChaCha"
    assert names(tmp_path) == names()
    write(tmp_path, GOOD, "mong")
    assert set(names(tmp_path)) == {*names(), "mong"}


def test_a_name_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(PersonaError, match=r"'nobody'; there are chacha, chacha-en"):
        load("nobody")


def test_a_name_does_not_leave_its_directory(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "outside")
    inside = tmp_path / "personas"
    inside.mkdir()
    with pytest.raises(PersonaError):
        load("../outside", inside)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('owner = "수아"', "owner = 3"), 2, "`owner` must be text"),
        (('name = "몽이"', 'name = " "'), 1, "`name` is empty"),
        (('name = "몽이"', f'name = "{"몽" * 41}"'), 1, "at most 40"),
        (('["ko", "en"]', '"ko"'), 3, "list of language codes"),
        (('["ko", "en"]', '["Korean"]'), 3, "list of language codes"),
        (('["ko", "en"]', "[]"), 3, "list of language codes"),
        (('["ko", "en"]', '["ko", "ko"]'), 3, "list of language codes"),
        (("owner =", "ownr ="), 2, "`ownr` is not known"),
        (('said = "왔구나."', ""), 6, "example 1"),
        (('said = "왔구나."', 'said = ""'), 6, "example 1"),
        (('["{owner}, 안녕!", "안녕!"]', "[]"), 11, "`lines.ko.greeting`"),
        (('"인터넷이 이상해."', "7"), 14, "`lines.ko.failure.network`"),
        (("[lines.ko]", "[lines.Korean]"), 10, "`lines.Korean`"),
        (("owner =", "owner"), 2, "not valid TOML"),
        (("[lines.ko]", "[names.en]\nname = 3\n[lines.ko]"), 10, "`names.en`"),
        (("[lines.ko]", '[names.en]\nnick = "M"\n[lines.ko]'), 10, "`names.en`"),
    ],
)
def test_says_in_one_sentence_what_is_wrong_and_where(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    message = wrong(tmp_path, text)
    assert f"line {line}" in message
    assert said in message


@pytest.mark.parametrize("key", ["name", "character", "languages"])
def test_says_what_is_missing(tmp_path: Path, key: str) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
    assert f"`{key}`" in wrong(tmp_path, "\n".join(lines))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="cannot be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(PersonaError, match="cannot be read"):
        load(tmp_path / "folder.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(PersonaError, match="not UTF-8"):
        load(tmp_path / "latin.toml")
    (tmp_path / "big.toml").write_text("#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(PersonaError, match="at most"):
        load(tmp_path / "big.toml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_persona_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.toml"
    path.write_bytes(data)
    with pytest.raises(PersonaError, match=path.name):
        load(path)


def test_no_file_but_personas_lies_among_the_shipped_ones() -> None:
    assert {path.stem for path in SHIPPED.glob("*.toml")} == {*SHIPPED_NAMES}
