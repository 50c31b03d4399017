"""`doll models pull` downloads what `stt.model` may name, and `doll models` still lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from relay.hub import WHISPERS, HubModel
from tools import models_pull


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    asked: list[Any] = []

    def download(wanted: HubModel, *, hub: str, progress: Any) -> Path:
        asked.append((wanted, hub))
        progress("model.bin", 10, 20)
        progress("model.bin", 20, 20)
        return Path("somewhere")

    monkeypatch.setattr(models_pull, "download", download)
    monkeypatch.setattr(models_pull, "gemini_models", lambda config: asked.append(config))
    return asked


def test_it_downloads_and_says_how_to_use_it(asked: list[Any]) -> None:
    done = CliRunner().invoke(models_pull.models, ["pull", "small", "--mirror", "https://m"])
    assert done.exit_code == 0
    assert asked == [(WHISPERS["small"], "https://m")]
    assert 'stt.model = "small"' in done.output


def test_an_unknown_name_tells_the_known_ones(asked: list[Any]) -> None:
    done = CliRunner().invoke(models_pull.models, ["pull", "huge"])
    assert done.exit_code == 2
    assert "large-v3-turbo" in done.output
    assert asked == []


def test_without_a_command_the_models_of_the_brain_are_listed(asked: list[Any]) -> None:
    assert CliRunner().invoke(models_pull.models, ["--config", "doll.toml"]).exit_code == 0
    assert asked == [Path("doll.toml")]
