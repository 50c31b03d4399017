from __future__ import annotations

import pytest

from relay.tts.voices.checks import Finding, Judgement, Kind
from tools.texts import texts
from tools.voice import command
from tools.voice.findings import in_words


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("kind", list(Kind))
def test_each_finding_has_words_in_each_language(kind: Kind, language: str) -> None:
    judgement = Judgement((Finding(kind, 0.0123),), 5.0, 30.0, -20.0, 0.0, 5.0)
    figures, line = in_words(judgement, texts(command.__file__, language))
    assert "5.0" in figures
    assert line.strip()[0] in "!✗"
    assert "{" not in line


def test_a_share_is_told_in_percent() -> None:
    judgement = Judgement((Finding(Kind.CLIPPED, 0.0123),), 5.0, 30.0, -20.0, 0.0, 5.0)
    assert "1.23 %" in list(in_words(judgement, texts(command.__file__, "en")))[1]


def test_what_is_fine_is_said_to_be() -> None:
    lines = list(in_words(Judgement((), 5.0, 30.0, -20.0, 0.0, 5.0), texts(command.__file__, "en")))
    assert "✓" in lines[1]
