"""Shows the owner what was found in a chat, before any of it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

import click
from rich.console import Console

from relay.persona.base import Exchange
from relay.persona.learning.describe import described
from relay.persona.learning.private import Kind
from relay.persona.learning.study import Study, holds
from tools.devices.table import shown

console = Console(highlight=False, soft_wrap=True)

_FINDINGS_OF_A_KIND = 8
_EXCHANGES = 12


class Review:
    """One review; `language` (ISO 639-1) is that of the terminal."""

    def __init__(self, study: Study, say: Mapping[str, str], language: str) -> None:
        self._study = study
        self._say = say
        self._language = language

    def show(self) -> None:
        """What was read, what was left out and why, how they speak, and examples of it."""
        study, say = self._study, self._say
        self._title(say["read"].format(all=study.messages, own=study.own, who=study.speaker))
        self._title(say["left_out"].format(count=study.left_out))
        self._findings(_FINDINGS_OF_A_KIND)
        self._title(say["style"])
        for line in described(study.style, self._language):
            console.print(f"  - {shown(line)}", markup=False)
        self._title(say["examples"])
        self._exchanges(study.examples())
        self._title(say["kept"].format(count=len(study.exchanges)))
        step = max(1, len(study.exchanges) // _EXCHANGES)
        self._exchanges(islice(study.exchanges, 0, None, step), _EXCHANGES)

    def ask(self) -> bool:
        """Let the owner look further and strike words; whether it may be kept."""
        while True:
            try:
                answer = input(self._say["ask"]).strip()
            except (EOFError, KeyboardInterrupt):
                print()
                return False
            word = answer[1:].strip()
            if answer.lower() in ("y", "yes", "ㅛ", "네", "예"):
                return True
            if answer.lower() in ("n", "no", "ㅜ", "아니요", "아니오"):
                return False
            if answer.startswith("-") and word:
                count = self._study.without(word)
                console.print(self._say["struck"].format(word=word, count=count), markup=False)
            elif answer.startswith("?") and word:
                found = (x for x in self._study.exchanges if holds(x, word.casefold()))
                self._exchanges(found, 50)
            elif answer == "f":
                self._findings(len(self._study.findings))
            elif answer == "a":
                click.echo_via_pager(f"{_line(x)}\n" for x in self._study.exchanges)

    def _findings(self, most: int) -> None:
        by_kind: dict[Kind, Counter[str]] = {}
        for finding, count in self._study.findings.items():
            by_kind.setdefault(finding.kind, Counter())[finding.text] += count
        for kind, found in by_kind.items():
            told = ", ".join(shown(text) for text, _ in found.most_common(most))
            more = f" … (+{len(found) - most})" if len(found) > most else ""
            label = self._say[f"kind_{kind}"]
            console.print(f"  {label} ({found.total()}): {told}{more}", markup=False)

    def _exchanges(self, exchanges: Iterable[Exchange], most: int = 50) -> None:
        for exchange in islice(exchanges, most):
            console.print("  " + _line(exchange), markup=False)

    def _title(self, text: str) -> None:
        console.print(f"\n{shown(text)}", style="bold", markup=False)


def _line(exchange: Exchange) -> str:
    return f"{shown(exchange.heard)} → {shown(exchange.said)}"
