"""Where the relay listens, and where it refuses to."""

from __future__ import annotations

import pytest

from relay.config import ConfigError, Settings
from relay.serve import serve

PAIR = {"tls_certificate": "none.pem", "tls_key": "none.key"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "203.0.113.9", "doll.example"])
def test_it_does_not_listen_where_it_could_be_overheard(host: str) -> None:
    with pytest.raises(ConfigError, match=r"could be read on its way.*docs/tls\.md") as error:
        serve(Settings(relay={"host": host}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_this_machine_overhears_nothing_new(host: str) -> None:
    assert not Settings(relay={"host": host}).relay.readable


@pytest.mark.parametrize("guard", [PAIR, {"behind_proxy": ["10.0.0.1"]}, {"home_network": True}])
def test_with_tls_a_proxy_or_only_the_home_it_does(guard: dict[str, object]) -> None:
    assert not Settings(relay={"host": "0.0.0.0", **guard}).relay.readable


def test_a_certificate_that_is_not_there_ends_the_start_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"relay\.tls_certificate.*No such file"):
        serve(Settings(relay={"host": "0.0.0.0", **PAIR}))


def test_a_certificate_without_its_key_is_no_setting() -> None:
    with pytest.raises(ValueError, match="both or none"):
        Settings(relay={"tls_certificate": "a.pem"})


@pytest.mark.parametrize("proxy", ["*", "caddy", "10.0.0.1/8", ""])
def test_a_proxy_is_an_address_or_a_network_and_never_everybody(proxy: str) -> None:
    with pytest.raises(ValueError, match="behind_proxy"):
        Settings(relay={"behind_proxy": [proxy]})
