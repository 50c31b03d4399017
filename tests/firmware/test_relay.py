"""The link to the relay: what goes out in which order, what is given up, and what garbage does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FAKES = Path(__file__).with_name("board_fakes")

PRELUDE = """
import asyncio, json
from doll import hello, log
from doll import relay as module
from doll.meter import Meter
from doll.websocket import BINARY, PING, TEXT, Closed
from fakes import Clock

clock = module.time = Clock()
lines = []
log._line = lambda level, text: lines.append(text)

class Socket:
    HEAD = 8
    def __init__(self, rx, tx, text, limit):
        self.tx = bytearray(8 + tx)
        self.text = bytearray(text)
        self.length = 0
        self.last_rx = clock.now
        self.out = []
        self.stuck = False
    def begin(self, op, n):
        assert not self.stuck, "begin before flush was True"
        data = bytes(self.tx[8 : 8 + n])
        self.out.append(json.loads(data) if op == TEXT else op)
        return not self.stuck
    def flush(self):
        return not self.stuck
    def close(self): pass

module.WebSocket = Socket

class Wifi:
    up = True
    def is_up(self): return self.up
    def rssi(self): return -50

class Microphone:
    waiting = 0
    lost = 3
    def take(self, buf):
        assert len(buf) == 260
        if not self.waiting:
            return False
        self.waiting -= 1
        return True

sent = []
wifi = Wifi()
microphone = Microphone()
r = module.Relay("ws://relay/", [], None, False, wifi, microphone, None, Meter())
r.on_sent = lambda: sent.append(r.frames_sent)
ws = r._ws
r._up = True
r._session = "s"

def pump():
    n = 0
    while r._step_out():
        n += 1
        assert n < 100

def shown():
    out = [m["type"] + ":" + m.get("state", "") if isinstance(m, dict) else m for m in ws.out]
    ws.out.clear()
    return out
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n', path=(FAKES,)) == "end\n"

    return run


Check = Callable[[str], None]


def test_listen_stop_goes_behind_the_last_frame(check: Check) -> None:
    check("""
microphone.waiting = 3
r.listen("manual")
r.listened()
pump()
assert shown() == ["listen:start", BINARY, BINARY, BINARY, "listen:stop"]
assert sent == [3]
""")


def test_no_frame_goes_out_unless_the_relay_listens(check: Check) -> None:
    check("""
microphone.waiting = 3
pump()
assert shown() == []
r.listen("auto")
pump()
microphone.waiting = 2
r.stop_audio()
pump()
assert shown() == ["listen:start", BINARY, BINARY, BINARY] and sent == []
""")


def test_texts_go_before_audio(check: Check) -> None:
    check("""
microphone.waiting = 1
r.listen("auto")
r.send({"type": "mcp"})
pump()
assert shown() == ["listen:start", "mcp:", BINARY]
""")


def test_a_new_turn_before_the_last_was_sent_keeps_the_order(check: Check) -> None:
    check("""
microphone.waiting = 2
r.listen("manual")
r.listened()
r.listen("auto")
pump()
assert shown() == ["listen:start", "listen:stop", "listen:start", BINARY, BINARY]
""")


def test_an_abort_drops_what_was_not_sent(check: Check) -> None:
    check("""
r.listen("manual")
pump()
microphone.waiting = 5
r.listened()
r.abort()
pump()
assert shown() == ["listen:start", "abort:"]
""")


def test_messages_carry_the_session_and_reports_the_state_of_the_doll(check: Check) -> None:
    check("""
r.report({"underruns": 1})
pump()
assert ws.out == [{"type": "report", "session_id": "s", "underruns": 1, "frames_sent": 0,
    "frames_dropped": 3, "rssi": -50}]
""")


def test_without_a_link_nothing_is_kept_for_later(check: Check) -> None:
    check("""
r._up = False
r.send({"type": "abort"})
r._up = True
pump()
assert shown() == []
""")


def test_the_queue_is_bounded(check: Check) -> None:
    check("""
ws.stuck = True
r._free = False
for n in range(40):
    r.send({"type": "mcp"})
assert len(r._queue) == 16
assert sum(line.startswith("relay queue full") for line in lines) == 24
""")


def test_a_message_that_does_not_fit_is_told_and_left_out(check: Check) -> None:
    check("""
r.send({"type": "mcp", "payload": "x" * 3000})
r.send({"type": "abort"})
pump()
assert shown() == ["abort:"] and lines == ["relay message too long: mcp"]
""")


def test_a_relay_that_does_not_read_is_left_after_10_s(check: Check) -> None:
    check("""
r.send({"type": "abort"})
pump()
r._free = False
ws.stuck = True
for second in range(10):
    clock.now += 1000
    ws.last_rx = clock.now
    r._step_out()
    r._check(ws)
clock.now += 1001
ws.last_rx = clock.now
try:
    r._check(ws)
    assert False
except Closed as e:
    assert "does not read" in str(e)
""")


def test_a_silent_relay_is_asked_after_20_s_and_left_after_45(check: Check) -> None:
    check("""
asked = []
for second in range(45):
    r._check(ws)
    if shown():
        asked.append(second)
    clock.now += 1000
assert asked == [21, 42], asked
clock.now += 1001
try:
    r._check(ws)
    assert False
except Closed as e:
    assert "silent" in str(e)
""")


def test_while_an_answer_is_to_come_it_is_asked_after_2_s_and_left_after_6(check: Check) -> None:
    check("""
r.urgent = True
asked = []
for tenth in range(60):
    r._check(ws)
    if shown():
        asked.append(tenth / 10)
    clock.now += 100
assert asked == [3.0], asked  # a look each second
clock.now += 1001
try:
    r._check(ws)
    assert False
except Closed as e:
    assert "silent" in str(e)
""")


DIALOGUE = """
comes = []

async def connect(*to):
    pass

def poll(sink):
    if not comes:
        raise Closed(1006, "gone")
    message = comes.pop(0)
    if message == BINARY:
        return BINARY
    data = (message if isinstance(message, str) else json.dumps(message)).encode()
    ws.text[: len(data)] = data
    ws.length = len(data)
    return TEXT

class Sink:
    def end(self): pass

async def serve():
    try:
        await r._serve()
    except Closed:
        pass

ws.connect, ws.poll = connect, poll
r._speaker = Sink()
r.on_message = lambda message: None

def greet(**more):
    ws.out.clear()
    said = {"type": "hello", "session_id": "s-1", "audio_params": hello._AUDIO}
    said.update(more)
    comes.append(said)
    asyncio.run(r._connect())
    return ws.out[0]
"""


def test_a_lost_session_is_asked_for_with_all_that_has_come_of_it(check: Check) -> None:
    check(
        DIALOGUE
        + """
said = greet()
assert said["features"]["resume"] is True and "resume" not in said
stt = {"type": "stt", "text": "x"}
comes += [stt, BINARY, BINARY, {"type": "pong"}, {"type": "error"}, "garbage", BINARY]
asyncio.run(serve())
r.holding = True
said = greet(resumed=True, session_id="s-1")
assert said["resume"] == {"session_id": "s-1", "received": 5}, said
assert r.resumed and not r.holding
comes += [BINARY, BINARY]
asyncio.run(serve())
r.holding = True
assert greet(resumed=True)["resume"]["received"] == 7
"""
    )


def test_a_relay_that_does_not_go_on_begins_a_new_count(check: Check) -> None:
    check(
        DIALOGUE
        + """
greet()
comes += [BINARY, BINARY]
asyncio.run(serve())
for answer in ({}, {"resumed": False}, {"resumed": 1}):
    answer["session_id"] = "s-2"
    r.holding = True
    greet(**answer)
    assert not r.resumed
    r.holding = True
    assert greet(resumed=True)["resume"] == {"session_id": "s-2", "received": 0}
assert "resume" not in greet()
"""
    )


def test_a_lost_greeting_is_tried_again_with_the_same_count(check: Check) -> None:
    check(
        DIALOGUE
        + """
greet()
comes += [BINARY]
asyncio.run(serve())
r.holding = True
for _ in range(3):
    ws.out.clear()
    try:
        asyncio.run(r._connect())
        assert False
    except Closed:
        assert ws.out[0]["resume"] == {"session_id": "s-1", "received": 1}
"""
    )


def test_a_relay_that_talks_is_not_asked(check: Check) -> None:
    check("""
for second in range(300):
    ws.last_rx = clock.now
    r._check(ws)
    clock.now += 1000
assert shown() == []
""")


def test_lost_wifi_ends_the_link(check: Check) -> None:
    check("""
wifi.up = False
clock.now += 1001
try:
    r._check(ws)
    assert False
except OSError as e:
    assert str(e) == "Wi-Fi is gone"
""")


def test_no_secret_of_the_address_is_logged(check: Check) -> None:
    check("""
shown = module._shown
assert shown("wss://relay.example:8000/xiaozhi/v1/?token=x") == "wss://relay.example:8000/xiaozhi/v1/"
assert shown("ws://me:secret@host/") == "ws://host/"
""")


def test_waits_grow_to_30_s_and_are_never_alike(micropython: Micropython) -> None:
    assert (
        micropython("""
from doll.backoff import Backoff
seen = set()
for _ in range(20):
    b = Backoff()
    for most in (1000, 2000, 4000, 8000, 16000, 30000, 30000):
        ms = b.next()
        seen.add(ms)
        assert most // 2 <= ms <= most
    b.reset()
    assert b.next() <= 1000
assert len(seen) > 20
print("end")
""")
        == "end\n"
    )


def test_who_is_in_a_hurry_waits_little_and_does_not_slow_others_down(
    micropython: Micropython,
) -> None:
    script = """
from doll.backoff import Backoff
b = Backoff()
for _ in range(100):
    assert 250 <= b.next(500) <= 500
assert 500 <= b.next() <= 1000
print("end")
"""
    assert micropython(script) == "end\n"


FUZZ = """
import gc, json, random
import machine
from doll import app, audio, log, settings
from doll.speaker import DRAINED

log._line = lambda level, text: None

class Reset(Exception):
    pass

def reset():
    raise Reset

machine.reset = reset
conf = settings.load()
doll = app.Doll(conf, audio.make(conf))
link = doll.relay
link._up = True
doll._on_link(True)
text = link._ws.text
random.seed(SEED)

VALID = [json.dumps(m) for m in (
    {"type": "hello", "session_id": "x", "audio_params": {"format": "adpcm"}},
    {"type": "stt", "text": "안녕", "session_id": "x"},
    {"type": "llm", "emotion": "happy", "text": "x"},
    {"type": "tts", "state": "start"}, {"type": "tts", "state": "stop"},
    {"type": "tts", "state": "sentence_start", "text": "one. two."},
    {"type": "system", "command": "reboot"}, {"type": "alert", "status": "a", "message": "b"},
    {"type": "error", "code": "c", "message": "d"}, {"type": "pong"},
    {"type": "mcp", "payload": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "self.audio_speaker.set_volume", "arguments": {"volume": 70}}}},
    {"type": "mcp", "payload": {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}},
)]
PARTS = ["{", "}", "[", "]", ",", ":", '"type"', '"tts"', '"state"', '"start"', "null", "true",
    "-1", "1e999", "99999999999999999999", '"\\\\u0000"', '"payload"', '"id"', '""', '"\\\\ud800"']

def deep(n):
    return '{"type":"%s","text":%s%s,"emotion":[[]],"state":{}}' % (
        random.choice(("stt", "llm", "tts", "alert", "mcp", "x")), "[" * n, "]" * n)

def made():
    k = random.getrandbits(3)
    if k == 0:
        return bytes(random.getrandbits(8) for _ in range(random.getrandbits(6)))
    if k == 1:
        return "".join(random.choice(PARTS) for _ in range(random.getrandbits(4))).encode()
    if k == 2:
        return deep(random.getrandbits(5)).encode()
    data = bytearray(random.choice(VALID).encode())
    for _ in range(random.getrandbits(2)):
        i = random.randrange(len(data))
        if random.getrandbits(1):
            data[i] = random.getrandbits(8)
        else:
            data[i : i + random.getrandbits(3)] = random.choice(PARTS).encode()
    return bytes(data)

STATES = ("connecting", "idle", "listening", "thinking", "speaking")
resets = 0
low = 0
for n in range(COUNT):
    data = made()[: len(text)]
    text[: len(data)] = data
    link._ws.length = len(data)
    link._garbage = 0
    try:
        message = link._parse()
        if message is not None:
            link.on_message(message)
    except Reset:
        resets += 1
    assert doll.turn.state in STATES
    link._queue.clear()
    if n % 50 == 0:
        doll.turn.on_sound(DRAINED, 0)
    if n == 2000:
        gc.collect()
        low = gc.mem_alloc()
gc.collect()
grown = gc.mem_alloc() - low
assert resets, "nothing valid was among it"
assert grown < 8000, grown
print("end", resets, grown)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_generated_messages_neither_stop_the_doll_nor_fill_its_heap(
    micropython: Micropython, seed: int
) -> None:
    assert "\nend " in micropython(f"SEED = {seed}\nCOUNT = 50_000\n" + FUZZ)


def test_the_deepest_message_that_fits_is_survived(micropython: Micropython) -> None:
    script = (
        FUZZ[: FUZZ.index("STATES =")]
        + """
for kind in ("stt", "llm", "tts", "alert", "mcp", "error", "system", "hello", "x"):
    for field in ("text", "emotion", "state", "payload", "message", "status", "code", "type"):
        room = len(text) - 60
        body = '{"type":"%s","%s":%s%s}' % (kind, field, "[" * (room // 2), "]" * (room // 2))
        text[: len(body)] = body.encode()
        link._ws.length = len(body)
        message = link._parse()
        if message is not None:
            link.on_message(message)
print("end")
"""
    )
    assert micropython("SEED = 1\n" + script).endswith("end\n")
