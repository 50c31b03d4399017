# The doll: makes its parts, runs their tasks, and hands messages on. turn.py holds the states.

import asyncio
import gc
import time

import machine
from micropython import const

from . import (
    __version__,
    audio,
    button,
    hold,
    light,
    log,
    slots,
    starts,
)
from .backoff import Backoff
from .meter import Meter
from .relay import Relay
from .room import Room
from .sounds import Sounds
from .speaker import NOTHING
from .supervisor import HEAR, LINK, SPEAK, Supervisor
from .turn import Turn
from .wifi import Wifi

_CHORES_MS = const(20)
_SUPERVISE_MS = const(1000)
_MIC_MS = const(4)  # a DMA buffer comes every 16
_UNKNOWN = const(8)  # types of messages that are remembered as not known, so as to tell them once


class Doll:
    # sound is what audio.make() returned.
    def __init__(self, conf, sound):
        from . import identity

        board = audio.board(conf)
        name = identity.name(conf)
        log.info("doll version=%s board=%s id=%s", __version__, board.NAME, log.clean(name))
        self._conf = conf
        self.microphone, self.speaker = sound
        now = time.ticks_ms()
        pin = machine.Pin(board.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._button = button.Button(pin, now)
        self._hold = hold.Hold()
        self._light = light.make(board, conf.light)
        self._light.warns = conf.insecure and conf.relay.startswith("wss:")
        self._meter = Meter()
        self._unknown = []
        self._wifi = Wifi(conf.wifi, Backoff())
        self.relay = Relay(
            conf.relay,
            identity.headers(conf, name),
            identity.certificate(conf.ca),
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
        self.relay.on_lack = self._on_lack
        self._sounds = Sounds(self.speaker, conf.sounds, self._on_sound_end, now)
        slots.unload("identity", "rules")
        self._name = name
        self._nonce = ""  # of the session
        self._update = None  # loaded when it is needed
        self._lacks_room = False  # it could not be
        self.relay.about = self._about
        self._supervisor = Supervisor(conf.watchdog, slots.read()["trial"], now)
        self._room = Room(starts.rooms())
        self._seconds = 0  # since the start
        self._why = starts.why()  # it came, until the relay has been told
        self._is_proven = False  # this start is a good one, and nobody has noted it yet

    async def run(self):
        self._on_link(False)
        gc.collect()
        gc.threshold(-1)  # from now on only between turns
        await asyncio.gather(
            self.relay.run(), self._hear(), self._speak(), self._chores(), self._supervise()
        )

    ################################################################################################
    # Tasks. They run all day, so nothing in their loops takes heap unless something happens.

    async def _hear(self):
        microphone = self.microphone
        seen = self._supervisor.seen
        while True:
            seen[HEAR] = 1
            if microphone.step():
                await asyncio.sleep_ms(0)
            else:
                await asyncio.sleep_ms(_MIC_MS)

    async def _speak(self):
        speaker = self.speaker
        seen = self._supervisor.seen
        while True:
            seen[SPEAK] = 1
            if not speaker.step() and not self._sounds.step():
                await asyncio.sleep_ms(_MIC_MS)
                continue
            if speaker.event:
                event = speaker.event
                speaker.event = NOTHING
                self._meter.rest()
                try:
                    self.turn.on_sound(event, time.ticks_ms())
                except MemoryError:
                    self._on_lack("sound")
                self._meter.run()
            await asyncio.sleep_ms(0)

    async def _chores(self):
        while True:
            try:
                now = time.ticks_ms()
                event = self._button.poll(now)
                held = self._hold.poll(event, self.turn.state in ("booting", "connecting"), now)
                if held:
                    await self._on_hold(held)
                if event:
                    self._meter.rest()
                    self.turn.on_button(event, now)
                    self._meter.run()
                self.turn.tick(now)
                self._light.tick(now)
                self._sounds.tick(self.turn.state, self.turn.troubles, now)
                self._work_at_rest(now)
            except MemoryError:
                self._on_lack("chores")
            await asyncio.sleep_ms(_CHORES_MS)

    # What waits until nobody speaks: writing flash, for one, stops the chip for a moment.
    def _work_at_rest(self, now):
        state = self.turn.state
        if state == "idle" and self.speaker.volume != self._conf.volume:
            self._save_volume()
        if self._is_proven and state in ("idle", "connecting"):
            from . import guard

            guard.prove(self.relay)
            self._is_proven = False
            slots.unload("guard")
        if self._update:
            self._go_on_updating(now)
        elif self._room.is_due(self._seconds) and (
            state == "idle" or (state == "connecting" and not self.relay.holding)
        ):
            log.info("memory restart to make room")
            starts.ask_for_room()
            machine.reset()
        if self._lacks_room and self.turn.state in ("idle", "updating"):
            self._make_room()

    # The one that feeds the watchdog: it must not do anything else that could keep it alive.
    async def _supervise(self):
        supervisor = self._supervisor
        while True:
            if self.relay.seen:
                self.relay.seen = False
                supervisor.seen[LINK] = 1
            self._seconds += 1
            if supervisor.tick(time.ticks_ms(), self.turn.state not in ("booting", "connecting")):
                self._is_proven = True
            await asyncio.sleep_ms(_SUPERVISE_MS)

    # The button was held long while there was no link.
    async def _on_hold(self, what):
        if what == hold.SOON:
            self._light.show("setup")
            return
        if what == hold.RESET:
            from .access_point import reset

            await reset(self._conf, self._button, self._light)
        else:
            from . import setup

            setup.ask()
            log.info("setup asked for")
        machine.reset()

    # The memory ran out somewhere: whatever that was is given up, and the turn with it.
    def _on_lack(self, place):
        now = time.ticks_ms()
        hoped = not self._room.lacks
        self._room.note(place, now)
        if hoped and self._room.lacks:  # a person who waits for the link hears that it is in vain
            self._sounds.error()
        try:
            self.turn.on_lack(now)
        except MemoryError:
            pass  # its time limits end it

    # What the doll itself was heard to play is not the beginning of a question.
    def _on_sound_end(self):
        if self.turn.state == "idle":
            self.microphone.ready()

    def _save_volume(self):
        if self._conf.change("volume", self.speaker.volume):
            log.info("settings saved")
        slots.unload("rules")

    ################################################################################################
    # The relay

    def _on_link(self, up):
        if up:
            self._why = ""
        if up and not self.relay.resumed:
            self._light.records = False  # a new session says so anew
        if self._update and not up:
            self._update.stop()
        self.turn.on_link(up, time.ticks_ms())

    # A message that is a dictionary; nothing in it is trusted.
    def on_message(self, message):
        kind = message.get("type")
        if kind in ("tts", "stt", "llm"):
            self.turn.on_message(message, time.ticks_ms())
        elif kind == "mcp":
            from . import mcp

            payload = mcp.answer(message.get("payload"), self, __version__)
            if payload:
                self.relay.send({"type": "mcp", "payload": payload})
            slots.unload("mcp")
        elif kind == "update":
            self._on_update(message)
        elif kind == "system" and message.get("command") == "reboot":
            log.info("reboot")
            machine.reset()
        elif kind == "token":
            from . import identity

            identity.take_token(message, self._conf, self._name, self.relay)
            slots.unload("identity", "rules")
        elif kind == "alert":
            self._on_alert(message)
        elif kind == "recorder":
            self._light.records = message.get("state") == "on"
            log.info("recorder %s", "on" if self._light.records else "off")
        elif kind == "error":
            log.warn(
                "relay error code=%s %s",
                log.clean(message.get("code", "")),
                log.clean(message.get("message", "")),
            )
        elif kind not in ("hello", "pong", "system"):
            self._not_known(log.clean(kind)[:32])

    # What the relay wants to be seen: nothing to worry about, if it is how to be paired.
    def _on_alert(self, message):
        status = log.clean(message.get("status", ""))
        text = log.clean(message.get("message", ""))
        if status == "pairing":
            log.info("pairing %s", text)
            return
        self._sounds.error()
        log.warn("alert %s: %s", status, text)

    # What the relay offers. The code for it is loaded now, and goes when it is done.
    def _on_update(self, message):
        gc.collect()
        try:
            if not self._update:
                from .update import Update

                conf = self._conf
                self._update = Update(self.relay, self._name, conf.token, conf.board, conf.update)
            self._update.on_message(message, self._nonce)
            if not self._update.is_busy():
                self._forget_update()
        except MemoryError:
            self._forget_update()
            self._lacks_room = True

    def _go_on_updating(self, now):
        try:
            self._update.step(self.turn, now)
            if not self._update.is_busy():
                self._forget_update()
        except MemoryError:
            self._forget_update()
            self._lacks_room = True

    # A board without PSRAM: the doll starts anew, and does nothing but fetch the update.
    def _make_room(self):
        self._lacks_room = False
        if starts.ask_to_fetch():
            log.info("update restart to make room")
            machine.reset()
        log.warn("update refused memory: there is not enough")
        self.relay.send({"type": "update", "state": "refused", "reason": "memory"})
        self.turn.end_update(time.ticks_ms())

    def _forget_update(self):
        self._update = None
        slots.unload("update", "bundle", "hmac")
        gc.collect()

    # This firmware, for the hello of a new session.
    def _about(self):
        from . import about

        self._nonce = about.new_nonce()
        return about.about(self._conf.board, self._nonce, False, self._why)

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


# Runs the doll for ever. Raises what nobody foresaw.
async def main(conf, sound):
    await Doll(conf, sound).run()
