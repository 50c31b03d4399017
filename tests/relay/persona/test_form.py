"""The fields of a persona's file and its text: neither loses what the other wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.persona import PersonaError
from relay.persona.form import Form, Quiet, read, write
from relay.persona.loader import SHIPPED

CHACHA = (SHIPPED / "chacha.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_a_form_that_changes_nothing_leaves_every_byte(path) -> None:
    text = path.read_text(encoding="utf-8")
    assert write(text, read(text)) == text


def test_all_that_the_file_says_is_in_the_form() -> None:
    form = read(CHACHA)
    assert (form.name, form.owner, form.languages) == ("차차", "진주", ["ko", "en"])
    assert form.character.startswith("너는 {name}")
    assert (len(form.rules), len(form.lines["ko"]["greeting"])) == (3, 3)
    assert form.lights["happy"] == "#ff8fb1"
    assert form.quiet is None


def test_comments_and_what_a_form_does_not_show_stay() -> None:
    form = read(CHACHA)
    changed = replace(
        form,
        owner="보라",
        voice="own:jinju",
        rules=[*form.rules[:2], "새 규칙이야.", "하나 더."],
        lines={**form.lines, "ko": {"greeting": ["왔네."], "thinking": ["음…", "글쎄."]}},
        lights={**form.lights, "cool": "#0000ff"},
        quiet=Quiet("22:30", "07:00", "called", 30),
    )
    text = write(CHACHA, changed)
    assert read(text) == changed
    for line in (
        "# 차차: the doll's own character",
        'voice = "own:jinju"                # a voice of the configured TTS',
        "# The light's colours;",
        '[[examples]]\nheard = "차차야, 나 왔어."',
        '[names.en]\nname = "ChaCha"',
        "# Hours in which the doll is soft",
        "from = 22:30:00",
    ):
        assert line in text, line


def test_what_is_emptied_is_removed_and_comes_back() -> None:
    form = read(CHACHA)
    bare = replace(form, rules=[], wake=[], lights={}, lines={"ko": {"greeting": []}})
    text = write(CHACHA, bare)
    assert (read(text).rules, read(text).lights, read(text).wake) == ([], {}, [])
    assert "greeting" not in read(text).lines["ko"]
    assert read(text).lines["en"] == form.lines["en"]
    back = write(text, form)
    assert read(back) == form


def test_what_is_no_toml_is_told() -> None:
    for work in (lambda: read("name = 차차"), lambda: write("x", Form())):
        with pytest.raises(PersonaError):
            work()


def test_fields_of_the_wrong_kind_are_shown_empty_and_may_be_mended() -> None:
    odd = 'name = 3\nlanguages = "ko"\nlights = 4\nlines = [1]\nquiet = "x"\nrules = [1, "a"]\n'
    form = read(odd)
    assert (form.name, form.languages, form.lights, form.lines) == ("", [], {}, {})
    assert 'name = "모모"' in write(odd, replace(form, name="모모"))


@pytest.mark.parametrize(
    "odd",
    ['lines.ko.greeting = "x"\n', "[[lines]]\n", "lines.ko = 5\n", "[lines.ko.greeting]\na = 1\n"],
)
def test_what_is_written_too_oddly_is_refused_or_said(odd: str) -> None:
    wanted = Form(name="모모", lines={"ko": {"greeting": ["안녕."]}})
    try:
        found = read(write(odd, wanted))
    except PersonaError:
        return
    assert (found.name, found.lines["ko"]["greeting"]) == ("모모", ["안녕."])


_words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text and text
)
_long = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=60
).map(str.strip)
_forms = st.builds(
    Form,
    name=_words,
    owner=st.one_of(st.just(""), _words),
    languages=st.just(["ko"]),
    voice=st.one_of(st.just(""), _words),
    character=_long,
    rules=st.lists(_words, max_size=4),
    wake=st.lists(_words, max_size=3),
    lines=st.dictionaries(
        st.sampled_from(["ko", "en"]),
        st.dictionaries(
            st.sampled_from(["greeting", "thinking", "waiting"]),
            st.lists(_words, min_size=1, max_size=3),
            min_size=1,
        ),
        max_size=2,
    ),
    lights=st.dictionaries(st.sampled_from(["happy", "sad"]), st.just("#ff0000")),
    quiet=st.one_of(st.none(), st.builds(Quiet, st.just("22:30"), st.just("07:05"))),
)


@settings(max_examples=60, deadline=None)
@given(_forms, st.sampled_from(["", 'name = "x"\n[names.en]\nname = "y"\n', CHACHA]))
def test_what_a_form_says_is_what_the_text_says(form: Form, before: str) -> None:
    text = write(before, form)
    found = read(text)
    kept = {language: read(before).lines.get(language, {}) for language in found.lines}
    lines = {
        language: {**kept[language], **form.lines.get(language, {})} for language in found.lines
    }
    assert found == replace(form, lines=lines)
    assert write(text, found) == text
