"""The person at the terminal: what he is told, and what he is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console

from tools.flash.errors import FlashError
from tools.flash.ports import Port
from tools.texts import texts

#: Where a script puts the Wi-Fi password; an argument would be seen by every user of the machine.
PASSWORD_VARIABLE = "DOLL_WIFI_PASSWORD"  # noqa: S105 - the name of a variable, not a password


class Person:
    """Talks in the language of the terminal; `quiet` asks nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.is_there = not quiet and sys.stdin.isatty()
        self._texts = texts(__file__)
        self._out = Console(highlight=False, soft_wrap=True)
        self._errors = Console(highlight=False, soft_wrap=True, stderr=True)

    def text(self, key: str, **values: object) -> str:
        """One of texts.toml, its gaps filled."""
        return self._texts[key].format(**values)

    def say(self, key: str, **values: object) -> None:
        """Tells something."""
        self._out.print(self.text(key, **values), markup=False)

    def detail(self, text: str) -> None:
        """Tells something that is the same in every language."""
        self._out.print("  " + text, markup=False, style="dim")

    def error(self, command: str, error: FlashError) -> None:
        """Tells what went wrong and what to do."""
        sentence = self.text("error_" + error.key, **error.values)
        self._errors.print(f"{command}: {sentence}", markup=False, style="red")

    @contextmanager
    def busy(self, key: str, **values: object) -> Iterator[Callable[[str], None]]:
        """Shows that something takes a while; yields what changes the words."""
        with self._out.status("") as status:

            def show(text: str) -> None:
                status.update(text.replace("[", r"\["))  # it is text, not markup

            show(self.text(key, **values))
            yield show

    def ask(self, key: str, default: str = "") -> str:
        """Asks for a line; `default` without an answer, or if nobody is there."""
        if not self.is_there:
            return default
        answer: str = typer.prompt(self._texts[key], default=default, show_default=bool(default))
        return answer.strip()

    def ask_port(self, ports: Sequence[Port]) -> str:
        """Asks which of several ports it is."""
        for number, port in enumerate(ports, 1):
            self.detail(f"{number}. {port.device}  {port.description}")
        while True:
            answer: int = typer.prompt(self._texts["ask_port"], type=int)
            if 1 <= answer <= len(ports):
                return ports[answer - 1].device

    def confirm(self, key: str, **values: object) -> None:
        """Asks before something that cannot be undone.

        Raises:
            FlashError: the answer is no.
        """
        if self.is_there and not typer.confirm(self.text(key, **values)):
            raise FlashError("not_confirmed")

    def wifi_password(self, ssid: str, known: str | None) -> str:
        """The password of a network: from the environment, else asked for without showing it.

        `known` is the one that the doll has; an empty answer keeps it, or means an open network.

        Raises:
            FlashError: nobody is there to ask.
        """
        given = os.environ.get(PASSWORD_VARIABLE)
        if given is not None:
            return given
        if not self.is_there:
            if known is None:
                raise FlashError("password_needed", ssid=ssid, variable=PASSWORD_VARIABLE)
            return known
        key = "ask_password" if known is None else "ask_password_known"
        answer: str = typer.prompt(
            self.text(key, ssid=ssid), default="", show_default=False, hide_input=True
        )
        return answer or known or ""
