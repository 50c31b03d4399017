# Safe mode: what is left of a doll whose app has failed three times. Wi-Fi, the relay and updates;
# no audio, so nothing of what may be wrong with that can do harm.
#
# A doll that has no room in its memory to fetch an update while it can talk starts in here too. It
# starts as usual again when the update has failed, or did not come.

import asyncio
import time

import machine
from micropython import const

from . import __version__, about, audio, button, identity, light, log, starts
from .backoff import Backoff
from .meter import Meter
from .relay import Relay
from .update import Update
from .wifi import Wifi

_CHORES_MS = const(20)
_OFFER_MS = const(90_000)  # for Wi-Fi, the relay and its offer, when there was one before


# Stands in for the microphone and for the speaker.
class _Nothing:
    lost = 0

    def take(self, buf):
        return False

    def write(self, buf, off, n):
        return n

    def end(self):
        pass


class SafeDoll:
    # is_safe is whether it is safe mode, and not only the fetching of an update.
    def __init__(self, conf, is_safe):
        board = audio.board(conf)
        name = identity.name(conf)
        log.info("doll version=%s board=%s id=%s", __version__, board.NAME, log.clean(name))
        now = time.ticks_ms()
        pin = machine.Pin(board.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._button = button.Button(pin, now)
        self._light = light.make(board, conf.light)
        self._state = "safe" if is_safe else "updating"
        self._light.show(self._state)
        self._end = None if is_safe else time.ticks_add(now, _OFFER_MS)
        self._relay = Relay(
            conf.relay,
            identity.headers(conf, name),
            identity.certificate(conf.ca),
            conf.insecure,
            Wifi(conf.wifi, Backoff()),
            _Nothing(),
            _Nothing(),
            Meter(),
        )
        self._conf = conf
        self._name = name
        self._update = Update(self._relay, name, conf.token, conf.board, conf.update)
        self._nonce = ""
        self._relay.about = self._about
        self._relay.on_link = self._on_link
        self._relay.on_message = self._on_message

    async def run(self):
        log.info("state %s", self._state)
        await asyncio.gather(self._relay.run(), self._chores())

    async def _chores(self):
        while True:
            now = time.ticks_ms()
            if self._button.poll(now) == button.LONG:
                log.info("button long")
                starts.clear()
                machine.reset()
            try:
                self._go_on(now)
            except MemoryError:
                self._update.give_up()
            self._light.tick(now)
            await asyncio.sleep_ms(_CHORES_MS)

    def _go_on(self, now):
        if self._update.is_waiting():
            self._update.begin(now)
        elif not self._update.tick(now) and self._is_over(now):
            log.info("update over")
            starts.clear()
            machine.reset()

    # Whether it was only to fetch an update, and there will be none.
    def _is_over(self, now):
        if self._end is None:
            return False
        if self._update.has_failed:
            return self._relay.is_quiet()  # the relay has been told
        return time.ticks_diff(now, self._end) > 0

    def _about(self):
        self._nonce = about.new_nonce()
        return about.about(self._conf.board, self._nonce, self._state == "safe")

    def _on_link(self, up):
        if not up:
            self._update.stop()

    def _on_message(self, message):
        kind = message.get("type")
        if kind == "update":
            self._update.on_message(message, self._nonce)
        elif kind == "token":
            conf = self._conf
            identity.take_token(message, conf, self._name, self._relay)
            self._update.trust(conf.token)
        elif kind == "system" and message.get("command") == "reboot":
            log.info("reboot")
            machine.reset()


# Runs until an update, or until somebody holds the button for a second.
async def main(conf, is_safe):
    await SafeDoll(conf, is_safe).run()
