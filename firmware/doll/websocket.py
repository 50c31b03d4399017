# WebSocket client for a streaming device (RFC 6455): fixed buffers, no heap use per frame.
# MIT license; part of the talking doll
#
#   ws = WebSocket()
#   await ws.connect("wss://relay.example/xiaozhi/v1/", headers, ca=der)   # or a ConnectError
#
#   ws.tx[ws.HEAD : ws.HEAD + 5] = b"hello"      # one coroutine sends: first the payload, in place
#   sent = ws.begin(TEXT, 5)                     # it is masked where it lies
#   while not sent:                              # True: tx may be written again
#       await asyncio.sleep_ms(2)
#       sent = ws.flush()
#
#   op = ws.poll(ring)                           # another one receives
#   if op == TEXT:                               # a message has ended: it is valid UTF-8 and in
#       json.loads(memoryview(ws.text)[: ws.length])               # ws.text until the next poll()
#   elif op == BINARY:                           # ws.length bytes of it went to ring.write()
#       ...
#   elif op < 0:                                 # nothing there, or the ring is full
#       await asyncio.sleep_ms(4)
#   (after 0 or a message, let the others run now and then: await asyncio.sleep_ms(0))
#
# Binary payload goes straight to the sink given to poll(): anything with the stream method
# write(buf, off, n) that returns how many bytes it took, such as micropython.RingIO. What it does
# not take stays in the buffer, nothing more is read, and TCP slows the sender down. poll() returns
# at the end of every message, so a sink need not be told where messages begin and end.
#
# begin(), flush() and poll() are plain methods, because to await a coroutine costs 100-200 bytes
# of heap each time. They raise Closed when the link is over, for whatever reason; connect() may
# then be called again on the same object.

import asyncio
import os
import time

import micropython
from micropython import const

from .frames import BINARY, CLOSE, PING, PONG, TEXT, Closed, Parser, copy  # noqa: F401

_HEAD = const(8)  # the longest header that is sent: 2 bytes, 2 of length, 4 of mask


# XORs the n bytes of buf behind the header with key, 32 bits at a time. They are aligned, because
# the heap aligns buf, and _HEAD is a multiple of 4. Little-endian, as all boards are.
@micropython.viper
def _mask(buf, n: int, key: int):
    words = ptr32(buf)
    i = _HEAD >> 2
    end = i + (n >> 2)
    while i < end:
        words[i] = words[i] ^ key
        i += 1
    rest = ptr8(buf)
    i = _HEAD + (n & ~3)
    end = _HEAD + n
    while i < end:
        rest[i] = rest[i] ^ (key & 0xFF)
        key = key >> 8
        i += 1


# The next mask key: xorshift (Marsaglia 2003) cut to 30 bits, because a larger int is a heap
# object on a 32-bit board. These shifts give the full period of 2**30 - 1.
@micropython.viper
def _xorshift(x: int) -> int:
    x ^= (x << 11) & 0x3FFFFFFF
    x ^= x >> 19
    x ^= (x << 12) & 0x3FFFFFFF
    return x


# Takes everything and keeps nothing: what still comes in while the link is being closed.
class _Nowhere:
    def write(self, buf, off, n):
        return n


class WebSocket:
    HEAD = _HEAD  # payload to be sent starts here in tx

    # Sizes in bytes: rx of one read, tx of the longest message that can be sent, text and limit of
    # the longest text and binary message that is accepted; a longer one ends the link (1009).
    def __init__(self, rx=1024, tx=1024, text=2048, limit=65536):
        if tx > 0xFFFF:
            raise ValueError("tx over 65535")
        self.tx = bytearray(_HEAD + tx)
        self._in = Parser(rx, text, limit)
        self.text = self._in.text
        self.length = 0  # of the message that has just ended
        self.last_rx = 0  # ticks_ms of the last byte that came: silence is for the caller to judge
        self.is_open = False
        self._stream = None
        self._control = bytearray(_HEAD + 125)  # the control frame that is being sent
        self._ping = bytearray(125)  # payload of the ping that is to be answered
        self._key = 0

    # Opens url (ws:// or wss://). headers are (name, value) pairs. For wss, ca is the CA
    # certificate in DER, or a list of them; only with insecure=True may the server be anybody.
    # timeout_ms is for everything but the look-up of the name, which blocks. Raises ConnectError.
    async def connect(self, url, headers=(), ca=None, insecure=False, timeout_ms=10_000):
        from .upgrade import upgrade  # needed once a link, and a large module

        self.close()
        self.attach(await upgrade(url, headers, ca, insecure, timeout_ms))

    # Takes over a non-blocking stream on which the upgrade is done.
    def attach(self, stream):
        self._drop()
        self._stream = stream
        self._key = int.from_bytes(os.urandom(3), "little") | 1  # xorshift never leaves 0
        self._in.reset()
        self._out = None  # the buffer whose frame is being sent; _out[_pos:_end] is still to go
        self._pos = self._end = 0
        self._tx_pos = self._tx_end = 0  # the frame in tx; _tx_end is 0 when there is none
        self._pong = -1  # length of the ping that is to be answered
        self._bye = 0  # close code that is to be sent
        self.length = 0
        self.last_rx = time.ticks_ms()
        self.is_open = True

    # Starts to send tx[HEAD : HEAD + n] as one frame. True when all of it has gone; otherwise call
    # flush() until it has. The payload is overwritten.
    def begin(self, op, n):
        if not self.is_open:
            raise Closed(1006, "not connected")
        if self._tx_end:
            raise RuntimeError("begin() before flush() was True")
        if not 0 <= n <= len(self.tx) - _HEAD:
            raise ValueError("payload longer than tx")
        self._tx_pos = self._seal(self.tx, op, n)
        self._tx_end = _HEAD + n
        return self.flush()

    # Sends what waits. True when tx may be written again. A frame that has begun is finished
    # before another one starts, from the same buffer: TLS wants to be given the same bytes again.
    def flush(self):
        if self._stream is None:
            raise Closed(1006, "not connected")
        while self._out is not None or self._next():
            try:
                n = self._stream.write(self._out, self._pos, self._end - self._pos)
            except OSError as e:
                self._lost(e)
            if not n:
                break
            self._pos += n
            if self._pos == self._end:
                if self._out is self.tx:
                    self._tx_end = 0
                self._out = None
        return not self._tx_end

    # Reads at most once, and parses up to the end of a message. Returns its opcode, TEXT or
    # BINARY; 0 when there may be more to do; -1 when nothing is there or the sink is full.
    def poll(self, sink):
        if self._stream is None:
            raise Closed(1006, "not connected")
        self.flush()
        frames = self._in
        if frames.at == frames.lim:
            try:
                n = self._stream.readinto(frames.rx)
            except OSError as e:
                self._lost(e)
            if n is None:
                return -1
            if not n:
                self._lost("no close frame")
            frames.at = 0
            frames.lim = n
            self.last_rx = time.ticks_ms()
        try:
            op = frames.next(sink)
        except Closed as e:  # the relay broke a rule: it is told which
            self.close(e.code)
            raise
        if op == PING:
            if self.is_open:
                # Answered as soon as the frame in hand has gone; if another ping comes before
                # that, only the later one (section 5.5.3). So its payload is put aside.
                self._ping, frames.got = frames.got, self._ping
                self._pong = frames.size
                self.flush()
            return 0
        if op == CLOSE:
            self.close(frames.code)  # the answer has the same code
            raise Closed(frames.code, frames.reason)
        if op > 0:
            self.length = frames.length
        return op

    # Says goodbye if that can be done at once, and frees the socket. Never raises.
    def close(self, code=1000):
        if self.is_open:
            self._part(code)
        self._drop()

    # The closing handshake of section 7: says goodbye, waits for the relay to do so too, frees the
    # socket. Slower than close(), but nothing that was sent before is lost. Never raises.
    async def shutdown(self, code=1000, timeout_ms=1000):
        if self.is_open:
            end = time.ticks_add(time.ticks_ms(), timeout_ms)
            self._part(code)
            nowhere = _Nowhere()
            try:
                while time.ticks_diff(end, time.ticks_ms()) > 0:
                    await asyncio.sleep_ms(10 if self.poll(nowhere) < 0 else 0)
            except Closed:
                pass
        self._drop()

    # Writes the header before the n bytes at buf[_HEAD:] and masks them. Returns where it starts.
    def _seal(self, buf, op, n):
        self._key = key = _xorshift(self._key)
        if n < 126:
            pos = 2
            buf[3] = 0x80 | n
        else:
            pos = 0
            buf[1] = 0x80 | 126
            buf[2] = n >> 8
            buf[3] = n & 0xFF
        buf[pos] = 0x80 | op
        buf[4] = key & 0xFF
        buf[5] = (key >> 8) & 0xFF
        buf[6] = (key >> 16) & 0xFF
        buf[7] = key >> 24
        _mask(buf, n, key)
        return pos

    # Chooses the next frame to send: a pong, then what is in tx, then the close. False: none.
    def _next(self):
        op = PONG
        n = self._pong
        if n >= 0:
            self._pong = -1
            copy(self._control, _HEAD, self._ping, 0, n)
        elif self._tx_end:
            self._out = self.tx
            self._pos = self._tx_pos
            self._end = self._tx_end
            return True
        elif self._bye:
            op = CLOSE
            n = 0 if self._bye == 1005 else 2
            self._control[_HEAD] = self._bye >> 8
            self._control[_HEAD + 1] = self._bye & 0xFF
            self._bye = 0
        else:
            return False
        self._out = self._control
        self._pos = self._seal(self._out, op, n)
        self._end = _HEAD + n
        return True

    # Puts a close behind what is being sent. Nothing may be sent after it.
    def _part(self, code):
        self.is_open = False
        self._bye = code
        try:
            self.flush()
        except Closed:
            pass

    def _lost(self, why):
        self._drop()
        raise Closed(1006, "connection lost: %s" % why)

    def _drop(self):
        self.is_open = False
        stream = self._stream
        self._stream = None
        if stream is not None:
            try:
                stream.close()
            except OSError:
                pass
