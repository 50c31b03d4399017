"""What a model may have the doll do, asked for along with the answer: no request more.

A model that answers by fields gets one more, `actions`: a list of objects that name a tool and hold
its arguments beside it. All tools share one flat object, since that is what every model with a
schema understands. Whatever comes back is a wish: the doll's session checks it against the owner's
list and against what the doll has told (`relay.devices.mcp.Toolbox`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from relay.devices.tools import Parameter, Tool
from relay.llm.base import Action

#: The field of an answer.
FIELD = "actions"

#: The key in it that names the tool.
TOOL = "tool"

MAX_ACTIONS = 3  #: of one answer
_MAX_ARGUMENTS = 8

_WORDS = Path(__file__).parent / "actions.toml"
_NO_MARKS = str.maketrans({"<": "(", ">": ")", "{": "(", "}": ")", "\n": " "})


def usable(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Those whose arguments fit in one object: where two mean something else by one name, the
    second is left out."""
    kinds: dict[str, str] = {TOOL: "string"}
    kept = []
    for tool in tools:
        mine = {parameter.name: parameter.kind for parameter in tool.parameters}
        if TOOL not in mine and all(kinds.get(name, kind) == kind for name, kind in mine.items()):
            kinds |= mine
            kept.append(tool)
    return tuple(kept)


def parameters(tools: Sequence[Tool]) -> dict[str, Parameter]:
    """All arguments of the tools by name."""
    return {parameter.name: parameter for tool in tools for parameter in tool.parameters}


def instructions(tools: Sequence[Tool], language: str) -> str:
    """The paragraph of a system prompt that tells what there is, and when to use it."""
    words = _words(language)
    lines = [words["when"].strip()]
    for tool in tools:
        arguments = ", ".join(map(_described, tool.parameters))
        lines.append(f"- {tool.name}({arguments}): {described(tool, language)}")
    return "\n".join(lines)


def described(tool: Tool, language: str) -> str:
    """What a tool does: in our words where we know it, else in the doll's, which are only data."""
    known: str | None = _words(language)["tools"].get(tool.name)
    return known or tool.description.translate(_NO_MARKS)


def about_photo(question: str, language: str) -> str:
    """What a model that sees is asked, along with the photo."""
    asked: str = _words(language)["photo"]
    return asked.strip().replace("{question}", question.translate(_NO_MARKS))


def read(field: object) -> list[Action]:
    """The wishes in what a model has put in the field; what is none is left out."""
    found: list[Action] = []
    for item in field if isinstance(field, list) else ():
        if isinstance(item, Mapping) and isinstance(name := item.get(TOOL), str):
            arguments = {key: value for key, value in item.items() if key != TOOL}
            if len(arguments) <= _MAX_ARGUMENTS:
                found.append(Action(name, arguments))
    return found[:MAX_ACTIONS]


def _described(parameter: Parameter) -> str:
    bounds = ""
    if parameter.choices:
        bounds = " " + "|".join(map(str, parameter.choices)).translate(_NO_MARKS)
    elif parameter.minimum is not None and parameter.maximum is not None:
        bounds = f" {parameter.minimum:g}-{parameter.maximum:g}"
    return f"{parameter.name}: {parameter.kind}{bounds}"


@cache
def _words(language: str) -> dict[str, Any]:
    languages = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    found: dict[str, Any] = languages.get(language, languages["en"])
    return found
