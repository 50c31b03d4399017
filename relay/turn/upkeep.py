"""What a doll and its relay tell each other besides the conversation: how the last answer was
played, what the doll can be asked to do, its firmware and its token."""

from __future__ import annotations

from msgspec import structs
from structlog.typing import FilteringBoundLogger

from relay.devices.device import Device
from relay.devices.mcp import Toolbox
from relay.devices.updater import Updater
from relay.metrics import traffic
from relay.services import Services
from relay.turn.delivery import Delivery
from relay.wire.messages import DeviceMessage, Mcp, Report, TokenState, Update


class Upkeep:
    """One for a session."""

    def __init__(
        self,
        delivery: Delivery,
        services: Services,
        device: Device,
        log: FilteringBoundLogger,
        *,
        mcp: bool,
    ) -> None:
        """`mcp`: the doll has tools."""
        self._delivery = delivery
        self._device = device
        self._log = log
        self.updater: Updater | None = None  #: None where the relay has no shelf of updates
        if services.shelf is not None:
            self.updater = Updater(delivery, services.shelf, device, log)
        if mcp:
            allowed = services.settings.tools.allowed
            device.toolbox = Toolbox(delivery.send, log, allowed, device.sight)

    def begin(self) -> None:
        """The doll is there."""
        if self.updater is not None:
            self.updater.begin()
        if self._device.toolbox is not None:
            self._device.toolbox.begin()

    def close(self) -> None:
        """It has gone."""
        if self.updater is not None:
            self.updater.close()
        if self._device.toolbox is not None:
            self._device.toolbox.close()

    async def obey(self, message: DeviceMessage, *, idle: bool) -> None:
        """Take a message that is none of the conversation's. `idle`: no answer is on its way."""
        match message:
            case Report():
                self._log.info("report", **_figures(message))
                traffic.reported(
                    underruns=message.underruns,
                    lost=message.frames_lost,
                    dropped=message.frames_dropped,
                )
                self._device.reported(message)
                self._delivery.confirm()
                if self.updater is not None:
                    self.updater.remind()  # an offer may have been lost along with a link
            case Update():
                if idle:
                    self._delivery.confirm()  # it has what it was sent, or would not ask for more
                if self.updater is not None:
                    await self.updater.obey(message)
            case TokenState():
                self._device.on_token(message.state == "stored")
            case Mcp() if self._device.toolbox is not None:
                self._device.toolbox.take(message.payload)


def _figures(report: Report) -> dict[str, float]:
    figures = structs.asdict(report)
    return {key: value for key, value in figures.items() if isinstance(value, (int, float))}
