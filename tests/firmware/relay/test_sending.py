"""What goes out to the relay: in which order, what is dropped, and how much is kept."""

from __future__ import annotations

from collections.abc import Callable

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
