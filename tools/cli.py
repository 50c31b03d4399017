"""The `doll` command: one command set for the relay, the simulated doll and the measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relay.config import ConfigError, load
from relay.errors import ProviderError
from tools.admin.command import admin
from tools.backup.command import backup, restore_backup
from tools.bench.command import bench
from tools.certificate.command import certificate
from tools.demo.command import demo
from tools.deploy.command import deploy
from tools.devices.command import devices, pair
from tools.fake_gemini.command import fake_gemini
from tools.flash.command import flash, logs, shell
from tools.memory.command import memory
from tools.models_pull import models
from tools.open.command import open_page
from tools.persona.command import persona as personas
from tools.recorder.command import recorder
from tools.simulator.command import sim
from tools.telegram.command import telegram
from tools.update.command import update
from tools.upgrade.command import PASS_ON, upgrade
from tools.voice.command import voice

app = typer.Typer(
    help="The talking doll: run the relay, try a doll without hardware, measure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(sim)
app.command("open")(open_page)
app.command()(flash)
app.command()(logs)
app.command()(shell)
app.command()(update)
app.command()(pair)
app.add_typer(devices, name="devices")
app.add_typer(personas, name="persona")
app.add_typer(admin, name="admin")
app.command()(certificate)
app.command()(backup)
app.command("restore")(restore_backup)
app.command()(deploy)
app.command(context_settings=PASS_ON)(upgrade)
app.add_typer(memory, name="memory")
app.add_typer(recorder, name="recorder")
app.add_typer(telegram, name="telegram")
app.add_typer(models, name="models")
app.add_typer(voice, name="voice")
app.command()(fake_gemini)
app.add_typer(bench, name="bench")


@app.command()
def relay(
    config: Annotated[
        Path | None, typer.Option(help="Settings file; doll.toml here if it exists.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    home: Annotated[
        bool, typer.Option("--home", help="Dolls of the network at home may come, without TLS.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes; more than one need relay.redis.")
    ] = None,
    persona: Annotated[str | None, typer.Option(help="A shipped persona, or a TOML file.")] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json.")] = None,
) -> None:
    """Run the relay that dolls connect to."""
    from relay.serve import serve

    if home:
        host = host or "0.0.0.0"  # noqa: S104 (who is not at home is refused)
    flags: dict[str, dict[str, object]] = {
        "relay": {
            "host": host,
            "port": port,
            "log_format": log_format,
            "home_network": home or None,
            "workers": workers,
        },
        "persona": {"name": persona},
    }
    serve(load(config, flags))


def main() -> None:
    """Entry point: what an owner can mend is told in one line, without a traceback."""
    try:
        app()
    except (ConfigError, ProviderError) as error:
        typer.secho(f"doll: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
