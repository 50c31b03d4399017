from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tools.certificate.make import make
from tools.flash.build import Build
from tools.flash.certificate import certificate
from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts, MpyFormat
from tools.flash.plan import OWN_CA, make_plan
from tools.flash.settings import merged


def test_it_goes_on_the_board_and_its_settings_name_it(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    file.write_bytes(b"a comment\n" + make(["192.168.1.2"], dt.datetime.now(dt.UTC))[0])
    found = certificate(file)
    assert found.path == OWN_CA
    facts = BoardFacts("1.29", "ESP32", MpyFormat(6, 3, ""), 1 << 20, 4096, {OWN_CA: "00"}, {})
    plan = make_plan(Build("1", "", (found,), 0), facts, None)
    assert plan.copy == (found,)
    assert merged({"ca": "public"}, ca=OWN_CA) == {"ca": OWN_CA}


def test_a_later_installation_leaves_it_there() -> None:
    facts = BoardFacts(
        "1.29", "ESP32", MpyFormat(6, 3, ""), 1 << 20, 4096, {OWN_CA: "00"}, {OWN_CA: "00"}
    )
    assert make_plan(Build("1", "", (), 0), facts, None).remove == ()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "-----END CERTIFICATE-----",
        "인증서",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_is_told(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "certificate.pem"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(FlashError) as error:
        certificate(file)
    assert error.value.key == "certificate"
