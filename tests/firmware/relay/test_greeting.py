"""The greeting: how a lost session is asked for, and what the log shows of the address."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]

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


def test_no_secret_of_the_address_is_logged(check: Check) -> None:
    check("""
shown = module._shown
assert shown("wss://relay.example:8000/xiaozhi/v1/?token=x") == "wss://relay.example:8000/xiaozhi/v1/"
assert shown("ws://me:secret@host/") == "ws://host/"
""")
