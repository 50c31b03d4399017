"""Which port it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.flash import ports
from tools.flash.errors import FlashError
from tools.flash.ports import Port, choose_port


@dataclass
class FakePort:
    device: str
    description: str = "CP2102"
    vid: int | None = 0x10C4


@pytest.fixture
def devices(tmp_path: Path) -> list[Port]:
    found: list[Port] = []
    for name in ("a", "b"):
        (tmp_path / name).touch()
        found.append(FakePort(str(tmp_path / name)))
    return found


def nobody(_: Sequence[Port]) -> str:
    raise AssertionError("nobody is to be asked")


def test_one_board_is_taken(devices: list[Port]) -> None:
    assert choose_port(None, devices[:1], nobody) == devices[0].device


def test_of_several_the_person_chooses(devices: list[Port]) -> None:
    assert choose_port(None, devices, lambda ports: ports[1].device) == devices[1].device


def test_of_several_a_script_must_name_one(devices: list[Port]) -> None:
    with pytest.raises(FlashError) as raised:
        choose_port(None, devices, None)
    assert raised.value.key == "many_ports"
    assert devices[1].device in str(raised.value.values["ports"])


def test_no_board_is_told() -> None:
    with pytest.raises(FlashError) as raised:
        choose_port(None, [], nobody)
    assert raised.value.key == "no_port"


def test_a_port_that_is_gone_is_told() -> None:
    with pytest.raises(FlashError) as raised:
        choose_port("/dev/no-such-port", [], nobody)
    assert raised.value.key == "port_gone"


def test_a_port_that_one_may_not_open_is_told(
    devices: list[Port], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FlashError) as raised:
        choose_port(None, devices[:1], nobody)
    assert raised.value.key == "permission"


def test_the_ports_of_the_computer_itself_are_no_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [FakePort("/dev/ttyUSB1"), FakePort("/dev/ttyS0", vid=None), FakePort("/dev/ttyACM0")]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: listed)
    assert [port.device for port in ports.usb_ports()] == ["/dev/ttyACM0", "/dev/ttyUSB1"]
