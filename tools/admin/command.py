"""`doll admin`: run it where the relay runs, with its settings.

Like `doll devices` it changes the database: who may write the relay's data folder is its owner.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from relay.config import load
from relay.store.database import Database, StoreError
from relay.web.auth import Admin, PasswordRefusedError
from tools.texts import texts

admin = typer.Typer(help="The owner's password for the relay's pages.", no_args_is_help=True)

_Config = Annotated[Path | None, typer.Option(help="The relay's settings file; doll.toml here.")]


@admin.command()
def password(config: _Config = None) -> None:
    """Set the password; it is asked for twice, or read from standard input if that is no terminal.

    Until there is one, the relay's pages open on its own machine only.
    """
    say = texts(__file__)
    if sys.stdin.isatty():
        given = typer.prompt(say["ask"], hide_input=True)
        if given != typer.prompt(say["again"], hide_input=True):
            raise _failed("password", say["error_differ"])
    else:
        given = sys.stdin.readline().rstrip("\r\n")

    async def work(admin: Admin) -> None:
        await admin.set_password(given)

    _run("password", config, work)
    typer.echo(say["set"])


@admin.command()
def logout(config: _Config = None) -> None:
    """Sign every browser out."""
    _run("logout", config, Admin.logout_all)
    typer.echo(texts(__file__)["logged_out"])


def _run(command: str, config: Path | None, work: Callable[[Admin], Awaitable[None]]) -> None:
    settings = load(config)

    async def run() -> None:
        database = await Database.open(settings.relay.data, settings.relay.database_url)
        try:
            await work(Admin(database, settings.admin, settings.pairing))
        finally:
            await database.close()

    say = texts(__file__)
    try:
        asyncio.run(run())
    except PasswordRefusedError:
        raise _failed(command, say["error_length"]) from None
    except StoreError as error:
        raise _failed(command, str(error)) from None
    except SQLAlchemyError as error:
        detail = type(error).__name__
        raise _failed(command, say["error_database"].format(detail=detail)) from None


def _failed(command: str, why: str) -> typer.Exit:
    typer.secho(f"doll admin {command}: {why}", fg=typer.colors.RED, err=True)
    return typer.Exit(1)
