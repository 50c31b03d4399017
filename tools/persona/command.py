"""`doll persona`: run it where the relay runs, with its settings. A relay that runs follows."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from relay.config import Settings, load
from relay.persona import Persona, PersonaError, prompt
from relay.persona import load as load_persona
from relay.persona.learning.shelf import LearnedShelf
from relay.persona.loader import SHIPPED, find, names
from relay.persona.personas import Personas
from relay.persona.shelf import PersonaShelf
from tools.devices.command import persona as set_persona
from tools.devices.store import Config
from tools.pairing import has_database, opened
from tools.persona import editing
from tools.persona.chat import Chat
from tools.persona.learn import forget, learn
from tools.persona.own import own_personas, texts_in
from tools.persona.telling import telling
from tools.texts import texts

persona = typer.Typer(help="Who the dolls are, and how they speak.", no_args_is_help=True)
persona.command()(learn)
persona.command()(forget)

console = Console(highlight=False, soft_wrap=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A persona's name, or a TOML file.")]
_NameOrDefault = Annotated[
    str, typer.Argument(metavar="[NAME]", help="A persona's name or file; by default the relay's.")
]


@persona.command("list")
def list_(config: Config = None) -> None:
    """All personas: shipped and your own, their languages, and who has them."""
    with telling("doll persona list"), own_personas(load(config)) as own:
        users = asyncio.run(_users(own.settings))
        console.print(_table(own.settings, users, texts(__file__)))


@persona.command()
def show(
    name: _NameOrDefault = "",
    config: Config = None,
    file: Annotated[bool, typer.Option("--file", help="The TOML file as it is.")] = False,
) -> None:
    """What the model is told about a persona: its prompt as it would be now."""
    with telling("doll persona show"), own_personas(load(config)) as own:
        settings = own.settings
        name = name or settings.persona.name
        if file:
            path = find(name, settings.personas_folder)
            load_persona(path)
            print(path.read_text(encoding="utf-8"), end="")
            return
        shown = _with_manner(settings, name)
        now = datetime.now(ZoneInfo(settings.persona.timezone))
        print(prompt(shown, now, shown.language))


@persona.command()
def edit(
    name: _Name,
    config: Config = None,
    start_from: Annotated[
        str, typer.Option("--from", metavar="NAME", help="Which one a new persona begins as.")
    ] = "",
) -> None:
    """Open a persona in $EDITOR, check it, and use it from the next turn on.

    A shipped one becomes a copy of your own. A relay never sees a version that cannot be used.
    """
    with telling("doll persona edit"), own_personas(load(config)) as own:
        share = own.save if own.is_shared else None
        folder = own.settings.personas_folder
        editing.edit(name, folder, texts(__file__), start_from=start_from, share=share)


@persona.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A TOML file, or a folder of them.", exists=True)],
    config: Config = None,
) -> None:
    """Keep personas under the names of their files, in the database where relays share one."""
    with telling("doll persona import"), own_personas(load(config)) as own:
        for file in texts_in(path):
            load_persona(file)
            kept = own.save(file.stem, file.read_text(encoding="utf-8"))
            print(texts(__file__)["saved"].format(path=kept))


@persona.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")],
    config: Config = None,
) -> None:
    """Copy your own personas into a folder, as they are."""
    with telling("doll persona export"), own_personas(load(config)) as own:
        shelf = PersonaShelf(own.settings.personas_folder)
        mine = [each.id for each in shelf.list() if each.own]
        folder.mkdir(parents=True, exist_ok=True)
        for name in mine:
            file = folder / f"{name}.toml"
            file.write_text(shelf.text(name), encoding="utf-8", newline="")
            print(file)


@persona.command("set")
def set_(
    name: _Name,
    doll: Annotated[str, typer.Argument(metavar="DOLL", help="The doll's name or its id.")],
    config: Config = None,
) -> None:
    """Give a doll this character, from its next turn on."""
    set_persona(doll, name, config)


@persona.command("try")
def try_(name: _NameOrDefault = "", config: Config = None) -> None:
    """Chat in the terminal, without a doll, through the brain that the relay would use."""
    with telling("doll persona try"), own_personas(load(config)) as own:
        settings = own.settings
        personas = Personas(settings.personas_folder, LearnedShelf(settings.learned_folder))
        load_persona(name or settings.persona.name, settings.personas_folder)
        Chat(settings, personas, name or settings.persona.name, texts(__file__)).run()


def _with_manner(settings: Settings, name: str) -> Persona:
    """As a relay has it: with what was learned."""
    load_persona(name, settings.personas_folder)
    personas = Personas(settings.personas_folder, LearnedShelf(settings.learned_folder))
    personas.of(name)
    personas.look()
    found = personas.of(name)
    if found is None:
        raise PersonaError(f"{name} has just been deleted.")
    return found


async def _users(settings: Settings) -> dict[str, list[str]]:
    """Dolls by the persona that they were given; the relay's own stands as ""."""
    users: dict[str, list[str]] = {}
    if has_database(settings.relay):
        async with opened(settings.relay) as registry:
            for record in await registry.all():
                users.setdefault(record.persona, []).append(record.name)
    return users


def _table(settings: Settings, users: dict[str, list[str]], say: dict[str, str]) -> Table:
    folder, learned = settings.personas_folder, LearnedShelf(settings.learned_folder).names()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("name", "languages", "from", "learned", "dolls"):
        table.add_column(say[f"column_{column}"])
    paths = [name for name in users if name.endswith(".toml") or "/" in name]
    for name in (*names(folder), *paths):
        try:
            languages = " ".join(load_persona(name, folder).languages)
        except PersonaError as error:
            languages = f"✗ {error}"
        dolls = list(users.get(name, ()))
        if name == settings.persona.name:
            dolls += [*users.get("", ()), say["default"]]
        row = (
            name,
            languages,
            say["shipped" if find(name, folder).parent == SHIPPED else "own"],
            "✓" if Path(name).stem in learned else "",
            ", ".join(dolls),
        )
        table.add_row(*(Text(cell) for cell in row))
    return table
