"""The clause splitter: where an answer is cut, when, and that nothing of it is lost."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay import locales
from relay.turn import sentences
from relay.turn.sentences import Clause, ClauseSplitter
from relay.turn.speakable import speakable


def split(text: str, language: str = "ko", size: int = 1, **lengths: int) -> list[str]:
    """The clauses of `text`, pushed `size` characters at a time."""
    return [clause.text for clause in clauses(text, language, size, **lengths)]


def clauses(text: str, language: str = "ko", size: int = 1, **lengths: int) -> list[Clause]:
    splitter = ClauseSplitter(language, **lengths)
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    return [c for piece in pieces for c in splitter.push(piece)] + splitter.flush()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("있잖아 진주야, 나 할 말 있어.", "있잖아 진주야,"),
        ("흥, 딱히 널 위해서 한 건 아니야…", "흥, 딱히 널 위해서 한 건 아니야…"),
        ("뭐?! 진짜?", "뭐?!"),
        ("전부 합치면 1,000원이야.", "전부 합치면 1,000원이야."),
        ("그때 걔가 (웃으면서, 크게) 말했어.", "그때 걔가 (웃으면서, 크게) 말했어."),
        ('걔가 나한테 "응, 좋아, 가자"라고 했어.', '걔가 나한테 "응, 좋아, 가자"라고 했어.'),
        (
            "나는 오늘 아침에 일찍 일어나서 밥을 먹고 학교에 갔다가 왔어.",
            "나는 오늘 아침에 일찍 일어나서 밥을 먹고",
        ),
    ],
)
def test_the_first_korean_clause_comes_early(text: str, first: str) -> None:
    assert split(text)[0] == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Well, of course, I can do it.", "Well, of course,"),
        ("Hi, I am ChaCha.", "Hi, I am ChaCha."),
        (
            "I went to the market this morning and bought apples for all of my friends.",
            "I went to the market this morning",
        ),
        ("That is 1,000,000 pearls, you know.", "That is 1,000,000 pearls,"),
    ],
)
def test_the_first_english_clause_comes_early(text: str, first: str) -> None:
    assert split(text, "en")[0] == first


def test_only_the_first_clause_ends_at_a_comma() -> None:
    text = "Well, of course, I can. On the other hand, I am tired."
    assert split(text, "en") == ["Well, of course,", "I can. On the other hand, I am tired."]


def test_short_sentences_are_spoken_with_the_next_one() -> None:
    assert split("안녕! 응. 그래. 나는 차차라고 해.") == ["안녕!", "응. 그래. 나는 차차라고 해."]


def test_lines_and_list_items_end_a_clause() -> None:
    text = "사려고 한 것:\n- 빨간 사과 세 개\n- 노란 바나나 두 개\n\n그게 다야"
    assert split(text) == ["사려고 한 것:", "- 빨간 사과 세 개", "- 노란 바나나 두 개", "그게 다야"]


def test_short_list_items_are_spoken_together_with_commas() -> None:
    assert clauses("좋아!\n- 배\n- 귤\n- 감\n") == [
        Clause("좋아!", "좋아!"),
        Clause("- 배 - 귤 - 감", "배, 귤, 감"),
    ]


def test_what_has_nothing_to_speak_is_never_a_clause() -> None:
    assert clauses("😊 ㅋㅋㅋ (한숨) ---\n***\n") == []
    assert clauses("안녕!\n---\n😀 잘 지냈어?") == [
        Clause("안녕!", "안녕!"),
        Clause("--- 😀 잘 지냈어?", "잘 지냈어?"),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_a_block_of_code_is_one_clause_that_says_so(size: int) -> None:
    code = "```python\nprint('a. b! c?')\n\nx = 1\n```"
    said = locales.text("ko", "speakable.code")
    assert clauses(f"이렇게 해 봐.\n{code}\n쉽지?", size=size) == [
        Clause("이렇게 해 봐.", "이렇게 해 봐."),
        Clause(code, said),
        Clause("쉽지?", "쉽지?"),
    ]


def test_code_that_never_closes_is_said_to_be_code_at_the_end() -> None:
    assert clauses("```\nprint(1)", "en") == [
        Clause("```\nprint(1)", locales.text("en", "speakable.code"))
    ]


def test_of_endless_code_only_the_beginning_is_kept() -> None:
    splitter = ClauseSplitter("en")
    for _ in range(10_000):
        assert splitter.push("x = 1\n" if _ else "```\n") == []
    (code,) = splitter.push("```")
    assert len(code.text) < 4100
    assert code.text.endswith("…\n```")


def test_a_long_sentence_is_cut_where_a_speaker_would_breathe() -> None:
    text = (
        "응. 옛날 아주 먼 옛날에 어느 깊은 산속 작은 마을에 착한 나무꾼이 살았는데, "
        "그 나무꾼은 날마다 산에 올라가서 나무를 베고 장에 내다 팔면서 늙으신 어머니와 둘이 살았어."
    )
    assert split(text) == [
        "응.",
        "옛날 아주 먼 옛날에 어느 깊은 산속 작은 마을에 착한 나무꾼이 살았는데,",
        "그 나무꾼은 날마다 산에 올라가서 나무를 베고 장에 내다 팔면서",
        "늙으신 어머니와 둘이 살았어.",
    ]


def test_text_without_spaces_is_cut_all_the_same() -> None:
    assert [len(c) for c in split("가" * 100)] == [48, 48, 4]
    assert max(len(c) for c in split("あ" * 100, "ja")) <= 48


def test_an_address_is_not_cut() -> None:
    url = "https://example.com/" + "a/" * 100
    assert clauses(f"여기야: {url} 알았지?")[1:] == [Clause(f"{url} 알았지?", "링크 알았지?")]


class TestWaiting:
    """What is given out with which character."""

    @pytest.mark.parametrize(
        ("before", "then"),
        [
            ("원주율은 3.", "14야. "),
            ("It is 3.", "14, ok. "),
            ("Hello Mr.", " Smith! "),
            ("Look at example.", "com! "),
            ("뭐?", "! "),
            ('걔가 "안녕."', "이라고 했어. "),
            ("No.", " 5! "),
            ("바…", "바보야! "),
        ],
    )
    def test_what_is_not_sure_waits_for_the_next_character(self, before: str, then: str) -> None:
        splitter = ClauseSplitter("en")
        early = [clause for char in before for clause in splitter.push(char)]
        assert early == []
        (clause,) = [clause for char in then for clause in splitter.push(char)]
        assert clause.text == (before + then).strip()

    @pytest.mark.parametrize(
        "piece",
        [
            "딱히 널 위해서 한 건 아니야.",
            "그건 아니야…",
            "정말로 그래?",
            "와 좋아!",
            "안녕 하세요。",
            "That is all.",
            "I can't.",
        ],
    )
    def test_a_large_piece_that_ends_with_a_sure_stop_is_given_out_at_once(
        self, piece: str
    ) -> None:
        assert [c.text for c in ClauseSplitter("ko").push(piece)] == [piece]

    @pytest.mark.parametrize(
        "piece",
        [
            "원주율은 3.",
            "Call Mr.",
            "at 5 p.m.",
            "This is v.",
            "나는 C.",
            "그게 바…",
            '걔가 "그래.',
            "여기야 https://example.com?",
            "(한 번 봐.",
            "제목은 가.",
        ],
    )
    def test_a_large_piece_that_ends_with_an_unsure_stop_waits(self, piece: str) -> None:
        assert ClauseSplitter("ko").push(piece) == []

    def test_stops_that_follow_a_clause_given_out_at_once_are_dropped(self) -> None:
        splitter = ClauseSplitter("ko")
        assert len(splitter.push("그건 정말 아니야.")) == 1
        assert splitter.push("..") == []
        assert [c.text for c in splitter.push(" 알았지?") + splitter.flush()] == ["알았지?"]

    def test_small_pieces_are_never_cut_on_a_guess(self) -> None:
        assert split("그건 정말 아니야... 알았지?") == ["그건 정말 아니야...", "알았지?"]

    def test_flush_ends_the_answer_and_begins_another(self) -> None:
        splitter = ClauseSplitter("ko")
        splitter.push("안녕")
        assert [c.text for c in splitter.flush()] == ["안녕"]
        assert splitter.flush() == []
        assert [c.text for c in splitter.push("있잖아 진주야, ")] == ["있잖아 진주야,"]


BRICKS = [
    *(
        "안녕",
        "차차야",
        "그래",
        "정말",
        "했어",
        "3.14",
        "1,000",
        "Mr.",
        "e.g.",
        "U.S.",
        "No.",
        "5",
        "p.m.",
    ),
    *(
        "Hello",
        "world",
        "ok",
        ".",
        "?",
        "!",
        "…",
        "...",
        "。",
        "？！",
        ",",
        "、",
        "~",
        "ㅋㅋㅋ",
        "ㅠㅠ",
    ),
    *(
        " ",
        " ",
        " ",
        " ",
        "\n",
        '"',
        "(",
        ")",
        "*",
        "**",
        "`",
        "😊",
        "- ",
        "https://a.b/c?d=e",
        "「",
        "」",
    ),
]
texts = st.one_of(
    st.lists(st.sampled_from(BRICKS), max_size=120).map("".join),
    st.text(max_size=200),
    st.text(alphabet=".?!…。 \n가a1\"'()*`,~ㅋ", max_size=200),
)
languages = st.sampled_from(["ko", "en"])


def find(text: str, clause: str, start: int) -> tuple[int, int]:
    """Where the words of `clause` stand in `text`, whatever the white space between them."""
    words = re.escape("".join(clause.split()))
    spaced = re.sub(r"(?<!\\)(?!\Z)", r"\\s*", words).removeprefix(r"\s*")
    match = re.compile(spaced).search(text, start)
    assert match, f"{clause!r} is not in {text[start:]!r}"
    return match.span()


def cut(text: str, seed: int, longest: int) -> list[str]:
    chance, pieces = random.Random(seed), []
    while text:
        size = chance.randint(1, longest)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@given(texts, languages, st.integers(0, 1 << 32))
@example("```a``` b```", "ko", 0)
def test_pieces_of_less_than_two_words_make_no_difference(
    text: str, language: str, seed: int
) -> None:
    splitter = ClauseSplitter(language)
    got = []
    for piece in cut(text, seed, 9):
        for part in [piece] if len(piece.split()) < 2 else piece:
            got += splitter.push(part)
    assert got + splitter.flush() == clauses(text, language)


def without_stops(text: str) -> str:
    return "".join(c for c in text if c not in ".?!…。？！｡")


@given(
    st.lists(
        st.sampled_from(["나는 그래", "정말 좋아", "I am fine", "흥"]), min_size=1, max_size=20
    ),
    st.lists(
        st.sampled_from([". ", "! ", "? ", "… ", "... ", "?! ", "\n"]), min_size=20, max_size=20
    ),
    st.integers(0, 1 << 32),
)
def test_large_pieces_may_only_drop_stops(words: list[str], ends: list[str], seed: int) -> None:
    text = "".join(word + end for word, end in zip(words, ends, strict=False))
    splitter = ClauseSplitter("ko")
    got = [c for piece in cut(text, seed, 40) for c in splitter.push(piece)] + splitter.flush()
    expected = clauses(text)
    assert [without_stops(c.text) for c in got] == [without_stops(c.text) for c in expected]


@given(texts, languages)
def test_no_word_is_lost_doubled_or_moved(text: str, language: str) -> None:
    text, at = text.replace("`", ""), 0
    for clause in clauses(text, language):
        start, end = find(text, clause.text, at)
        assert speakable(text[at:start], language) == ""
        at = end
    assert speakable(text[at:], language) == ""


@given(texts, languages)
def test_what_is_spoken_is_what_is_speakable_and_never_nothing(text: str, language: str) -> None:
    for clause in clauses(text, language):
        assert clause.speech
        assert clause.speech == clause.speech.strip()
        assert clause.text == clause.text.strip()


@given(texts, languages, st.integers(2, 200))
def test_clauses_are_bounded(text: str, language: str, most: int) -> None:
    for clause in clauses(text.replace("`", "").replace("://", ""), language, max_chars=most):
        assert len(clause.text) <= most


@pytest.mark.parametrize(
    "unit", ["가", "a", " ", "\n", ".", "!", "(", '"', "a. ", "3.", "ㅋ", "😀", "://"]
)
def test_what_is_held_back_is_bounded_and_each_character_is_looked_at_few_times(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0

    def counted(text: str, language: str) -> str:
        nonlocal looked_at
        looked_at += len(text)
        return speakable(text, language)

    monkeypatch.setattr(sentences, "speakable", counted)
    splitter = ClauseSplitter("en")
    text = unit * 20_000
    out = sum(len(c.text) for c in splitter.push(text))
    held_back = sum(len(c.text) for c in splitter.flush())
    assert held_back <= (400 if "://" in unit else 111)
    assert looked_at <= 60 * len(text)
    assert out + held_back <= len(text)
