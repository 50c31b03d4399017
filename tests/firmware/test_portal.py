"""The setup page: what it shows, what it takes, and what it never tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Micropython = Callable[..., str]

PAGES = Path(__file__).resolve().parents[2] / "firmware/doll/pages"

SCRIPT = """
import json
import sys
from doll import http, settings
from doll.portal import Portal

conf = settings.load()
scans = []
def scan():
    scans.append(1)
    return FOUND[1:]
FOUND = [(b"home", -40), ("우리집".encode(), -60), (b"home", -90), (b"", -10), (b"\\xff", -20),
         (b"<b>&\\"'", -70)]
portal = Portal(conf, "192.168.4.1", "s3cret", FOUND, scan)
answers = []
for method, target, headers, form in json.loads(sys.stdin.readline()):
    path, _, query = target.partition("?")
    r = http.Request(method, path, http.fields(query.encode()), headers)
    r.form = form
    status, fields, body = portal.answer(r)
    text = "".join(line.decode() for line in body) if body else ""
    answers.append([status, dict(fields), text])
print(json.dumps({"answers": answers, "scans": len(scans), "saved": portal.saved,
    "visits": portal.visits}))
"""

OWN = {"host": "192.168.4.1", "accept-language": "en"}
GOOD = {
    "csrf": "s3cret",
    "ssid": "home",
    "other": "",
    "password": "hunter2222",
    "relay": "192.168.1.9:8000",
    "token": "t0ken",
    "talk": "tap",
    "volume": "40",
    "language": "ko",
}


@pytest.fixture
def visit(micropython: Micropython) -> Callable[..., dict[str, Any]]:
    """The answers to requests, each (method, target, headers, form)."""

    def run(*requests: tuple[str, str, dict[str, str], dict[str, str]]) -> dict[str, Any]:
        output = micropython(SCRIPT, stdin=json.dumps(requests))
        result: dict[str, Any] = json.loads(output.splitlines()[-1])
        return result

    return run


Visit = Callable[..., dict[str, Any]]


def _stored(folder: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    return stored


@pytest.mark.parametrize(
    ("headers", "target", "words"),
    [
        ({"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"}, "/", "인형 설정"),
        ({"accept-language": "en-GB,en;q=0.9,ko;q=0.8"}, "/", "Set up the doll"),
        ({"accept-language": "de,ko;q=0.3,en;q=0.4"}, "/", "Set up the doll"),
        ({"accept-language": "de"}, "/", "인형 설정"),
        ({}, "/", "인형 설정"),
        ({"accept-language": "en"}, "/?lang=ko", "인형 설정"),
        ({"accept-language": "ko;q=x"}, "/?lang=xx", "인형 설정"),
    ],
)
def test_the_page_speaks_the_language_of_the_phone_or_the_one_that_was_chosen(
    visit: Visit, headers: dict[str, str], target: str, words: str
) -> None:
    status, _, text = visit(("GET", target, {**headers, "host": "192.168.4.1"}, {}))["answers"][0]
    assert status == 200
    assert f"<title>{words}</title>" in text
    assert "{{" not in text


def test_networks_are_shown_once_the_strongest_first_and_harmless(visit: Visit) -> None:
    text = visit(("GET", "/", OWN, {}))["answers"][0][2]
    options = [line for line in text.splitlines() if line.startswith("<option")]
    assert options[:3] == [
        '<option value="home">home</option>',
        '<option value="우리집">우리집</option>',
        '<option value="&lt;b&gt;&amp;&quot;&#39;">&lt;b&gt;&amp;&quot;&#39;</option>',
    ]


def test_a_new_scan_is_made_only_when_it_is_asked_for(visit: Visit) -> None:
    result = visit(("GET", "/", OWN, {}), ("GET", "/?scan=1", OWN, {}), ("GET", "/", OWN, {}))
    assert result["scans"] == 1


@pytest.mark.parametrize(
    "host",
    ["captive.apple.com", "connectivitycheck.gstatic.com", "www.msftconnecttest.com", "10.0.0.1"],
)
def test_who_asks_for_the_internet_is_sent_to_the_page(visit: Visit, host: str) -> None:
    result = visit(
        ("GET", "/hotspot-detect.html", {"host": host}, {}),
        ("GET", "/generate_204", {"host": host}, {}),
        ("POST", "/save", {"host": host}, GOOD),
    )
    (first, fields, text), (second, *_), (third, *_) = result["answers"]
    assert (first, second, third) == (302, 302, 403)
    assert fields["Location"] == "http://192.168.4.1/"
    assert text == ""
    assert result["saved"] is None
    assert result["visits"] == 0, "a phone that only probes keeps no setup open"


def test_no_other_page_may_use_the_form(visit: Visit, tmp_path: Path) -> None:
    result = visit(
        ("POST", "/save", OWN, {**GOOD, "csrf": "guess"}),
        ("POST", "/save", OWN, {k: v for k, v in GOOD.items() if k != "csrf"}),
    )
    for status, fields, text in result["answers"]:
        assert status == 403
        assert "too old" in text
        assert "default-src 'none'" in fields["Content-Security-Policy"]
        assert fields["X-Frame-Options"] == "DENY"
    assert result["saved"] is None
    assert not (tmp_path / "settings.json").exists()


def test_a_good_form_becomes_settings(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"board": "esp32c3", "mic_gain": 5}')
    result = visit(("POST", "/save?lang=en", OWN, GOOD), ("GET", "/", OWN, {}))
    assert result["saved"] == ["language", "relay", "talk", "token", "volume", "wifi"]
    for status, _, text in result["answers"]:
        assert status == 200
        assert "<title>Saved</title>" in text
        assert "<b>home</b>" in text
        assert "hunter" not in text
    assert _stored(tmp_path) == {
        "board": "esp32c3",
        "mic_gain": 5,
        "wifi": [{"ssid": "home", "password": "hunter2222"}],
        "relay": "ws://192.168.1.9:8000/xiaozhi/v1/",
        "token": "t0ken",
        "talk": "tap",
        "volume": 40,
        "language": "ko",
    }


def test_a_second_tap_on_save_changes_nothing_more(visit: Visit, tmp_path: Path) -> None:
    visit(("POST", "/save", OWN, GOOD), ("POST", "/save", OWN, {**GOOD, "volume": "1"}))
    assert _stored(tmp_path)["volume"] == 40


def test_what_is_left_empty_stays_and_other_networks_are_kept(visit: Visit, tmp_path: Path) -> None:
    known = [
        {"ssid": "office", "password": "office-pw"},
        {"ssid": "home", "password": "known-password"},
    ]
    (tmp_path / "settings.json").write_text(json.dumps({"wifi": known, "token": "kept"}))
    visit(("POST", "/save", OWN, {**GOOD, "password": "", "token": ""}))
    stored = _stored(tmp_path)
    assert stored["wifi"] == [known[1], known[0]]
    assert stored["token"] == "kept"


def test_a_typed_name_wins_over_the_list(visit: Visit, tmp_path: Path) -> None:
    visit(("POST", "/save", OWN, {**GOOD, "other": " 숨은 집 ", "password": ""}))
    assert _stored(tmp_path)["wifi"] == [{"ssid": "숨은 집", "password": ""}]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("192.168.1.9", "ws://192.168.1.9/xiaozhi/v1/"),
        (" http://doll.local:8000/ ", "ws://doll.local:8000/xiaozhi/v1/"),
        ("https://relay.example", "wss://relay.example/xiaozhi/v1/"),
        ("WSS://relay.example/own/path", "wss://relay.example/own/path"),
        ("ws://a:1/xiaozhi/v1/", "ws://a:1/xiaozhi/v1/"),
        ("ws://a?b=c", "ws://a?b=c"),
    ],
)
def test_an_address_is_understood_as_people_type_it(
    visit: Visit, tmp_path: Path, typed: str, meant: str
) -> None:
    visit(("POST", "/save", OWN, {**GOOD, "relay": typed}))
    assert _stored(tmp_path)["relay"] == meant


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("ssid", "", "Choose a network"),
        ("ssid", "가" * 11, "at most 32 bytes"),
        ("ssid", "a\nb", "Choose a network"),
        ("password", "short", "8 to 63"),
        ("password", "x" * 64, "8 to 63"),
        ("password", "비밀", "8 to 63"),
        ("relay", "", "ws:// or wss://"),
        ("relay", "ftp://x", "ws:// or wss://"),
        ("relay", "ws://a b", "ws:// or wss://"),
        ("relay", "x" * 300, "ws:// or wss://"),
        ("token", "x" * 513, "token is too long"),
        ("token", "a\nb", "token"),
        ("talk", "shout", "how to talk"),
        ("volume", "101", "between 0 and 100"),
        ("volume", "-1", "between 0 and 100"),
        ("volume", "loud", "between 0 and 100"),
        ("language", "de", "language"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(
    visit: Visit, tmp_path: Path, field: str, value: str, words: str
) -> None:
    result = visit(("POST", "/save?lang=en", OWN, {**GOOD, field: value}))
    status, _, text = result["answers"][0]
    assert status == 400
    assert '<p class="wrong" role="alert">' in text
    assert words in text.split('role="alert">')[1].split("</p>")[0]
    assert result["saved"] is None
    assert not (tmp_path / "settings.json").exists()


def test_what_was_entered_is_there_again_but_no_secret(visit: Visit) -> None:
    form = {**GOOD, "volume": "500", "other": '"><script>', "relay": "my.relay"}
    text = visit(("POST", "/save?lang=en", OWN, form))["answers"][0][2]
    assert 'value="my.relay"' in text
    assert '<option value="tap" selected>' in text
    assert '<option value="ko" selected>' in text
    assert "&quot;&gt;&lt;script&gt;" in text
    assert "<script" not in text
    assert "hunter" not in text
    assert "t0ken" not in text


def test_stored_secrets_are_never_shown(visit: Visit, tmp_path: Path) -> None:
    stored = {"wifi": [{"ssid": "home", "password": "hunter2222"}], "token": "t0ken", "volume": 15}
    (tmp_path / "settings.json").write_text(json.dumps(stored))
    text = visit(("GET", "/", OWN, {}))["answers"][0][2]
    assert "hunter" not in text
    assert "t0ken" not in text
    assert '<option value="home" selected>' in text
    assert 'max="100" step="5" value="15"' in text


def test_damaged_settings_give_way_to_what_the_owner_saves(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"volume": 900, "board": "esp32"}')
    visit(("POST", "/save", OWN, GOOD))
    assert _stored(tmp_path)["volume"] == 40
    assert _stored(tmp_path)["board"] == "esp32"


def test_a_full_flash_is_told(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "settings.json.new").mkdir()  # so it cannot be written
    result = visit(("POST", "/save?lang=en", OWN, GOOD))
    status, _, text = result["answers"][0]
    assert status == 500
    assert "could not be saved" in text
    assert result["saved"] is None


def test_nothing_else_is_there(visit: Visit) -> None:
    result = visit(
        ("GET", "/favicon.ico", OWN, {}),
        ("GET", "/../settings.json", OWN, {}),
        ("GET", "/save", OWN, {}),
        ("POST", "/", OWN, GOOD),
    )
    assert [answer[0] for answer in result["answers"]] == [404, 404, 302, 200]
    assert result["saved"] is None


def test_both_languages_have_the_same_texts_and_the_pages_need_no_other() -> None:
    import re

    texts = {name: json.loads((PAGES / f"{name}.json").read_text()) for name in ("ko", "en")}
    assert texts["ko"].keys() == texts["en"].keys()
    assert all(text.strip() for one in texts.values() for text in one.values())
    made = {"lang", "csrf", "problem", "networks", "other", "relay_value", "volume_value", "talks"}
    made |= {"languages", "network"}
    for page in PAGES.glob("*.html"):
        used = set(re.findall(r"\{\{!?(\w+)\}\}", page.read_text()))
        assert used <= texts["ko"].keys() | made, page
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.read_text()), (
            "no external assets"
        )
