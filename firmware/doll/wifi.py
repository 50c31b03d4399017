# Wi-Fi, in the manner of mqtt_as: the known networks in turn, each with a time limit, and a link
# that must hold for a moment before it counts.

import asyncio
import time

from micropython import const

from . import log

_TRY_MS = const(20_000)
_STABLE_MS = const(500)
_PAUSE_MS = const(1000)  # after a failure the chip wants rest (mqtt_as, issue 132)
_LOOK_MS = const(100)
_FAILED = const(200)  # 200 to 204 say why there will be no connection
_REFUSED = const(202)  # and from here on, that a network is there and does not let us in
_SOON_MS = const(500)  # between rounds while none is there: to look for them disturbs nobody
_LATER_MS = const(30_000)


class Wifi:
    # networks is the list of the settings.
    def __init__(self, networks, backoff):
        import network

        self._networks = networks
        self._backoff = backoff
        self._is_refused = False  # in this round
        self._wlan = network.WLAN(network.WLAN.IF_STA)
        self._wlan.active(True)
        # With modem sleep a round trip takes up to seconds; a voice cannot wait (micropython
        # #8330).
        self._wlan.config(pm=self._wlan.PM_NONE)

    def is_up(self):
        return self._wlan.isconnected()

    # Signal in dBm, 0 without a connection.
    def rssi(self):
        try:
            return self._wlan.status("rssi")
        except OSError:
            return 0

    # Returns when there is a network. Waits longer and longer between rounds where one is there
    # that does not let the doll in; one that has gone is looked for all the time.
    async def connect(self):
        while not self.is_up():
            self._is_refused = not self._networks
            if not self._networks:
                log.error("wifi no network in settings.json")
            for place in self._networks:
                if await self._try(place):
                    self._backoff.reset()
                    return
            most = _LATER_MS if self._is_refused else _SOON_MS
            await asyncio.sleep_ms(self._backoff.next(most))

    async def _try(self, place):
        wlan = self._wlan
        name = log.clean(place["ssid"])
        log.info("wifi connecting %s", name)
        try:
            wlan.connect(place["ssid"], place.get("password", ""))
            if await self._settle():
                log.info("wifi connected rssi=%d %s", self.rssi(), name)
                return True
            status = wlan.status()
            if _REFUSED <= status < _FAILED + 5:
                self._is_refused = True
        except OSError as e:  # "Wifi Internal Error" while the chip is busy
            status = e.errno
        log.warn("wifi failed status=%s %s", status, name)
        try:
            wlan.disconnect()
        except OSError:
            pass
        await asyncio.sleep_ms(_PAUSE_MS)
        return False

    # True once the link has held for a moment; False if there will be none.
    async def _settle(self):
        start = time.ticks_ms()
        held = 0
        while time.ticks_diff(time.ticks_ms(), start) < _TRY_MS:
            await asyncio.sleep_ms(_LOOK_MS)
            if self._wlan.isconnected():
                held += _LOOK_MS
                if held >= _STABLE_MS:
                    return True
            else:
                held = 0
                if _FAILED <= self._wlan.status() < _FAILED + 5:
                    return False
        return False
