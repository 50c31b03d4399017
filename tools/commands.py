"""All commands of `doll` but the relay itself."""

from __future__ import annotations

import typer

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
from tools.scaling.command import scale
from tools.simulator.command import sim
from tools.telegram.command import telegram
from tools.update.command import update
from tools.upgrade.command import PASS_ON, upgrade
from tools.voice.command import voice


def add_to(app: typer.Typer) -> None:
    """Add them."""
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
    app.command()(scale)
