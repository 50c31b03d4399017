"""A token that a page of ours sends along with all that changes something.

Somebody else's page can make the browser send the cookie, but reads neither the cookie nor our
answers, so it does not know the token. It belongs to one login and ends with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

#: The header that carries it.
HEADER = "x-csrf-token"

_DOMAIN = b"talking-doll csrf 1\n"


def token_of(login: str) -> str:
    """The token of a login: its HMAC-SHA256, so that nothing has to be stored."""
    key = login.encode("utf-8", "surrogateescape")
    return hmac.new(key, _DOMAIN, hashlib.sha256).hexdigest()


def is_good(login: str, token: str) -> bool:
    """Whether the token is this login's; compared in constant time."""
    return secrets.compare_digest(token_of(login).encode(), token.encode("utf-8", "replace"))
