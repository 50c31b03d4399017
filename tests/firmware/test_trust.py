"""The roots that a wss:// relay is trusted by: the real ones, all of them, and nobody else."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tools.certificates import FOLDER, ROOTS, find

Micropython = Callable[..., str]


def test_every_root_is_the_real_one_by_its_fingerprint() -> None:
    files = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    assert files == ROOTS


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_a_root_is_a_certificate_authority_that_signed_itself(name: str) -> None:
    root = x509.load_der_x509_certificate((FOLDER / f"{name}.der").read_bytes())
    root.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.not_valid_after_utc > dt.datetime(2035, 1, 1, tzinfo=dt.UTC)
    common_name = str(root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    words = name.split("_")
    assert words[0].lower() in common_name.lower().replace(".", "") or words[0] == "usertrust"


def test_they_are_those_of_certifi() -> None:
    certifi = pytest.importorskip("certifi")
    for name, der in find(certifi.contents()).items():
        assert der == (FOLDER / f"{name}.der").read_bytes()


def test_a_bundle_without_one_of_them_is_refused() -> None:
    with pytest.raises(LookupError, match="isrg_root_x1"):
        find("")


def test_they_fit_in_a_plain_esp32() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 10_000


def test_the_doll_loads_all_of_them_each_time_it_connects(micropython: Micropython) -> None:
    output = micropython("""
import tls
from doll.trust import Public
roots = Public()
for _ in range(2):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    n = 0
    for der in roots:
        context.load_verify_locations(der)
        n += 1
    print(n)
""")
    assert output == f"{len(ROOTS)}\n" * 2


def test_a_doll_trusts_the_public_roots_unless_it_is_told_otherwise(
    micropython: Micropython,
) -> None:
    output = micropython("""
from doll import identity, settings
from doll.trust import Public
assert isinstance(identity.certificate(settings.load().ca), Public)
print(identity.certificate("no such file"))
""")
    assert output.endswith("None\n")
