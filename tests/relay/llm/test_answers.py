from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.answers import AnswerReader, JsonAnswer
from relay.llm.base import Action, Emotion, Heard, MemoryNote, Part
from relay.llm.emotions import NAMES

LANGUAGES = ("ko", "en")

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("가나다 하.,!?\"\\'{}[]:\n\t😀\u2028"),
        st.characters(codec="utf-8", exclude_categories=("Cc",)),
    ),
    max_size=60,
)
NAME = st.sampled_from(sorted(NAMES))


@st.composite
def split(draw: st.DrawFn, text: str) -> list[str]:
    """The text in pieces of any length."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def read(pieces: list[str], reader: AnswerReader) -> list[Heard | Part]:
    parts = [part for piece in pieces for part in reader.push(piece)]
    return [*parts, *reader.finish()]


def spoken(parts: list[Heard | Part]) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def answer(text: str) -> list[Heard | Part]:
    """Of one that comes letter by letter."""
    return read(list(text), JsonAnswer())


@given(st.data(), NAME, TEXT, TEXT, st.booleans(), st.sampled_from([None, 2]))
def test_however_it_is_cut_the_answer_is_what_was_meant(
    data: st.DataObject, emotion: str, reply: str, note: str, escaped: bool, indent: int | None
) -> None:
    fields = {"emotion": emotion, "reply": reply, "memory_note": note}
    text = json.dumps(fields, ensure_ascii=escaped, indent=indent)
    parts = read(data.draw(split(text)), JsonAnswer())
    assert parts[0] == Emotion(emotion)
    assert spoken(parts) == reply.lstrip()
    notes = [part.text for part in parts if isinstance(part, MemoryNote)]
    assert notes == ([" ".join(note.split())] if note.strip() else [])


@given(st.data(), NAME, TEXT)
def test_an_answer_that_is_cut_off_is_spoken_up_to_there(
    data: st.DataObject, emotion: str, reply: str
) -> None:
    text = json.dumps({"emotion": emotion, "reply": reply, "memory_note": "."}, ensure_ascii=False)
    cut = data.draw(st.integers(0, len(text)))
    said = spoken(read(data.draw(split(text[:cut])), JsonAnswer()))
    assert reply.lstrip().startswith(said)
    if cut > text.index('"memory_note"'):
        assert said == reply.lstrip()


@given(st.data(), st.text(max_size=300), st.booleans())
def test_whatever_comes_is_read_without_a_failure(
    data: st.DataObject, text: str, hears: bool
) -> None:
    parts = read(data.draw(split(text)), JsonAnswer(LANGUAGES if hears else ()))
    assert sum(isinstance(part, Heard) for part in parts) <= 1
    assert all(parts)
    spoken(parts).encode()


JUNK = st.text(alphabet="{}[]\":,\\ '`\njsonreplyemotion가나", max_size=80)


@given(st.data(), JUNK)
def test_braces_are_never_spoken(data: st.DataObject, junk: str) -> None:
    said = spoken(read(data.draw(split("{" + junk)), JsonAnswer()))
    if '"' not in junk and "'" not in junk:  # a brace inside of a string is a letter like any other
        assert not set(said) & set("{}")


@given(st.data(), st.text(alphabet="가나다 ab.!?j`", max_size=60))
def test_plain_text_is_spoken_as_it_is(data: st.DataObject, text: str) -> None:
    said = spoken(read(data.draw(split(text)), JsonAnswer()))
    assert said.replace("`", "").split() == text.replace("`", "").split()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('```json\n{"emotion":"happy","reply":"응."}\n```', "응."),
        ('``` json {"reply":"응."}```', "응."),
        ('[{"reply":"응."}]', "응."),
        ('{"reply":"응."}{"reply":"아니."}', "응."),
        ('{"reply":"응."} 그렇지?', "응."),
        ('{"reply":"그는 "안녕" 하고, 갔어.","memory_note":""}', '그는 "안녕" 하고, 갔어.'),
        ('{"reply":"첫 줄\n둘째 줄"}', "첫 줄 둘째 줄"),
        (r'{"reply":"it\'s \q me"}', "it's q me"),
        (r'{"reply":"반쪽 \ud83d 글자"}', "반쪽  글자"),
        (r'{"reply":"\ud83d\ude00 응"}', "😀 응"),
        (r'{"reply":"\q \ud83d\ude00 응"}', "q 😀 응"),
        ('{"emotion":"happy","reply":"응."', "응."),
        ('{"emotion":"happy","reply":"응', "응"),
        ("{'emotion': 'happy', 'reply': '응.'}", "응."),
        ('{emotion: "happy", reply: "응."}', "응."),
        ('{"emotion":"happy","response":"응."}', "응."),
        ('{"emotion":"happy","reply":["하나.","둘."]}', "하나. 둘."),
        ('{"emotion":"happy","reply":""}', ""),
        ('{"emotion":"happy"', ""),
        ('{"emotion":"happ', ""),
        ("{", ""),
        ("", ""),
        ("{그냥 말}", "그냥 말"),
        ('그래. {"reply":"응."}', "그래. 응."),
        ("json이 뭐냐고?", "json이 뭐냐고?"),
        ("js", "js"),
    ],
)
def test_what_is_there_is_spoken(text: str, said: str) -> None:
    assert spoken(answer(text)) == said
    assert spoken(read([text], JsonAnswer())) == said


def test_the_reply_is_spoken_while_it_grows() -> None:
    reader = JsonAnswer()
    assert reader.push('{"emotion":"sad","rep') == []
    assert reader.push('ly":"옛날 ') == [Emotion("sad"), "옛날 "]
    assert reader.push("옛날에") == ["옛날에"]
    assert reader.push(" \\u") == [" "]
    assert reader.push(
        "c6a9",
    ) == ["용"]
    assert reader.push('","memory_note":"용을 좋아해"') == []
    assert reader.push("}") == [MemoryNote("용을 좋아해")]
    assert reader.push("무엇이든") == []


@pytest.mark.parametrize(
    ("emotion", "known"),
    [("happy", "happy"), (" HAPPY ", "happy"), ("furious", None), (3, None), (None, None)],
)
def test_only_the_protocols_emotions_are_felt(emotion: Any, known: str | None) -> None:
    parts = answer(json.dumps({"emotion": emotion, "reply": "응"}))
    assert [part.name for part in parts if isinstance(part, Emotion)] == ([known] if known else [])
    assert spoken(parts) == "응"


def test_a_note_is_one_short_line_and_not_half_a_one() -> None:
    [_, note] = answer(json.dumps({"reply": "응", "memory_note": "가 \n" * 200}))
    assert isinstance(note, MemoryNote)
    assert len(note.text) == 200
    assert "\n" not in note.text
    assert answer('{"reply":"응","memory_note":"진주는 사과를 싫') == ["응"]


def heard(**fields: Any) -> list[Heard | Part]:
    return read(list(json.dumps(fields, ensure_ascii=False)), JsonAnswer(LANGUAGES))


def test_actions_come_last_and_are_never_spoken() -> None:
    fields = {
        "emotion": "happy",
        "reply": "알았어.",
        "memory_note": "",
        "actions": [{"tool": "self.volume", "volume": 40}],
    }
    text = json.dumps(fields, ensure_ascii=False)
    parts = read(list(text), JsonAnswer())
    assert parts[-1] == Action("self.volume", {"volume": 40})
    assert spoken(parts) == "알았어."
    cut_off = read(list(text[:-4]), JsonAnswer())
    assert spoken(cut_off) == "알았어."
    assert not any(isinstance(part, Action) for part in cut_off)


def test_what_was_heard_comes_before_the_answer() -> None:
    parts = heard(heard="speech", transcript="안녕?", emotion="happy", reply="왔어?")
    assert parts[:2] == [Heard("speech", "안녕?", "ko"), Emotion("happy")]
    assert spoken(parts) == "왔어?"


@pytest.mark.parametrize("kind", ["noise", "none"])
def test_where_nothing_was_said_nothing_is_answered(kind: Any) -> None:
    reader = JsonAnswer(LANGUAGES)
    text = json.dumps({"heard": kind, "transcript": "", "emotion": "happy", "reply": "뭐라고?"})
    assert read(list(text), reader) == [Heard(kind, "", "ko")]
    assert reader.unheard


def test_speech_without_words_is_nothing_heard() -> None:
    assert heard(heard="speech", transcript=" ", reply="뭐?") == [Heard("none", "", "ko")]


def test_an_answer_without_a_transcript_is_spoken_all_the_same() -> None:
    assert heard(reply="응", emotion="happy")[0] == Heard("speech", "", "ko")
    assert read(["그냥 말", "."], JsonAnswer(LANGUAGES)) == [
        Heard("speech", "", "ko"),
        "그냥 말",
        ".",
    ]


@pytest.mark.parametrize(
    ("transcript", "told", "language"),
    [
        ("How are you?", "en", "en"),
        ("How are you?", None, "ko"),  # the likeliest
        ("안녕", "en", "ko"),
        ("C++ 좋아해?", "en", "ko"),
        ("hola", "es", "ko"),
    ],
)
def test_the_script_tells_the_language_then_the_model(
    transcript: str, told: str | None, language: str
) -> None:
    parts = heard(heard="speech", language=told, transcript=transcript, reply="응")
    assert parts[0] == Heard("speech", transcript, language)


def test_an_answer_cut_off_within_the_transcript_speaks_nothing_of_it() -> None:
    text = '{"heard":"speech","transcript":"안녕, 나는'
    assert spoken(read(list(text), JsonAnswer(LANGUAGES))) == ""
