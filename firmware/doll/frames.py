# WebSocket frames coming in (RFC 6455 section 5): bytes in, messages out, no heap use.
# MIT license; part of the talking doll
#
# A sans-I/O core: it knows no socket and no clock. websocket.py feeds it and answers for it.

import micropython
from micropython import const

TEXT = const(1)
BINARY = const(2)
CLOSE = const(8)
PING = const(9)
PONG = const(10)

MAX_LIMIT = const(0x1FFFFF)  # so that a length shifted left by 8 is a small int on 32 bits

# What the next byte is.
_OPCODE = const(0)
_LENGTH = const(1)
_MORE_LENGTH = const(2)
_PAYLOAD = const(3)


# The link is over. code is the relay's, or ours when the relay broke the protocol (1002), sent bad
# UTF-8 (1007) or too much (1009); 1005 is a close without a code, 1006 a lost connection.
class Closed(OSError):  # noqa: N818
    def __init__(self, code, reason):
        super().__init__("%d %s" % (code, reason))
        self.code = code
        self.reason = reason


# dst[at : at + n] = src[off : off + n], which in Python would make two slices on the heap.
@micropython.viper
def copy(dst, at: int, src, off: int, n: int):
    d = ptr8(dst)
    s = ptr8(src)
    end = off + n
    while off < end:
        d[at] = s[off]
        at += 1
        off += 1


# Whether buf[start:end] is UTF-8 (Unicode, table 3-7: no surrogates, no overlong forms).
@micropython.viper
def is_utf8(buf, start: int, end: int) -> bool:
    p = ptr8(buf)
    i = start
    while i < end:
        b = p[i]
        i += 1
        if b < 0x80:
            continue
        if b < 0xC2 or b > 0xF4:
            return False
        more = 1
        low = 0x80  # the limits of the second byte
        high = 0xBF
        if b >= 0xF0:
            more = 3
            if b == 0xF0:
                low = 0x90
            elif b == 0xF4:
                high = 0x8F
        elif b >= 0xE0:
            more = 2
            if b == 0xE0:
                low = 0xA0
            elif b == 0xED:
                high = 0x9F
        if i + more > end:
            return False
        while more:
            if p[i] < low or p[i] > high:
                return False
            low = 0x80
            high = 0xBF
            i += 1
            more -= 1
    return True


class Parser:
    # Sizes in bytes: rx of one read, text of the longest text message that is accepted, limit of
    # the longest binary message that is accepted.
    def __init__(self, rx, text, limit):
        if text > MAX_LIMIT or limit > MAX_LIMIT:
            raise ValueError("limit over %d" % MAX_LIMIT)
        self.rx = bytearray(rx)
        self.text = bytearray(text)
        self.got = bytearray(125)  # payload of a ping or a close
        self.limit = limit
        self.reset()

    def reset(self):
        self.at = self.lim = 0  # rx[at:lim] has come and is not looked at yet
        self.length = 0  # of the message so far
        self.size = 0  # of the frame
        self.code = 1005  # of the close frame
        self.reason = ""
        self._left = 0  # bytes of the frame still to come
        self._more = 0  # bytes of its length still to come
        self._state = _OPCODE
        self._op = 0  # of the message that is coming in, 0 between messages
        self._frame = 0  # opcode of the frame; the message's if it is a continuation
        self._fin = False

    # Parses rx[at:lim] up to the end of a message, ping or close; returns its opcode. Then a text
    # is in text[:length] and is UTF-8, a binary message has gone to sink, a ping is in got[:size],
    # a close in code and reason. Returns 0 when rx is used up, -1 when the sink did not take all.
    # Raises Closed when the relay breaks a rule.
    def next(self, sink):
        while True:
            if self._state != _PAYLOAD:
                if self.at == self.lim:
                    return 0
                self.at += 1
                self._header(self.rx[self.at - 1])
                continue
            n = self.lim - self.at
            if n > self._left:
                n = self._left
            if n:
                taken = self._take(sink, n)
                self.at += taken
                self._left -= taken
                if taken < n:
                    return -1
            if self._left:
                return 0
            self._state = _OPCODE
            op = self._frame
            if op < 8:
                if not self._fin:
                    continue
                self._op = 0
                if op == TEXT and not is_utf8(self.text, 0, self.length):
                    raise Closed(1007, "text is not UTF-8")
                return op
            if op == CLOSE:
                self._close()
            if op != PONG:  # nobody asked for that
                return op

    # Takes one byte of a frame's header.
    def _header(self, b):
        state = self._state
        if state == _OPCODE:
            self._opcode(b & 0x0F, b & 0x80 != 0)
            if b & 0x70:
                raise Closed(1002, "reserved bit set")
            self._state = _LENGTH
        elif state == _LENGTH:
            if b & 0x80:
                raise Closed(1002, "masked frame")
            self.size = b
            if b < 126:
                self._left = b
                self._length_known()
            else:
                if self._frame >= 8:
                    raise Closed(1002, "control frame too long")
                self._left = 0
                self._more = 2 if b == 126 else 8
                self._state = _MORE_LENGTH
        else:
            self._left = self._left << 8 | b
            if self._left > MAX_LIMIT:
                raise Closed(1009, "message too long")
            self._more -= 1
            if not self._more:
                if self._left < (126 if self.size == 126 else 0x10000):
                    raise Closed(1002, "length not in its shortest form")
                self.size = self._left
                self._length_known()

    def _opcode(self, op, fin):
        if 2 < op < 8 or op > 10:
            raise Closed(1002, "reserved opcode")
        if op >= 8:
            if not fin:
                raise Closed(1002, "fragmented control frame")
        elif op == 0:
            op = self._op
            if not op:
                raise Closed(1002, "continuation of nothing")
        elif self._op:
            raise Closed(1002, "message inside a message")
        else:
            self._op = op
            self.length = 0
        self._frame = op
        self._fin = fin

    def _length_known(self):
        op = self._frame
        if op < 8:
            if self.length + self._left > (len(self.text) if op == TEXT else self.limit):
                raise Closed(1009, "message too long")
        elif op == CLOSE and self._left == 1:
            raise Closed(1002, "half a close code")
        self._state = _PAYLOAD

    # Takes n bytes of payload at rx[at:]. Returns how many were taken.
    def _take(self, sink, n):
        op = self._frame
        if op == BINARY:
            n = sink.write(self.rx, self.at, n) or 0
            self.length += n
        elif op == TEXT:
            copy(self.text, self.length, self.rx, self.at, n)
            self.length += n
        elif op != PONG:
            copy(self.got, self.size - self._left, self.rx, self.at, n)
        return n

    # Reads the code and the reason from the close frame in got.
    def _close(self):
        got = self.got
        n = self.size
        self.code = 1005
        self.reason = ""
        if not n:
            return
        self.code = code = got[0] << 8 | got[1]
        if not is_utf8(got, 2, n):
            raise Closed(1007, "close reason is not UTF-8")
        # 1004 to 1006 and 1015 never travel, the rest is not given out (section 7.4, and IANA).
        if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            raise Closed(1002, "bad close code %d" % code)
        # It goes to the log: no line feeds or escapes from outside in there.
        reason = str(got[2:n], "utf-8")
        self.reason = "".join(c if c >= " " and c != "\x7f" else "?" for c in reason)
