"""The log of a relay in a process of its own, as another program reads it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from relay import log
log.configure({style!r}, "info")
one = structlog.get_logger().bind(device="doll-1", session="s", turn=3)
one.info("turn", endpoint=600)
one.debug("heard", text="a secret of hers")
try:
    raise ValueError("두 줄\\nlong")
except ValueError:
    one.exception("turn failed", kind="internal")
logging.getLogger("library").warning("%s is slow", "it")
"""


def lines(style: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(style=style)],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_json_is_an_object_a_line_with_the_doll_the_session_and_the_turn() -> None:
    turn, failed, library = (json.loads(line) for line in lines("json"))
    assert (turn["event"], turn["level"], turn["endpoint"]) == ("turn", "info", 600)
    assert (turn["device"], turn["session"], turn["turn"]) == ("doll-1", "s", 3)
    assert turn["timestamp"]
    assert failed["level"] == "error"
    assert "두 줄\nlong" in failed["exception"]
    assert (library["event"], library["level"]) == ("it is slow", "warning")


def test_what_is_said_is_in_neither_form_at_level_info() -> None:
    for style in ("json", "text"):
        assert "secret" not in "\n".join(lines(style))
