"""Who the doll says it is, and the token that it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

_SCRIPT = """
import json
from doll import identity, settings
class Relay:
    def identify(self, headers):
        print("headers", dict(headers).get("Authorization"))
    def send(self, message):
        print(json.dumps(message))
conf = settings.load()
identity.take_token({message!r}, conf, "doll-7", Relay())
print("token", repr(conf.token))
"""


def take(micropython: Micropython, message: dict[str, object]) -> str:
    return micropython(_SCRIPT.replace("{message!r}", repr({"type": "token", **message})))


def stored(folder: Path) -> dict[str, object]:
    values: dict[str, object] = json.loads((folder / "settings.json").read_text())
    return values


def test_a_token_is_kept_shown_and_confirmed(micropython: Micropython, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"token": "old", "volume": 15, "client_id": "c"}')
    output = take(micropython, {"token": "n3w-token"})
    assert "headers Bearer n3w-token" in output
    assert json.dumps({"type": "token", "state": "stored"}) in output.replace(
        '{"state": "stored", "type": "token"}', '{"type": "token", "state": "stored"}'
    )
    assert stored(tmp_path) == {"token": "n3w-token", "volume": 15, "client_id": "c"}
    log = [line for line in output.splitlines() if line.startswith("[doll]")]
    assert any("token stored" in line for line in log)
    assert not any("n3w-token" in line for line in log)


@pytest.mark.parametrize("token", ["", "x" * 513, "a\nb", 5, None, ["a"], {}])
def test_what_is_no_token_changes_nothing(
    micropython: Micropython, tmp_path: Path, token: object
) -> None:
    (tmp_path / "settings.json").write_text('{"token": "old", "client_id": "c"}')
    output = take(micropython, {"token": token})
    assert '"failed"' in output
    assert "headers" not in output
    assert "token 'old'" in output
    assert stored(tmp_path)["token"] == "old"


def test_a_message_without_one_is_answered_too(micropython: Micropython) -> None:
    assert '"failed"' in take(micropython, {})


def test_a_token_that_cannot_be_written_is_not_said_to_be_stored(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text('{"token": "old", "client_id": "c"}')
    (tmp_path / "settings.json.new").mkdir()  # where it would be written first
    output = take(micropython, {"token": "new"})
    assert '"failed"' in output
    assert "token 'old'" in output
    assert stored(tmp_path)["token"] == "old"


def test_faults_in_the_settings_give_way_to_the_token(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text('{"volume": 900, "client_id": "c"}')
    assert '"stored"' in take(micropython, {"token": "new"})
    assert stored(tmp_path)["token"] == "new"
