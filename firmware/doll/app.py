# The doll: makes its parts, runs their tasks, and hands messages on. turn.py holds the states.

import asyncio
import gc
import sys
import time

import machine
from micropython import const

from . import __version__, audio, button, light, log, mcp
from .backoff import Backoff
from .meter import Meter
from .relay import Relay
from .speaker import NOTHING
from .turn import Turn
from .wifi import Wifi

_CHORES_MS = const(20)
_MIC_MS = const(4)  # a DMA buffer comes every 16
_UNKNOWN = const(8)  # types of messages that are remembered as not known, so as to tell them once


class Doll:
    # sound is what audio.make() returned.
    def __init__(self, conf, sound):
        board = audio.board(conf)
        name = conf.device_id or ":".join("%02x" % b for b in machine.unique_id()[:6])
        log.info("doll version=%s board=%s id=%s", __version__, board.NAME, log.clean(name))
        self._conf = conf
        self.microphone, self.speaker = sound
        now = time.ticks_ms()
        pin = machine.Pin(board.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._button = button.Button(pin, now)
        self._light = light.make(board, conf.light)
        self._meter = Meter()
        self._unknown = []
        self._wifi = Wifi(conf.wifi, Backoff())
        self.relay = Relay(
            conf.relay,
            _headers(conf, name),
            _certificate(conf.ca),
            conf.insecure,
            self._wifi,
            self.microphone,
            self.speaker,
            self._meter,
        )
        self.turn = Turn(
            self.microphone, self.speaker, self.relay, self._light, self._meter, conf.talk, now
        )
        self.relay.on_link = self._on_link
        self.relay.on_message = self.on_message
        self.relay.on_sent = self.turn.on_sent

    async def run(self):
        self._on_link(False)
        gc.collect()
        await asyncio.gather(self.relay.run(), self._hear(), self._speak(), self._chores())

    ################################################################################################
    # Tasks. They run all day, so nothing in their loops takes heap unless something happens.

    async def _hear(self):
        microphone = self.microphone
        while True:
            if microphone.step():
                await asyncio.sleep_ms(0)
            else:
                await asyncio.sleep_ms(_MIC_MS)

    async def _speak(self):
        speaker = self.speaker
        while True:
            if not speaker.step():
                await asyncio.sleep_ms(_MIC_MS)
                continue
            if speaker.event:
                event = speaker.event
                speaker.event = NOTHING
                self._meter.rest()
                self.turn.on_sound(event, time.ticks_ms())
                self._meter.run()
            await asyncio.sleep_ms(0)

    async def _chores(self):
        while True:
            now = time.ticks_ms()
            event = self._button.poll(now)
            if event:
                self._meter.rest()
                self.turn.on_button(event, now)
                self._meter.run()
            self.turn.tick(now)
            self._light.tick(now)
            # Writing flash stops the chip for a moment: not while anybody speaks.
            if self.turn.state == "idle" and self.speaker.volume != self._conf.volume:
                self._save_volume()
            await asyncio.sleep_ms(_CHORES_MS)

    def _save_volume(self):
        if self._conf.change("volume", self.speaker.volume):
            log.info("settings saved")

    ################################################################################################
    # The relay

    def _on_link(self, up):
        self.turn.on_link(up, time.ticks_ms())

    # A message that is a dictionary; nothing in it is trusted.
    def on_message(self, message):
        kind = message.get("type")
        if kind in ("tts", "stt", "llm"):
            self.turn.on_message(message, time.ticks_ms())
        elif kind == "mcp":
            payload = mcp.answer(message.get("payload"), self, __version__)
            if payload:
                self.relay.send({"type": "mcp", "payload": payload})
        elif kind == "system" and message.get("command") == "reboot":
            log.info("reboot")
            machine.reset()
        elif kind == "alert":
            log.warn(
                "alert %s: %s",
                log.clean(message.get("status", "")),
                log.clean(message.get("message", "")),
            )
        elif kind == "error":
            log.warn(
                "relay error code=%s %s",
                log.clean(message.get("code", "")),
                log.clean(message.get("message", "")),
            )
        elif kind not in ("hello", "pong", "system"):
            self._not_known(log.clean(kind)[:32])

    def _not_known(self, kind):
        if kind not in self._unknown and len(self._unknown) < _UNKNOWN:
            self._unknown.append(kind)
            log.info("relay message of an unknown type %s", kind)

    ################################################################################################
    # Tools that the relay may use

    def status(self):
        return {
            "audio_speaker": {"volume": self.speaker.volume},
            "light": {"brightness": self._light.brightness * 100 // 255},
            "network": {"type": "wifi", "rssi": self._wifi.rssi()},
        }

    def set_volume(self, volume):
        self.turn.set_volume(volume)

    # 0-100. Never dark: the light is how a person sees that the microphone is open.
    def set_brightness(self, percent):
        self._light.dim(max(4, percent * 255 // 100))


def _headers(conf, name):
    if not conf.client_id:
        conf.change("client_id", _uuid())
    headers = [("Device-Id", name), ("Client-Id", conf.client_id), ("Protocol-Version", "1")]
    if conf.token:
        headers.append(("Authorization", "Bearer " + conf.token))
    return headers


# A random UUID (RFC 9562, version 4).
def _uuid():
    import os

    b = bytearray(os.urandom(16))
    b[6] = b[6] & 0x0F | 0x40
    b[8] = b[8] & 0x3F | 0x80
    h = bytes(b).hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def _certificate(name):
    if not name:
        return None
    try:
        with open(name, "rb") as f:
            return f.read()
    except OSError as e:
        log.error("settings ca: %s cannot be read (%s)", log.clean(name), e)
        return None


# Runs the doll for ever. What nobody foresaw is shown, and then the doll starts anew.
async def main(conf, sound):
    log.debugging = conf.log == "debug"
    try:
        await Doll(conf, sound).run()
    except Exception as e:
        log.error("crash %s", log.clean(repr(e)))
        sys.print_exception(e)
        time.sleep_ms(3000)
        machine.reset()
