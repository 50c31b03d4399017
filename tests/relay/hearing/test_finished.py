from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.hearing.finished import Reading, read

_SENTENCES = Path(__file__).parents[3] / "tools" / "bench" / "hesitations"


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("밥 먹었어", Reading.FINISHED),
        ("집에 가자", Reading.FINISHED),
        ("이거 할게", Reading.FINISHED),  # -ㄹ게, a promise
        ("재미있게", Reading.UNFINISHED),  # -게, how
        ("그 가게", Reading.UNSURE),  # a shop
        ("배가 고픕니까?", Reading.FINISHED),  # -ㅂ니까, a question
        ("배고프니까", Reading.UNFINISHED),  # -니까, because
        ("뭐 하니?", Reading.FINISHED),
        ("우리 언니", Reading.UNSURE),
        ("엄마가", Reading.UNFINISHED),
        ("학교에서", Reading.UNFINISHED),
        ("파란 바다", Reading.UNSURE),
        ("좋은데", Reading.UNFINISHED),
        ("음…", Reading.UNFINISHED),
        ("이름은?", Reading.UNSURE),  # all of a question, or not
        ("차차야,", Reading.UNFINISHED),
        ("먹었어,", Reading.UNSURE),
        ("네.", Reading.FINISHED),
        ("고양이", Reading.UNSURE),
        ("지훈아", Reading.UNSURE),  # somebody is called
        ("정말 많아", Reading.FINISHED),
    ],
)
def test_korean_by_the_ending_of_the_last_word(text: str, reading: Reading) -> None:
    stop = "" if text.endswith(("?", "…", ",", ".")) else "."
    assert read(text + stop, "ko") is reading


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("What is your name?", Reading.FINISHED),
        ("What are you looking for?", Reading.LIKELY),
        ("I was looking for", Reading.UNFINISHED),
        ("And then I went to the", Reading.UNFINISHED),
        ("Because, um...", Reading.UNFINISHED),
        ("I went to school.", Reading.LIKELY),
        ("I went to school", Reading.UNSURE),
        ("I went to school...", Reading.UNSURE),
        ("Thank you!", Reading.FINISHED),
        ("I don\u2019t know.", Reading.FINISHED),  # a typographer's apostrophe
        ("A red balloon", Reading.UNSURE),
    ],
)
def test_english_by_what_no_sentence_ends_with(text: str, reading: Reading) -> None:
    assert read(text, "en") is reading


@pytest.mark.parametrize("text", ["", "  ", "?!", "'"])
def test_nothing_said_is_unsure(text: str) -> None:
    assert read(text, "ko") is read(text, "en") is Reading.UNSURE


@pytest.mark.parametrize(("text", "language"), [("밥 먹었어", "ko"), ("Thank you", "en")])
def test_what_has_no_full_stop_is_only_likely(text: str, language: str) -> None:
    assert read(text, language) is Reading.LIKELY


def test_a_language_without_rules_is_unsure() -> None:
    assert read("Ich heiße Anna.", "de") is Reading.UNSURE


def test_decomposed_korean_reads_as_composed() -> None:
    assert read("\u1112\u1161\u11af\u1100\u1166.", "ko") is Reading.FINISHED  # 할게


@given(st.text(), st.sampled_from(["ko", "en"]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    assert read(text, language) in Reading


@pytest.mark.parametrize("name", ["tuning", "held-out"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_cut_sentences_are_told_from_whole_ones(name: str, language: str) -> None:
    whole, cut = [], []
    for sentence in tomllib.loads((_SENTENCES / f"{name}.toml").read_text("utf-8"))[language]:
        parts = sentence.split(" | ")
        whole.append(read(" ".join(parts), language))
        # Recognisers end whatever they hear with a full stop.
        cut += [read(" ".join(parts[:n]) + ".", language) for n in range(1, len(parts))]
    assert sum(reading >= Reading.LIKELY for reading in whole) >= 0.9 * len(whole)
    assert sum(reading is Reading.UNFINISHED for reading in cut) >= 0.75 * len(cut)
    assert sum(reading >= Reading.LIKELY for reading in cut) <= 0.05 * len(cut)
    assert Reading.FINISHED not in cut


def test_no_entry_is_in_two_lists() -> None:
    source = resources.files("relay.hearing").joinpath("finished.toml").read_text("utf-8")
    for table in tomllib.loads(source)["ko"].values():
        entries = [entry for listed in table.values() for entry in listed]
        assert len(entries) == len(set(entries))
