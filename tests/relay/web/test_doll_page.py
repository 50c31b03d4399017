"""The files of the page /doll, and what they may do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from relay import locales
from relay.llm.emotions import NAMES
from relay.web import doll_page

FOLDER = Path(doll_page.__file__).parent / "doll"


@pytest.fixture
async def browser(make_site: Any) -> Any:
    return await (await make_site()).browser()


async def test_the_page_is_there_with_and_without_a_slash(browser: Any) -> None:
    without = await browser.get("/doll")
    assert without.status_code == 307
    page = await browser.get("/doll/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (await browser.get(without.headers["location"])).text == page.text


async def test_the_policy_lets_nothing_of_others_run(browser: Any) -> None:
    policy = (await browser.get("/doll/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", sorted(doll_page.files()))
async def test_each_file_is_sent_as_what_it_is_and_only_once(browser: Any, name: str) -> None:
    first = await browser.get(f"/doll/{name}")
    assert first.status_code == 200
    assert first.content == (FOLDER / name).read_bytes()
    again = await browser.get(f"/doll/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../doll_page.py", "%2e%2e/doll_page.py", "..%2fauth.py", "icons", "nothing.js", "%00"]
)
async def test_nothing_else_can_be_asked_for(browser: Any, path: str) -> None:
    assert (await browser.get(f"/doll/{path}")).status_code == 404


def test_nothing_is_loaded_from_other_hosts_and_nothing_is_inline() -> None:
    for name, file in doll_page.files().items():
        if not name.endswith((".html", ".js", ".css", ".svg")):
            continue
        text = re.sub(r"^\s*(\*|//|/\*).*$", "", file.body.decode(), flags=re.MULTILINE)
        hosts = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not {host for host in hosts if "ccrma" not in host}, name
        assert "innerHTML" not in text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", text), name


def test_the_worker_keeps_every_file_that_the_page_needs() -> None:
    worker = (FOLDER / "worker.js").read_text(encoding="utf-8")
    kept = set(re.findall(r'"([\w./-]+\.(?:js|css|svg))"', worker))
    needed = {name for name in doll_page.files() if name.endswith((".js", ".css", ".svg"))}
    assert kept == needed - {"worker.js"}


def test_every_text_of_the_page_exists() -> None:
    used = set()
    for file in doll_page.files().values():
        used |= set(re.findall(rb'data-text="(\w+)"', file.body))
        used |= set(re.findall(rb'text: "(\w+)"', file.body))
    for name in used:
        locales.text("en", f"doll_page.{name.decode()}")


def test_every_emotion_has_a_face_and_a_name() -> None:
    drawn = (FOLDER / "face" / "expressions.js").read_text(encoding="utf-8")
    faces = drawn.partition("EXPRESSIONS = {")[2].partition("\n};")[0]
    assert set(re.findall(r"^  (\w+):", faces, re.MULTILINE)) == set(NAMES)
    for name in NAMES:
        locales.text("ko", f"doll_page.emotion_{name}")


@pytest.mark.parametrize(("asked", "language"), [("ko-KR", "ko"), ("en", "en"), ("xx", "ko")])
async def test_it_says_who_the_doll_is_in_the_browsers_language(
    browser: Any, asked: str, language: str
) -> None:
    about = (await browser.get("/doll/about.json", headers={"Accept-Language": asked})).json()
    assert about["language"] == language
    assert about["name"] == {"ko": "차차", "en": "ChaCha"}[language]
    manifest = await browser.get("/doll/app.webmanifest", headers={"Accept-Language": asked})
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert manifest.json()["name"] == about["name"]
    for icon in manifest.json()["icons"]:
        assert (await browser.get(f"/doll/{icon['src']}")).status_code == 200
