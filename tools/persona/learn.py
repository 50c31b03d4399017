"""`doll persona learn` and `doll persona forget`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from relay.config import load
from relay.persona import load as load_persona
from relay.persona.learning.shelf import LearnedShelf
from relay.persona.learning.study import people, study
from tools.devices.store import Config
from tools.devices.table import shown
from tools.persona.own import own_personas
from tools.persona.review import Review
from tools.persona.telling import telling
from tools.texts import terminal_language, texts

console = Console(highlight=False, soft_wrap=True)

_MOST_PEOPLE = 20


def learn(
    export: Annotated[Path, typer.Argument(help="A chat: of Telegram, KakaoTalk or WhatsApp.")],
    speaker: Annotated[
        str, typer.Option(help="Whose manner is learned, as the chat calls them.")
    ] = "",
    owner: Annotated[
        str, typer.Option(help="Who the doll talks with, as the chat calls them; the other of two.")
    ] = "",
    hide: Annotated[
        list[str] | None, typer.Option(help="One more name to keep out; may be given again.")
    ] = None,
    persona: Annotated[
        str, typer.Option(help="Which persona learns; the relay's by default.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Keep it without asking.")] = False,
    config: Config = None,
) -> None:
    """Learn how somebody speaks from an exported chat. Nothing leaves this machine.

    What is found is shown first; nothing is written until you say so.
    """
    say = texts(__file__)
    with telling("doll persona learn"):
        settings = load(config)
        persona = persona or settings.persona.name
        with own_personas(settings) as own:
            load_persona(persona, own.settings.personas_folder)
        shelf = LearnedShelf(settings.learned_folder)
        if not speaker:
            _tell_people(export, say)
            raise typer.Exit(2)
        with console.status(say["reading"].format(file=export.name)):
            result = study(export, speaker, owner, hide or ())
        review = Review(result, say, terminal_language())
        review.show()
        if not yes and not review.ask():
            console.print(say["nothing_written"], markup=False)
            raise typer.Exit(1)
        with console.status(say["indexing"]):
            folder = shelf.save(Path(persona).stem, result.manner())
        console.print(
            say["learned"].format(
                persona=persona, count=len(result.exchanges), folder=folder, name=Path(persona).stem
            ),
            markup=False,
        )


def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The persona that has learned.")],
    config: Config = None,
) -> None:
    """Delete all that a persona has learned from chats. Its file stays as it is."""
    say = texts(__file__)
    with telling("doll persona forget"):
        found = LearnedShelf(load(config).learned_folder).forget(Path(name).stem)
        console.print(say["forgotten" if found else "nothing_learned"].format(name=name))


def _tell_people(export: Path, say: dict[str, str]) -> None:
    console.print(say["who"], markup=False)
    for name, count in people(export).most_common(_MOST_PEOPLE):
        console.print(f"  --speaker '{shown(name)}'  ({count})", markup=False)
