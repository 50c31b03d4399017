"""What a relay may send that is no message, as it comes to the whole doll."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

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
