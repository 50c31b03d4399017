"""Pronounced syllables become phonemes, with the sounds that depend on their neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.korean.ipa import phonemes
from relay.tts.korean.jamo import take_apart
from relay.tts.korean.pronounce import pronounce


def say(words: str) -> str:
    return phonemes([take_apart(word) for word in words.split()])


@pytest.mark.parametrize(
    ("pronounced", "signs"),
    [
        ("가가", "kaɡa"),  # voiced between vowels
        ("감기", "kamɡi"),  # and behind a nasal
        ("각가", "kakka"),  # not behind an obstruent
        ("아빠", "aʔpa"),  # a glottal stop marks a tense consonant
        ("시사", "ɕisa"),  # palatal before i
        ("달라", "talla"),
        ("나라", "naɾa"),
        ("의자", "ɰiʥa"),
        ("강아지", "kaŋaʥi"),
        ("차 타", "ʨʰʰa tʰʰa"),  # strong aspiration where a word begins
        ("아파", "apʰa"),
        ("빵", "ʔpaŋ"),
        ("씨", "ʔɕi"),
        ("먹따", "mɔkta"),  # none behind an obstruent, which is one itself
        ("가 가", "ka ka"),  # a word begins voiceless
    ],
)
def test_sounds_and_their_neighbours(pronounced: str, signs: str) -> None:
    assert say(pronounced) == signs


@given(st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), max_size=12))
def test_every_pronounced_word_has_a_vowel_per_syllable(word: str) -> None:
    signs = say(pronounce(word))
    assert sum(sign in "aɛɔeouɯi" for sign in signs) == len(word)
