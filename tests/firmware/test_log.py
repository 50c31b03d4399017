"""Lines on the console: one event each, whatever the text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]


def test_a_line_has_a_level_and_its_text(micropython: Micropython) -> None:
    assert micropython("""
from doll import log
log.error("a %d", 1)
log.warn("b")
log.info("c %s %s", "d", 2)
log.info("100 %")
log.debug("not seen")
log.debugging = True
log.debug("seen")
""") == ("[doll] E a 1\n[doll] W b\n[doll] I c d 2\n[doll] I 100 %\n[doll] D seen\n")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("안녕", "안녕"),
        ("a\n[doll] I state idle", "a [doll] I state idle"),
        ("\x1b[31mred\x7f", " [31mred "),
        (7, "7"),
        (None, "None"),
        ([1], "(no text)"),
        ({"a": 1}, "(no text)"),
        ("x" * 1000, "x" * 400),
    ],
)
def test_text_from_outside_cannot_forge_a_line(
    micropython: Micropython, text: object, clean: str
) -> None:
    script = f"from doll import log\nlog.info('heard %s', log.clean({text!r}))\n"
    assert micropython(script) == f"[doll] I heard {clean}\n"
