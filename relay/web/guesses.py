"""Wrong passwords that were tried at other workers count at this one as well."""

from __future__ import annotations

import time
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from relay.cluster.bus import Bus
from relay.web.auth import Admin

_WRONG: Final = "login.wrong"


class Wrong(msgspec.Struct, frozen=True):
    """A wrong password was tried from this address."""

    source: Annotated[str, Meta(max_length=64)]


def share_guesses(bus: Bus, admin: Admin) -> None:
    """Tell the others of each, and count theirs. Without Redis each worker counts for itself."""

    def tell(source: str) -> None:
        bus.start(bus.publish(_WRONG, Wrong(source)))

    def count(_worker: str, wrong: Wrong) -> None:
        admin.count_wrong(wrong.source, int(time.time()))

    bus.hear(_WRONG, Wrong, count)
    admin.on_wrong = tell
