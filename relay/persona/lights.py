"""The colours that a character's feelings have on the doll's light."""

from __future__ import annotations

import re
from typing import Any

from relay.llm.emotions import NAMES

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def read(table: Any) -> dict[str, int]:
    """Read the table [lights] of a persona: emotion -> 0xRRGGBB.

    Raises ValueError: what is wrong with it, with the key first.
    """
    if not isinstance(table, dict):
        raise ValueError('`lights` must be a table of colours, such as happy = "#ffa000"')
    colours = {}
    for emotion, value in table.items():
        if emotion not in NAMES:
            raise ValueError(f"`{emotion}` is no emotion; they are {', '.join(NAMES)}")
        if not isinstance(value, str) or not _COLOUR.fullmatch(value):
            raise ValueError(f'`{emotion}` must be a colour, such as "#ffa000"')
        colour = int(value[1:], 16)
        if _is_green(colour):
            raise ValueError(
                f"`{emotion}` is green, which is kept for one thing: the microphone is open"
            )
        colours[emotion] = colour
    return colours


def _is_green(colour: int) -> bool:
    red, green, blue = colour >> 16, colour >> 8 & 255, colour & 255
    return green > 1.25 * max(red, blue)
