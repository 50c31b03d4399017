"""Faces and pictures go, and what only looks like one stays."""

from __future__ import annotations

import pytest

from relay.turn.emoticons import without_faces, without_pictures

FACES = r"""
^^ ^_^ ^^; ;; T_T T.T ㅠ_ㅠ :) :-) :-P :D ;) :'( =) :/ :3 <3 xD XD >_< -_- -_-;;
=_= o_O ㅇ_ㅇ ㅡㅡ ㅡㅡ;
(￣^￣) (>_<) (ㅠㅠ) (T_T) (^_^) (^^)/ (o^^o) (´・ω・`) (◕‿◕) (づ｡◕‿‿◕｡)づ
¯\_(ツ)_/¯ ヽ(・∀・)ノ (ㅇㅅㅇ) (;;)
"""

PICTURES = """
😀 ❤️ 👨‍👩‍👧‍👦 🇰🇷 👋🏽 ☀️ ⭐ ✨ ♪ ♥ ★ → ▶ ■ ✅ ⚡ 🫠 🫨 ㊗ ™ © ㅋㅋㅋ ㅎㅎ ㅠㅠ ㄷㄷ
"""


@pytest.mark.parametrize("face", FACES.split())
def test_a_face_is_not_spoken_wherever_it_stands(face: str) -> None:
    assert without_faces(face).split() == []
    assert without_faces(f"안녕 {face} 차차").split() == ["안녕", "차차"]


@pytest.mark.parametrize(
    "text",
    [
        "(x + y)",
        "(A/B)",
        "(2^3)",
        "(02)",
        "f(x)",
        "12:30",
        "3:4",
        "a:D",
        "(빨간 것)",
        "2^3",
        "x < 3",
        "T.V.",
    ],
)
def test_what_is_no_face_stays(text: str) -> None:
    assert without_faces(text) == text


@pytest.mark.parametrize("picture", PICTURES.split())
def test_a_picture_or_a_laugh_leaves_nothing(picture: str) -> None:
    assert without_pictures(picture).strip() == ""


@pytest.mark.parametrize(
    "text", ["5°C", "50%", "±1", "€5", "㎏", "½", "①", "ㄱ", "ㅋ", "×÷√", "№ 5", "& @"]
)
def test_signs_that_are_spoken_stay(text: str) -> None:
    assert without_pictures(text) == text


@pytest.mark.parametrize("text", ["a\u200bb", "a\ufeffb", "a\x00b", "a\ud800b", "a\u00adb"])
def test_what_cannot_be_seen_goes(text: str) -> None:
    assert without_pictures(text) == "ab"
