"""What the doll's log means for somebody who waits until it is ready."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.flash import watch as module
from tools.flash.watch import OwnNetwork, Step, Watch

_START = ["rst:0x3", "[doll] I doll version=0.1.0 board=esp32s3 id=x", "[doll] I state connecting"]
_WIFI = ["[doll] I wifi connecting home"]
_LINK = ["[doll] I wifi connected rssi=-55 home", "[doll] I relay connecting ws://r/x"]
_READY = ["[doll] I relay connected session=s", "[doll] I state idle"]
_RETRY = ["[doll] I relay retry ms=1000", "[doll] I relay connecting ws://r/x"]


def watched(*lines: str) -> Watch:
    watch = Watch()
    for line in lines:
        watch.take(line)
    return watch


def test_a_good_start_goes_step_by_step() -> None:
    watch = Watch()
    steps = []
    for line in [*_START, *_WIFI, *_LINK, *_READY]:
        watch.take(line)
        steps.append(watch.step)
    assert list(dict.fromkeys(steps)) == [Step.STARTING, Step.WIFI, Step.RELAY, Step.READY]
    assert watch.trouble is None


@pytest.mark.parametrize(
    ("status", "key"),
    [("201", "wifi_not_found"), ("202", "wifi_password"), ("200", "wifi_failed")],
)
def test_a_wifi_that_fails_twice_is_told(status: str, key: str) -> None:
    line = f"[doll] W wifi failed status={status} my home"
    once = watched(*_START, *_WIFI, line)
    assert not once.failed
    twice = watched(*_START, *_WIFI, line, *_WIFI, line)
    assert twice.failed
    assert twice.trouble is not None
    assert (twice.trouble.key, twice.trouble.name) == (key, "my home")


def test_a_doll_that_opens_its_own_network_waits_for_a_phone() -> None:
    line = "[doll] I setup open ssid=doll-0001 password=h3j538gfi6 address=http://192.168.4.1/"
    watch = watched("[doll] I state setup", line)
    assert watch.step is Step.SETUP
    assert watch.setup == OwnNetwork("doll-0001", "h3j538gfi6", "http://192.168.4.1/")
    assert not watch.failed
    assert not watch.ready


def test_two_networks_of_which_one_is_there_are_fine() -> None:
    lines = ["[doll] W wifi failed status=201 other", *_WIFI, *_LINK, *_READY]
    watch = watched(*_START, *lines)
    assert watch.ready
    assert watch.trouble is None


@pytest.mark.parametrize(
    ("reason", "key"),
    [
        ("http: 403: the relay does not let this doll in", "relay_token"),
        ("http: 401: the relay wants a valid token: pair the doll again", "relay_token"),
        ("http: 404: nothing there: is the path of the address right?", "relay_path"),
        ("tcp: relay does not answer (104): is it running?", "relay_unreachable"),
        ("dns: no such host as x (-2)", "relay_name"),
        ("tls: The certificate validity has expired", "relay_certificate"),
        ("address: bad port", "relay_address"),
        ("1006", "relay_lost"),
    ],
)
def test_a_relay_that_fails_twice_is_told(reason: str, key: str) -> None:
    line = f"[doll] W relay lost {reason}"
    assert not watched(*_WIFI, *_LINK, line).failed
    watch = watched(*_WIFI, *_LINK, line, *_RETRY, line)
    assert watch.failed
    assert watch.trouble is not None
    assert (watch.trouble.key, watch.trouble.name) == (key, "ws://r/x")


def test_what_goes_away_by_itself_is_forgotten() -> None:
    watch = watched(*_WIFI, *_LINK, "[doll] W relay lost tcp: x", *_RETRY, *_READY)
    assert watch.ready
    assert not watch.failed
    assert watch.trouble is None


def test_a_doll_without_wifi_is_told_at_once() -> None:
    watch = watched(*_START, "[doll] E wifi no network in settings.json")
    assert watch.failed
    assert watch.trouble is not None
    assert watch.trouble.key == "wifi_none"


def test_a_traceback_is_told_by_its_last_line() -> None:
    lines = ["Traceback (most recent call last):", '  File "main.py", line 5', "ImportError: no x"]
    watch = watched(*lines)
    assert watch.trouble is not None
    assert (watch.trouble.key, watch.trouble.detail) == ("crash", "ImportError: no x")


def test_an_error_that_is_not_known_is_told_in_the_dolls_words() -> None:
    watch = watched(*_START, "[doll] E safe starts=4: hold the button")
    assert watch.failed
    assert watch.trouble is not None
    assert (watch.trouble.key, watch.trouble.detail) == (
        "doll_says",
        "safe starts=4: hold the button",
    )
    assert not watched("[doll] E settings volume must be a whole number").failed


def test_the_installers_own_ctrl_c_is_no_crash() -> None:
    watch = watched("Traceback (most recent call last):", '  File "x"', "KeyboardInterrupt: ")
    assert not watch.failed


def test_an_empty_board_is_told() -> None:
    watch = watched("ets Jul 29 2019", "invalid header: 0xffffffff")
    assert watch.trouble is not None
    assert watch.trouble.key == "no_image"


def test_every_line_it_waits_for_is_in_the_specification() -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    specification = Path(__file__).parents[3] / "docs" / "firmware-log.md"
    text = specification.read_text(encoding="utf-8")
    words = set(re.findall(r'rest\("([^"]+)"\)', source))
    assert len(words) > 8
    for word in words:
        last = word.split()[-1]
        assert word in text or (word.startswith("state ") and f"`{last}`" in text), word


@given(st.lists(st.text() | st.sampled_from([*_START, *_WIFI, *_LINK, *_READY, *_RETRY])))
def test_no_console_breaks_it(lines: list[str]) -> None:
    watch = watched(*lines)
    assert watch.trouble is None or watch.trouble.key
