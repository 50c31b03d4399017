"""The doll's settings.json: what is on the board, and what the installer puts into it. Sans-I/O."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts

Values = dict[str, Any]


def current(facts: BoardFacts) -> tuple[Values, bool]:
    """The settings on the board, and whether settings.json was damaged.

    In the place of a damaged file stands what the doll falls back to as well: the last good one.
    """
    values = _parsed(facts.settings)
    if values is not None:
        return values, False
    return _parsed(facts.settings_good) or {}, facts.settings is not None


def _parsed(text: str | None) -> Values | None:
    try:
        values = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def merged(
    values: Mapping[str, Any],
    *,
    board: str | None = None,
    wifi: tuple[str, str] | None = None,
    relay: str | None = None,
    token: str | None = None,
    ca: str | None = None,
) -> Values:
    """`values` with what is given put over them; a Wi-Fi network comes before those known already.

    Raises:
        FlashError: the doll would not take one of the given values.
    """
    new: Values = {}
    if board is not None:
        new["board"] = board
    if wifi is not None:
        ssid, password = wifi
        others = [place for place in networks(values) if place.get("ssid") != ssid]
        new["wifi"] = [{"ssid": ssid, "password": password}, *others]
    if relay is not None:
        new["relay"] = relay
    if token is not None:
        new["token"] = token
    if ca is not None:
        new["ca"] = ca
    for key, value in new.items():
        check(key, value)
    return {**values, **new}


def check(key: str, value: object) -> None:
    """Refuses what the doll would refuse, by its own rules, before it is on the board.

    Raises:
        FlashError: it names the setting and what is allowed, never the value.
    """
    # The rules are the firmware's; its rules.py runs on both.
    rules: dict[str, tuple[object, Callable[[object], bool], str]]
    rules = importlib.import_module("firmware.doll.rules").KEYS
    _, is_good, allowed = rules[key]
    if not _is_unicode(value) or not is_good(value):
        raise FlashError("setting", name=key, allowed=allowed)


def _is_unicode(value: object) -> bool:
    """Whether it can be written as UTF-8; an argument in another encoding cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def networks(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The Wi-Fi networks in settings, as far as they are any."""
    wifi = values.get("wifi")
    if not isinstance(wifi, list):
        return []
    return [place for place in wifi if isinstance(place, dict) and place.get("ssid")]


def text(values: Mapping[str, Any]) -> str:
    """As it goes on the board: readable, for the owner may edit it there."""
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"
