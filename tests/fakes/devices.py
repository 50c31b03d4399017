"""Dolls that need no pairing."""

from __future__ import annotations

from pydantic import SecretStr

from relay.devices.device import Device
from relay.devices.records import DeviceRecord
from relay.services import Services


def a_device(services: Services, device_id: str = "doll-1", *, persona: str = "") -> Device:
    """A doll of the relay's, with its persona or one of its own."""
    record = DeviceRecord(device_id, client_id="", name=device_id, persona=persona, language="")
    return Device(record, SecretStr("t0ken"), services)
