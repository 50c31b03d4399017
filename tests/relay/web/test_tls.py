"""The relay's own TLS, with the certificate that `doll certificate` makes."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.web.tls import Certificate, CertificateError
from tools.certificate.make import make


def write(folder: Path, *names: str) -> tuple[Path, Path]:
    files = folder / "certificate.pem", folder / "key.pem"
    for path, pem in zip(
        files, make(names or ("127.0.0.1",), dt.datetime.now(dt.UTC)), strict=True
    ):
        path.write_bytes(pem)
    return files


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """The client's end of a connection, without sockets."""
    ends = []
    pipes = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends.append(client.wrap_bio(pipes[0], pipes[1], server_hostname="127.0.0.1"))
    ends.append(server.wrap_bio(pipes[1], pipes[0], server_side=True))
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                pass
    return ends[0]


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate.read_text())


def test_who_trusts_the_certificate_alone_is_connected(tmp_path: Path) -> None:
    files = write(tmp_path)
    end = shake_hands(Certificate(*files).context, trusting(files[0]))
    assert end.version() == "TLSv1.3"


def test_the_public_authorities_do_not_vouch_for_it(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(Certificate(*write(tmp_path)).context, ssl.create_default_context())


def test_old_tls_and_weak_ciphers_are_not_spoken(tmp_path: Path) -> None:
    context = Certificate(*write(tmp_path)).context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert all("GCM" in name or "CHACHA20" in name for name in names)
    assert all(name.startswith(("TLS_", "ECDHE")) for name in names)


def test_a_renewed_certificate_is_taken_and_a_broken_one_is_not(tmp_path: Path) -> None:
    files = write(tmp_path)
    certificate = Certificate(*files)
    assert not certificate.refresh()
    old = trusting(files[0])
    write(tmp_path)
    assert certificate.refresh()
    shake_hands(certificate.context, trusting(files[0]))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(certificate.context, old)
    new = trusting(files[0])
    files[0].write_text("half of it")
    with capture_logs() as logs:
        assert not certificate.refresh()
    assert logs[0]["log_level"] == "error"
    shake_hands(certificate.context, new)


def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    files = write(tmp_path)
    with pytest.raises(CertificateError, match=r"^relay.tls_certificate.*No such file"):
        Certificate(tmp_path / "none.pem", files[1])
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(CertificateError, match="key values mismatch"):
        Certificate(files[0], write(other)[1])
    files[0].write_text("nothing")
    with pytest.raises(CertificateError) as error:
        Certificate(*files)
    assert "\n" not in str(error.value)
