"""What is wrong with a recording, and how to make a better one, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.tts.voices.checks import LONGEST_S, SHORTEST_S, Finding, Judgement


def in_words(judgement: Judgement, say: Mapping[str, str]) -> Iterator[str]:
    """A line of figures, and a line for each finding."""
    yield say["figures"].format(
        speech=judgement.speech_s, snr=judgement.snr_db, loudness=judgement.loudness_db
    )
    for finding in judgement.findings:
        mark = "!" if finding.bearable else "✗"
        yield f"  {mark} {_words(finding, say)}"
    if not judgement.findings:
        yield f"  ✓ {say['fine']}"


def _words(finding: Finding, say: Mapping[str, str]) -> str:
    value = finding.value * 100 if "clipped" in finding.kind else finding.value
    return say[f"finding_{finding.kind}"].format(
        value=value, shortest=SHORTEST_S, longest=LONGEST_S
    )
