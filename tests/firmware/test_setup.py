"""When the setup opens, and what the doll's own network is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Micropython = Callable[..., str]

WANTED = """
from doll import settings, setup
print(setup.wanted(settings.load()))
"""
KNOWN = '{"wifi": [{"ssid": "home"}]}'


def test_it_opens_while_no_wifi_is_known(micropython: Micropython, tmp_path: Path) -> None:
    assert micropython(WANTED) == "True\n"
    (tmp_path / "settings.json").write_text(KNOWN)
    assert micropython(WANTED) == "False\n"


def test_it_opens_once_when_it_was_asked_for(micropython: Micropython, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(KNOWN)
    micropython("from doll import setup\nsetup.ask()")
    assert micropython(WANTED) == "True\n"
    assert micropython(WANTED) == "False\n"


def test_a_doll_keeps_its_password_and_no_other_has_it(
    micropython: Micropython, tmp_path: Path
) -> None:
    script = "from doll import setup\nprint(setup.ssid(), setup.password())"
    first = micropython(script)
    assert micropython(script) == first
    ssid, password = first.split()
    assert ssid == "doll-0001"
    assert len(password) == 10
    assert set(password) <= set("abcdefghijkmnpqrstuvwxyz23456789")
    (tmp_path / "nvs.json").unlink()
    assert micropython(script).split()[1] != password


def test_a_reset_keeps_the_password_and_the_board_and_nothing_else(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text(
        '{"board": "esp32c3", "wifi": [{"ssid": "home", "password": "hunter2222"}], "token": "t"}'
    )
    script = """
from doll import settings, setup
conf = settings.load()
before = setup.password()
settings.reset(conf)
assert setup.password() == before
conf = settings.load()
print(conf.board, conf.wifi, repr(conf.token))
"""
    assert micropython(script) == "esp32c3 [] ''\n"
    for file in tmp_path.glob("settings*"):
        assert "hunter" not in file.read_text()
