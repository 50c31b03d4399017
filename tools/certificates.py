"""`python -m tools.certificates`: puts the roots that the doll trusts into firmware/doll/ca/.

They come from the package certifi, which carries Mozilla's list, and each is taken only if its
fingerprint is the one below, as its authority publishes it. A doll needs a few: those behind Let's
Encrypt, ZeroSSL, Google, Cloudflare, AWS and Azure, whose certificates a relay is likely to have.
The whole list would fill its memory, since mbedTLS keeps every root while it connects.
"""

from __future__ import annotations

import hashlib
import ssl
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "firmware" / "doll" / "ca"

#: File name without .der: SHA-256 of the certificate.
ROOTS = {
    "amazon_root_ca_1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "digicert_global_root_g2": "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
    "gts_root_r1": "d947432abde7b7fa90fc2e6b59101b1280e0e1c7e4e40fa3c6887fff57a7f4cf",
    "gts_root_r3": "34d8a73ee208d9bcdb0d956520934b4e40e69482596e8b6f73c8426b010a6f48",
    "gts_root_r4": "349dfa4058c5e263123b398ae795573c4e1313c83fe68f93556cd5e8031b3c7d",
    "isrg_root_x1": "96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6",
    "isrg_root_x2": "69729b8e15a86efc177a57afb7171dfc64add28c2fca8cf1507e34453ccb1470",
    "ssl_com_tls_ecc_root_2022": "c32ffd9f46f936d16c3673990959434b9ad60aafbb9e7cf33654f144cc1ba143",
    "usertrust_ecc": "4ff460d54b9c86dabfbcfc5712e0400d2bed3fbc4d4fbdaa86e06adcd2a9ad7a",
    "usertrust_rsa": "e793c9b02fd8aa13e21c31228accb08119643b749c898964b1746d46c3d4cbd2",
}

_BEGIN = "-----BEGIN CERTIFICATE-----"


def find(bundle: str) -> dict[str, bytes]:
    """The roots in a PEM bundle as DER, by their names in `ROOTS`.

    Raises:
        LookupError: one of them is not there; its authority may have been removed from the list.
    """
    names = {fingerprint: name for name, fingerprint in ROOTS.items()}
    found = {}
    for part in bundle.split(_BEGIN)[1:]:
        der = ssl.PEM_cert_to_DER_cert(
            _BEGIN + part[: part.index("-----END")] + "-----END CERTIFICATE-----\n"
        )
        if (name := names.get(hashlib.sha256(der).hexdigest())) is not None:
            found[name] = der
    if missing := sorted(ROOTS.keys() - found.keys()):
        raise LookupError(f"not in this bundle: {', '.join(missing)}")
    return found


def main() -> None:
    """Writes the files anew, and removes those that are not wanted any more."""
    try:
        import certifi
    except ImportError:
        sys.exit("this needs the package certifi: pip install certifi")
    roots = find(certifi.contents())
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.der"):
        path.unlink()
    for name, der in roots.items():
        (FOLDER / f"{name}.der").write_bytes(der)
    print(f"{len(roots)} roots, {sum(map(len, roots.values()))} bytes, in {FOLDER}")


if __name__ == "__main__":
    main()
