from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.address import HOME, address, is_loopback, is_within, source


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_who_is_counted_as_one(host: str, counted_as: str) -> None:
    assert source(host) == counted_as


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "172.31.0.1", "192.168.0.2", "::ffff:192.168.0.2", "fd00::1", "fe80::1%2"]
)
def test_what_is_at_home(host: str) -> None:
    assert is_within(host, HOME)


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8", "192.168.0.2.", ""],
)
def test_what_is_not(host: str) -> None:
    assert not is_within(host, HOME)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_none(text: str) -> None:
    if address(text) is None:
        assert source(text) == ""
        assert not is_within(text, HOME)
        assert not is_loopback(text)
