"""Reads an export from end to end, for one who speaks in it. Nothing is written here."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from relay.languages import written_in
from relay.persona.base import Exchange
from relay.persona.learning.exchanges import exchanges
from relay.persona.learning.formats import read
from relay.persona.learning.index import Index
from relay.persona.learning.manner import LearnedManner
from relay.persona.learning.messages import ExportError, Message
from relay.persona.learning.private import Finding, Privacy, name_parts
from relay.persona.learning.selection import select
from relay.persona.learning.style import Style, StyleMeter
from relay.turn.speakable import speakable

#: Exchanges that are kept, the newest ones.
MAX_EXCHANGES = 100_000

#: With fewer messages of the speaker there is nothing to measure.
MIN_MESSAGES = 20

#: Findings that are shown, of each kind and text once.
_MAX_FINDINGS = 5_000

_MAX_PEOPLE = 5_000


@dataclass(slots=True)
class Study:
    """What an export has to tell, for the owner to look over before any of it is kept."""

    speaker: str
    owner: str  #: whom the speaker talks with; empty in a group where nobody was named
    messages: int = 0
    own: int = 0  #: of those, the speaker's
    left_out: int = 0  #: messages with something private
    findings: dict[Finding, int] = field(default_factory=dict)  #: and how often
    style: Style = field(default_factory=lambda: Style(0, 0))
    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=MAX_EXCHANGES))

    def without(self, word: str) -> int:
        """Strike every exchange that holds `word`; returns how many those were."""
        word = word.casefold()
        kept = [pair for pair in self.exchanges if not holds(pair, word)]
        struck = len(self.exchanges) - len(kept)
        self.exchanges = deque(kept, maxlen=MAX_EXCHANGES)
        self.style = replace(
            self.style,
            favourites=tuple(w for w in self.style.favourites if word not in w),
            openers=tuple(w for w in self.style.openers if word not in w),
        )
        return struck

    def examples(self) -> tuple[Exchange, ...]:
        """The few that are in every prompt."""
        return select(tuple(self.exchanges), self.style)

    def manner(self) -> LearnedManner:
        """All that is to be kept; takes seconds for a long chat."""
        pairs = tuple(self.exchanges)
        return LearnedManner(
            speaker=self.speaker,
            style=self.style,
            examples=self.examples(),
            exchanges=pairs,
            index=Index.of([pair.heard for pair in pairs]),
        )


def holds(exchange: Exchange, word: str) -> bool:
    """Whether an exchange holds a word (in lower case), on either side."""
    return word in exchange.heard.casefold() or word in exchange.said.casefold()


def people(path: Path) -> Counter[str]:
    """Who writes in an export, and how much. Raises ExportError."""
    found: Counter[str] = Counter()
    for message in read(path):
        found[message.who] += 1
        if len(found) > _MAX_PEOPLE:
            raise ExportError(f"More than {_MAX_PEOPLE} people write in {path}; that is no chat.")
    return found


def study(path: Path, speaker: str, owner: str = "", hide: Sequence[str] = ()) -> Study:
    """Read an export. `hide` are names that are to be treated as private, besides those of all
    who write there and are neither `speaker` nor `owner`.

    Without `owner` it is the other one of two. Raises ExportError.
    """
    writers = people(path)
    if speaker not in writers:
        known = ", ".join(f"{name} ({count})" for name, count in writers.most_common(12))
        raise ExportError(f"Nobody called {speaker!r} writes in {path}; there are {known or '0'}.")
    if owner and owner not in writers:
        raise ExportError(f"Nobody called {owner!r} writes in {path}.")
    others = [name for name in writers if name != speaker]
    if not owner and len(others) == 1:
        owner = others[0]
    result = Study(speaker, owner)
    privacy = Privacy([*(name for name in others if name != owner), *hide])
    meter = StyleMeter()
    names = _Names(speaker, owner)
    looked_over = _looked_over(read(path), privacy, meter, result)
    for exchange in exchanges(looked_over, speaker):
        heard, said = names.taken_out(exchange.heard), names.taken_out(exchange.said)
        if (heard := _spoken(heard)) and (said := _spoken(said)):
            result.exchanges.append(Exchange(heard, said))
    if result.own < MIN_MESSAGES:
        raise ExportError(
            f"Only {result.own} messages of {speaker} can be used; at least {MIN_MESSAGES} are "
            "needed to tell how somebody speaks."
        )
    result.style = meter.style(lambda word: not names.holds(word))
    return result


def _looked_over(
    messages: Iterable[Message], privacy: Privacy, meter: StyleMeter, result: Study
) -> Iterator[tuple[Message, bool]]:
    for message in messages:
        result.messages += 1
        found = list(privacy.findings(message.text))
        for finding in found:
            if finding in result.findings or len(result.findings) < _MAX_FINDINGS:
                result.findings[finding] = result.findings.get(finding, 0) + 1
        result.left_out += bool(found)
        if not found and message.who == result.speaker:
            result.own += 1
            meter.own(message.text)
        elif not found:
            meter.other(message.text)
        yield message, not found


class _Names:
    """The two names, as a persona has them: {name} and {owner}."""

    def __init__(self, speaker: str, owner: str) -> None:
        self._rules = [
            (re.compile("|".join(map(re.escape, parts)), re.IGNORECASE), placeholder)
            for who, placeholder in ((speaker, "{name}"), (owner, "{owner}"))
            if (parts := sorted(name_parts(who), key=len, reverse=True))
        ]

    def taken_out(self, text: str) -> str:
        for rule, placeholder in self._rules:
            text = rule.sub(placeholder, text)
        return text

    def holds(self, word: str) -> bool:
        return any(rule.search(word) for rule, _ in self._rules)


def _spoken(text: str) -> str:
    """As it would be said: no pictures, no laughs, no markup. Names stand in braces by now."""
    return speakable(text, written_in(text, ("ko", "en")))
