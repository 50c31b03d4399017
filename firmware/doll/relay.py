# The link to the relay: one WebSocket, kept open always, and opened again whenever it is lost.
#
# One coroutine moves both directions with plain methods, so a frame takes no heap; the others only
# put messages in the queue and frames in the rings. Texts go before audio, except the listen stop,
# which goes behind the last frame of what was heard.

import asyncio
import gc
import json
import time

from micropython import const

from . import log, slots
from .backoff import SOON_MS, Backoff
from .websocket import BINARY, PING, TEXT, Closed, WebSocket

_FRAME = const(260)

_HELLO_MS = const(10_000)
_STALL_MS = const(10_000)  # for one frame to go out
_PING_MS = const(20_000)  # of silence, and then we ask
_SILENCE_MS = const(45_000)  # and then the link is dead
_TURN_PING_MS = const(2_000)  # the same while an answer is to come
_TURN_SILENCE_MS = const(6_000)
_CHECK_MS = const(1000)
_HELD_MS = const(60_000)  # a link that lasted so long was a good one
_HURRY_MS = const(500)  # between tries in mid-turn
_HURRIED_MS = const(2500)  # for one of them: an answer waits 15 s, and another try may do better
_CONNECT_MS = const(10_000)  # for any other

# Ends of a link after which the relay may be asked again at once, or as soon as it is there: it
# stops, it restarts, the link was lost, the session is over, there is a new token.
_GONE = (1000, 1001, 1006, 1012, 4008, 4010)
_QUEUE = const(16)
_GARBAGE = const(20)  # messages that are none, before we try a new connection

_UNCOUNTED = ("hello", "pong", "error")  # they belong to the connection, not to the session


class Relay:
    # headers are those of the upgrade. on_link(up), on_message(dict) and on_sent() are called by
    # the coroutine that run() is.
    def __init__(self, url, headers, ca, insecure, wifi, microphone, speaker, meter):
        self._url = url
        self._headers = headers
        self._ca = ca
        self._insecure = insecure
        self._wifi = wifi
        self._microphone = microphone
        self._speaker = speaker
        self._meter = meter
        self._ws = WebSocket(rx=1024, tx=1536, text=2048, limit=4096)
        self._audio = memoryview(self._ws.tx)[WebSocket.HEAD : WebSocket.HEAD + _FRAME]
        self._session = ""
        self._received = 0  # messages of the session: those that its relay counts as well
        self._up = False
        self._reset()
        self.frames_sent = 0  # since the last listen start
        self.urgent = False  # an answer is to come: a link that is silent is left soon
        self.holding = False  # it was cut off: the next hello asks to go on with it
        self.resumed = False  # what the relay said to that
        self.hurry = False  # somebody waits for the link
        self.seen = False  # set whenever the link comes by; the supervisor sets it back
        self.sink = None  # of binary messages, in place of the speaker; until the link is lost
        self.about = None  # gives the hello's "firmware"
        self.on_link = None
        self.on_message = None
        self.on_sent = None
        self.on_lack = _lacks

    def _reset(self):
        self._queue = []
        self._streaming = False  # the frames of the microphone go out
        self._ending = False  # and when there is none left, the listen stop
        self._free = True  # nothing is on its way out
        self._began = self._checked = self._asked = time.ticks_ms()
        self._garbage = 0
        self.sink = None

    # What the next connection says about this doll.
    def identify(self, headers):
        self._headers = headers

    ################################################################################################
    # What a turn says. All of it returns at once; without a link it says nothing.

    # The relay listens: "manual" until listened(), "auto" until it finds the end itself.
    def listen(self, mode):
        if self._ending:
            self._end()
        self.frames_sent = 0
        self._streaming = True
        self.send({"type": "listen", "state": "start", "mode": mode})

    # Everything was said; what the microphone still holds goes out first.
    def listened(self):
        self._ending = True

    # What the microphone holds is of no use any more.
    def stop_audio(self):
        self._streaming = self._ending = False

    def abort(self):
        self.stop_audio()
        self.send({"type": "abort"})

    # The account of a reply, and how the doll is.
    def report(self, account):
        account["type"] = "report"
        account["frames_sent"] = self.frames_sent
        account["frames_dropped"] = self._microphone.lost
        account["rssi"] = self._wifi.rssi()
        self.send(account)

    def send(self, message):
        if not self._up:
            return
        if len(self._queue) >= _QUEUE:
            log.warn("relay queue full, not sent: %s", message.get("type"))
            return
        message["session_id"] = self._session
        self._queue.append(message)

    # Whether all that was said is out.
    def is_quiet(self):
        return self._free and not self._queue

    ################################################################################################
    # The link

    # Connects, serves, connects again; for ever.
    async def run(self):
        backoff = Backoff()
        while True:
            self.seen = True
            since = time.ticks_ms()
            refused = False
            try:
                await self._wifi.connect()
                since = time.ticks_ms()
                log.info("relay connecting %s", _shown(self._url))
                await self._connect()
                self._up = True
                log.info("relay connected session=%s", self._session)
                self.on_link(True)
                await self._serve()
            except MemoryError:
                self.on_lack("link")
                refused = True
            except (OSError, ValueError, RuntimeError) as e:
                log.warn("relay lost %s", log.clean(e))
                refused = _is_refusal(e)
            finally:
                self._up = False
                self._meter.rest()
                self._ws.close(1001)  # not 1000: it comes back, and wants the rest of an answer
            self._reset()
            self._speaker.tear()
            self.on_link(False)
            gc.collect()
            spent = time.ticks_diff(time.ticks_ms(), since)
            if spent > _HELD_MS:
                backoff.reset()
            if refused:
                ms = backoff.next()
            else:  # tries begin so far apart: one that took long is followed by the next sooner
                ms = backoff.next(_HURRY_MS if self.hurry else SOON_MS)
                ms = max(ms - spent, ms // 8)
            log.info("relay retry ms=%d", ms)
            await asyncio.sleep_ms(ms)

    # Opens the link. The code for that is in memory only meanwhile, and never all of it at once:
    # this is the moment when the least memory is free.
    async def _connect(self):
        try:
            await self._open()
            slots.unload("clock", "upgrade")
            await self._greet()
        finally:
            slots.unload("about", "clock", "hello", "upgrade")

    # Opens the WebSocket.
    async def _open(self):
        if self._url.startswith("wss:"):
            if self._insecure:
                log.warn("relay insecure: its certificate is not checked")
            else:
                from . import clock, upgrade

                clock.set_once(upgrade.parse(self._url)[1])
        ms = _HURRIED_MS if self.hurry else _CONNECT_MS
        await self._ws.connect(self._url, self._headers, self._ca, self._insecure, ms)

    # Exchanges hellos.
    async def _greet(self):
        from . import hello

        ws = self._ws
        self._reset()
        wish = {"session_id": self._session, "received": self._received}
        self._put(hello.make(self.about, wish if self.holding else None))
        start = time.ticks_ms()
        while True:
            if not self._free:
                self._free = ws.flush()
            op = ws.poll(self._speaker)
            if op == TEXT:
                message = self._parse()
                self._session = hello.accept(message)
                self.resumed = message.get("resumed") is True
                self.holding = False
                if not self.resumed:
                    self._received = 0
                return
            if op == BINARY:
                self._speaker.end()
            if time.ticks_diff(time.ticks_ms(), start) > _HELLO_MS:
                raise OSError("no hello from the relay")
            await asyncio.sleep_ms(4)

    # Moves messages and frames until the link is lost.
    async def _serve(self):
        while True:
            self.seen = True
            try:
                ms = self._step()
            except MemoryError:  # the message is given up, the link holds
                self.on_lack("message")
                ms = 0
            await asyncio.sleep_ms(ms)

    # Moves what can be moved. Returns for how long to let the others run.
    def _step(self):
        ws = self._ws
        busy = self._step_out()
        sink = self.sink or self._speaker
        op = ws.poll(sink)
        if op == BINARY:
            self._received += 1
            sink.end()
        elif op == TEXT:
            self._meter.rest()
            self._received += 1  # before anything can fail: the relay has counted it too
            message = self._parse()
            if message is not None:
                if message.get("type") in _UNCOUNTED:
                    self._received -= 1
                self.on_message(message)
            self._meter.run()
        elif op < 0 and not busy:
            self._check(ws)
            return 4
        return 0

    # Sends the next thing, if the last one has gone. False if there is nothing to do.
    def _step_out(self):
        ws = self._ws
        if not self._free:
            self._free = ws.flush()
            return self._free
        if self._queue:
            self._meter.rest()
            self._put(self._queue.pop(0))
            self._meter.run()
        elif self._streaming and self._microphone.take(self._audio):
            self.frames_sent += 1
            self._free = ws.begin(BINARY, _FRAME)
            self._began = time.ticks_ms()
        elif self._ending:
            self._end()
        else:
            return False
        return True

    def _end(self):
        self._meter.rest()
        self.stop_audio()
        self.send({"type": "listen", "state": "stop"})
        self.on_sent()
        self._meter.run()

    # Writes a message into the frame that goes out. Only while none is on its way.
    def _put(self, message):
        data = json.dumps(message).encode()
        n = len(data)
        start = WebSocket.HEAD
        if n > len(self._ws.tx) - start:
            log.warn("relay message too long: %s", message.get("type"))
            return
        self._ws.tx[start : start + n] = data
        self._free = self._ws.begin(TEXT, n)
        self._began = time.ticks_ms()

    # The message that has come, or None if it is none.
    def _parse(self):
        ws = self._ws
        try:
            message = json.loads(memoryview(ws.text)[: ws.length])
            if isinstance(message, dict):
                return message
        except (ValueError, RuntimeError):
            pass
        self._garbage += 1
        if self._garbage == 1:
            log.warn("relay garbage %s", log.clean(bytes(ws.text[: min(ws.length, 80)])))
        elif self._garbage > _GARBAGE:
            raise OSError("the relay sends garbage")
        return None

    # Raises if the link has died without saying so. No heap unless it asks for a sign of life.
    def _check(self, ws):
        now = time.ticks_ms()
        if time.ticks_diff(now, self._checked) < _CHECK_MS:
            return
        self._checked = now
        if not self._free:
            if time.ticks_diff(now, self._began) > _STALL_MS:
                raise Closed(1006, "the relay does not read")
            return
        silence = time.ticks_diff(now, ws.last_rx)
        if silence > (_TURN_SILENCE_MS if self.urgent else _SILENCE_MS):
            raise Closed(1006, "the relay is silent")
        ping_ms = _TURN_PING_MS if self.urgent else _PING_MS
        if silence > ping_ms and time.ticks_diff(now, self._asked) > ping_ms:
            self._asked = now
            self._free = ws.begin(PING, 0)
            self._began = now
        if not self._wifi.is_up():
            raise OSError("Wi-Fi is gone")


# Whether the relay is there and does not want this doll now, by what a try or a link ended with.
def _is_refusal(e):
    if isinstance(e, Closed):
        return e.code not in _GONE
    if isinstance(e, OSError):
        return getattr(e, "refused", False)
    return True  # it says what nobody can make sense of, or we have no room for it


# Of a doll that has nothing to end when the memory runs out.
def _lacks(place):
    gc.collect()
    log.warn("memory short at=%s free=%d", place, gc.mem_free())


# An address as it may stand in the log: without query and password, which may be secret.
def _shown(url):
    scheme, _, rest = url.split("?")[0].partition("://")
    return log.clean(scheme + "://" + rest.split("@")[-1])
