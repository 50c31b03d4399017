# Runs on MicroPython: generated streams through WebSocket.poll(), each compared with a reference
# parser that is as plain as can be. argv: seed, number of inputs. Prints one line of JSON.
import gc
import json
import random
import sys

from doll.frames import MAX_LIMIT
from doll.websocket import BINARY, CLOSE, PING, PONG, TEXT, Closed, WebSocket

LIMITS = {"rx": 32, "tx": 200, "text": 40, "limit": 300}


# What must come of data, before the connection is lost: ([(opcode, payload)], close code).
def reference(data):
    events = []
    op = at = 0
    message = b""
    while at + 1 < len(data):
        first, second = data[at], data[at + 1]
        code, final = first & 0x0F, first >> 7
        broken = header_code(first, op)
        if broken or second & 0x80 or (code >= 8 and second > 125):
            return events, 1002
        if code in (TEXT, BINARY):
            op, message = code, b""
        at += 2
        size = second
        if second > 125:
            more = 2 if second == 126 else 8
            size = int.from_bytes(data[at : at + more], "big")
            if size > MAX_LIMIT:
                return events, 1009
            if at + more > len(data):
                return events, 1006
            if size < (126 if more == 2 else 65536):
                return events, 1002
            at += more
        if code == CLOSE and size == 1:
            return events, 1002
        if code < 8 and len(message) + size > LIMITS["text" if op == TEXT else "limit"]:
            return events, 1009
        payload = data[at : at + size]
        if len(payload) < size:
            return events, 1006
        at += size
        if code == CLOSE:
            return events, close_code(payload)
        if code == PING:
            events.append((PING, payload))
        elif code < 8:
            message += payload
            if final:
                if op == TEXT and not unicode_text(message):
                    return events, 1007
                events.append((op, message))
                op = 0
    if at < len(data) and header_code(data[at], op):
        return events, 1002
    return events, 1006


# 1002 if a frame may not begin with this byte while a message of opcode op is coming in.
def header_code(first, op):
    code = first & 0x0F
    if first & 0x70 or 2 < code < 8 or code > 10:
        return 1002
    if code >= 8:
        return 0 if first & 0x80 else 1002
    return 0 if (code == 0) == (op != 0) else 1002


def close_code(payload):
    if not payload:
        return 1005
    code = int.from_bytes(payload[:2], "big")
    if not unicode_text(payload[2:]):
        return 1007
    given_out = 1000 <= code < 1004 or 1007 <= code < 1015 or 3000 <= code < 5000
    return code if given_out else 1002


# By code points: decodes, then asks whether the point exists and could not be written shorter.
def unicode_text(data):
    i = 0
    while i < len(data):
        b = data[i]
        n = (
            1
            if b < 0x80
            else 2
            if b >> 5 == 6
            else 3
            if b >> 4 == 14
            else 4
            if b >> 3 == 30
            else 0
        )
        if not n or i + n > len(data):
            return False
        point = b if n == 1 else b & (0x7F >> n)
        for c in data[i + 1 : i + n]:
            if c >> 6 != 2:
                return False
            point = point << 6 | c & 0x3F
        if point < (0, 0, 0x80, 0x800, 0x10000)[n] or point > 0x10FFFF or 0xD800 <= point < 0xE000:
            return False
        i += n
    return True


# A connection that delivers data in pieces and then ends, and takes what is written as it likes.
class Stream:
    def __init__(self, data, cuts, free):
        self.data = data
        self.cuts = cuts  # positions at which a read stops
        self.free = free  # takes every write as a whole
        self.at = 0
        self.wrote = bytearray()
        self.again = None  # the write that was refused must be repeated as it was: TLS
        self.gap = False

    def readinto(self, buf):
        self.gap = not self.gap
        if self.gap and not self.free:
            return None
        end = min(len(self.data), self.at + len(buf))
        for cut in self.cuts:
            if self.at < cut < end:
                end = cut
        n = end - self.at
        buf[:n] = self.data[self.at : end]
        self.at = end
        return n

    def write(self, buf, off, n):
        if self.again:
            assert self.again[0] is buf and self.again[1:] == (off, n), "another write"
        self.again = None
        took = n
        if not self.free:
            took = random.getrandbits(8)
            if took > 200:
                self.again = (buf, off, n)
                return None
            took = min(took + 1, n)
        self.wrote += buf[off : off + took]
        return took

    def close(self):
        assert self.data is not None, "closed twice"
        self.data = None


class Sink:
    def __init__(self, free):
        self.free = free
        self.got = b""

    def write(self, buf, off, n):
        if not self.free:
            n = min(n, random.getrandbits(5))
            if not n:
                return None
        self.got += buf[off : off + n]
        return n


# Frames in what the client wrote; the last may be cut off. All must be masked and final.
def written(data):
    frames = []
    at = 0
    while at + 2 <= len(data):
        assert data[at] & 0xF0 == 0x80 and data[at + 1] & 0x80
        n = data[at + 1] & 0x7F
        head = 6
        if n == 126:
            n = data[at + 2] << 8 | data[at + 3] if at + 4 <= len(data) else 0x10000
            head = 8
        if at + head + n > len(data):
            break
        key = data[at + head - 4 : at + head]
        payload = data[at + head : at + head + n]
        frames.append((data[at] & 15, bytes(b ^ key[i & 3] for i, b in enumerate(payload))))
        at += head + n
    return frames, at == len(data)


def check(ws, data, cuts, free):
    stream = Stream(data, cuts, free)
    events, code = reference(data)
    ws.attach(stream)
    sink = Sink(free)
    messages = []
    said = []
    polls = 0
    try:
        while True:
            polls += 1
            assert polls < 1000 + 50 * len(data), "hang"
            op = ws.poll(sink)
            if op == BINARY:
                assert ws.length == len(sink.got)
                messages.append((op, sink.got))
                sink.got = b""
            elif op > 0:
                messages.append((op, bytes(ws.text[: ws.length])))
            if random.getrandbits(3) == 0 and ws.flush():
                n = random.getrandbits(7)
                for i in range(n):
                    ws.tx[ws.HEAD + i] = i
                said.append(n)
                ws.begin(BINARY, n)
    except Closed as e:
        assert e.code == code, (e.code, code)
    assert not ws.is_open and stream.data is None
    assert messages == [event for event in events if event[0] != PING]

    frames, whole = written(stream.wrote)
    pings = [payload for op, payload in events if op == PING]
    pongs = [payload for op, payload in frames if op == PONG]
    if free:
        assert whole and pongs == pings
        if code != 1006:
            assert frames.pop() == (CLOSE, b"" if code == 1005 else code.to_bytes(2, "big"))
    else:
        if frames and frames[-1][0] == CLOSE:
            frames.pop()
        i = 0
        for pong in pongs:  # some may be left out, none may be made up or out of order
            i = pings.index(pong, i) + 1 if pong in pings[i:] else 1 / 0
    sent = [payload for op, payload in frames if op == BINARY]
    assert sent == [bytes(range(n)) for n in said[: len(sent)]]
    assert len(sent) == len(said) or not free
    assert len(sent) + len(pongs) == len(frames)
    return code


WORDS = (b"", b"a", b"Hello", "안녕".encode(), "😀".encode(), b"\xc0\x80", b"\xff", b"x" * 39)
CODES = (1000, 1001, 1005, 1011, 3000, 4999, 5000, 0)


def frame(op, payload, final):
    n = len(payload)
    head = (
        bytes((op | (0x80 if final else 0), n))
        if n < 126
        else bytes((op | 0x80, 126, n >> 8, n & 255))
    )
    return head + payload


def stream():
    out = b""
    for _ in range(1 + random.getrandbits(2)):
        kind = random.getrandbits(3)
        word = WORDS[random.getrandbits(3)]
        if kind < 2:
            out += frame(TEXT, word, True)
        elif kind < 4:
            out += frame(
                BINARY, bytes(random.getrandbits(8) for _ in range(random.getrandbits(4))), True
            )
        elif kind == 4:
            out += frame(PING, word, True)
        elif kind == 5:  # two fragments with a ping between them; some are too long together
            op = 1 + random.getrandbits(1)
            i = random.getrandbits(6)
            rest = word if random.getrandbits(1) else word[i:]
            out += frame(op, word[:i], False) + frame(PING, b"p", True) + frame(0, rest, True)
        elif kind == 6:
            out += frame(BINARY, bytes(120 + random.getrandbits(5)), True)
        else:
            out += frame(PONG, word, True)
    if random.getrandbits(1):
        code = CODES[random.getrandbits(3)]
        out += frame(CLOSE, code.to_bytes(2, "big") + WORDS[random.getrandbits(3)], True)
    return out


def mutated(data):
    data = bytearray(data)
    for _ in range(1 + random.getrandbits(1)):
        i = random.randrange(len(data))
        kind = random.getrandbits(2)
        if kind == 0:
            data[i] ^= 1 << random.getrandbits(3)
        elif kind == 1:
            data[i] = random.getrandbits(8)
        elif kind == 2:
            data = data[:i] + data[i + 1 :] + b"\x00"
        else:
            data = data[:i] + bytes((random.getrandbits(8),)) + data[i:]
    return bytes(data)


def main(seed, wanted):
    random.seed(seed)
    ws = WebSocket(**LIMITS)
    codes = {1000: 0, 1002: 0, 1005: 0, 1006: 0, 1007: 0, 1009: 0, 4999: 0, "others": 0}
    count = 0
    heap = 0

    def run(data, cuts, free):
        nonlocal count, heap
        try:
            code = check(ws, data, cuts, free)
        except Exception:
            print("input", count, data.hex(), cuts, free)
            raise
        codes[code if code in codes else "others"] += 1
        count += 1
        if count == 2000:
            gc.collect()
            heap = gc.mem_alloc()

    while count < wanted:
        free = bool(random.getrandbits(2))
        data = stream()
        run(data, (), free)
        run(mutated(data), (random.randrange(len(data)),), free)
        run(mutated(mutated(data)), (), True)
        run(bytes(random.getrandbits(8) for _ in range(random.getrandbits(5))), (), free)
        if count % 64 == 0 and len(data) < 60:
            for cut in range(len(data)):
                run(data[:cut], (), free)
                run(data, (cut,), free)
            run(data, range(len(data)), free)
    gc.collect()
    print(json.dumps({"inputs": count, "codes": codes, "growth": gc.mem_alloc() - heap}))


main(int(sys.argv[1]), int(sys.argv[2]))
