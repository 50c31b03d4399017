"""The rules of pairing codes. Sans-I/O: what is known and the time come in, decisions go out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterable

from relay.devices.settings import PairingSettings

DIGITS = 6

_GAPS = re.compile(r"[\s.,-]+")


def new_code(taken: Collection[str], draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A random code that nobody else has just now. `draw(n)` gives a number below n."""
    while True:
        code = f"{draw(10**DIGITS):0{DIGITS}}"
        if code not in taken:
            return code


def read_code(text: str) -> str | None:
    """The code that a person has typed, with spaces or dashes as they like; None if it is none."""
    code = _GAPS.sub("", text)
    return code if len(code) == DIGITS and code.isascii() and code.isdigit() else None


def may_wait(source: str, waiting: Iterable[str], settings: PairingSettings) -> bool:
    """Whether one more device may have a code; `waiting` has the source of each that has one."""
    sources = list(waiting)
    return len(sources) < settings.waiting and sources.count(source) < settings.waiting_per_source


def wait_before_guess(
    source: str, wrong: Iterable[tuple[str, int]], now: int, settings: PairingSettings
) -> int:
    """Seconds until somebody may guess again, 0 for now. `wrong` has source and time of each wrong
    guess; a right one costs nothing, so a person who mistypes now and then is not shut out."""
    start = now - settings.guess_window_s
    recent = sorted((at, who) for who, at in wrong if at > start)
    own = [at for at, who in recent if who == source]
    waits = [0]
    if len(own) >= settings.wrong_guesses_per_source:
        waits.append(own[-settings.wrong_guesses_per_source] - start)
    if len(recent) >= settings.wrong_guesses:
        waits.append(recent[-settings.wrong_guesses][0] - start)
    return max(waits)


class Recital:
    """When a doll says its code once more. Times are seconds of any clock that does not go back."""

    def __init__(self, times: int = 30, pause_s: float = 1.0) -> None:
        """At most `times`: enough for a person, not for a stranger who wants to keep the voice
        busy. For `pause_s` after its end a doll that listens need not mean a person: a hands-free
        one listens again by itself."""
        self._left = times
        self._pause_s = pause_s
        self._speaking = False
        self._quiet_until = 0.0

    def begin(self, now: float, *, by_hand: bool = True) -> bool:
        """Whether it says it now; if so, `end` or `stop` follows. `by_hand`: a person asks."""
        is_early = now < self._quiet_until and not by_hand
        if self._speaking or self._left == 0 or is_early:
            return False
        self._left -= 1
        self._speaking = True
        return True

    def end(self, now: float) -> None:
        """All has been sent, and will have been played at `now`."""
        self._speaking = False
        self._quiet_until = now + self._pause_s

    def played(self, now: float) -> None:
        """The doll says that it has just played all."""
        if not self._speaking:
            self._quiet_until = now + self._pause_s

    def stop(self) -> None:
        """It was interrupted."""
        self._speaking = False
