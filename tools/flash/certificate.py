"""The certificate of a relay at home, as the doll reads it."""

from __future__ import annotations

import ssl
from pathlib import Path

from tools.flash.build import BuiltFile
from tools.flash.errors import FlashError
from tools.flash.plan import OWN_CA

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def certificate(path: Path) -> BuiltFile:
    """The first certificate of a PEM file, as DER.

    Raises:
        FlashError: there is none.
    """
    try:
        text = path.read_text(encoding="ascii")
        pem = text[text.index(_BEGIN) : text.index(_END) + len(_END)]
        der = ssl.PEM_cert_to_DER_cert(pem)
        if not der:
            raise ValueError("nothing between its marks")
        ssl.create_default_context(cadata=der)  # raises for what is none
        return BuiltFile(OWN_CA, der)
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or "no PEM"
        raise FlashError("certificate", path=path, detail=detail) from None
