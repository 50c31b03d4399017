"""How strict pairing is, and what a brain may have a doll do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSettings:
    """What the brain may have a doll do, by the names that the doll lists (MCP).

    A photo is taken only where there is a brain that sees.
    """

    allowed: tuple[str, ...] = (
        "self.audio_speaker.set_volume",
        "self.screen.set_brightness",
        "self.screen.set_theme",
        "self.light.set_brightness",
        "self.camera.take_photo",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingSettings:
    """Limits of what strangers can ask for, and how often a code may be guessed.

    With 16 codes open and 20 wrong guesses in ten minutes, a guess is right once in some 3,000
    times that somebody uses up all of them.
    """

    new_dolls: bool = True  #: one that is not known gets a code; if false it is turned away
    #: A browser that `doll open` has opened on the relay's own machine needs no code, while nobody
    #: else can reach the relay and it has no owner's password.
    browser_here: bool = True
    code_s: Annotated[int, Ge(60), Le(3600)] = 600  #: a code is good for so long
    waiting: Annotated[int, Ge(1), Le(1000)] = 16  #: codes that are good at the same time
    waiting_per_source: Annotated[int, Ge(1), Le(1000)] = 4  #: of those, from one address
    wrong_guesses: Annotated[int, Ge(1), Le(1000)] = 20  #: in `guess_window_s`, by everybody
    wrong_guesses_per_source: Annotated[int, Ge(1), Le(1000)] = 5
    guess_window_s: Annotated[int, Ge(60), Le(86_400)] = 600
