"""What a doll has set for itself, over the settings of the relay."""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from relay.devices.device import Device
from relay.hearing.endpointing import EndpointSettings
from relay.services import Services
from relay.turn.earshot import ListenSettings


def endpoint(
    settings: EndpointSettings, device: Device, log: FilteringBoundLogger
) -> EndpointSettings:
    """When its speaker has finished. What cannot be is passed over, and logged."""
    try:
        return settings.for_doll(device.record.settings.get("endpoint", {}))
    except ValueError as error:
        log.warning("the doll's own settings are passed over", why=str(error))
        return settings


def listen(services: Services, device: Device, log: FilteringBoundLogger) -> ListenSettings:
    """What of all it hears is meant for it. What cannot be is passed over, and logged."""
    settings = services.settings.listen
    try:
        settings = settings.for_doll(device.record.settings.get("listen", {}))
    except ValueError as error:
        log.warning("the doll's own settings are passed over", why=str(error))
    if settings.by_name and services.stt is None:
        log.error("no ear for a name", why="set stt.provider = whisper")
    return settings
