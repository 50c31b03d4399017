"""The relay's own TLS, for those who have no proxy in front of it."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

#: What an ESP32's mbedTLS and every browser speak, with forward secrecy; TLS 1.3 has its own.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class CertificateError(Exception):
    """The certificate cannot be used; the text is one line and names the setting."""


class Certificate:
    """A certificate with its key, which may be renewed on disk while the relay runs."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises CertificateError."""
        self._certificate, self._key = certificate, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ciphers(_CIPHERS)
        self._seen = self._stamp()
        self._load(self.context)

    def refresh(self) -> bool:
        """Take over a renewed certificate for connections from now on; whether there was one.

        One that cannot be used is logged, and the one before stays. Reads files: not for the loop.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        log = structlog.get_logger()
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # half a renewal must not break it
            self._load(self.context)
        except CertificateError as error:
            log.error("the renewed certificate is not taken", why=str(error))
            return False
        log.info("certificate renewed")
        return True

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            # An encrypted key would make OpenSSL ask for its password on the terminal.
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
        except ssl.SSLError as error:
            what = error.reason or "they do not fit"
            raise CertificateError(
                f"relay.tls_certificate, relay.tls_key: {self._certificate} and {self._key} "
                f"cannot be used: {what.replace('_', ' ').lower()}"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CertificateError(
                f"relay.tls_certificate, relay.tls_key: {self._certificate} or {self._key} "
                f"cannot be read: {reason}"
            ) from None

    def _stamp(self) -> tuple[object, ...]:
        stamps: list[object] = []
        for path in (self._certificate, self._key):
            try:
                found = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return tuple(stamps)


def _no_password() -> str:
    raise ValueError("the key has a password; write it without one, readable for the relay alone")
