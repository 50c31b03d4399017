"""What a worker gives to another one to which a doll has come back."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_Name = Annotated[str, Meta(max_length=128)]
_Count = Annotated[int, Meta(ge=0, le=2**32)]


class Take(msgspec.Struct, frozen=True):
    """The doll is here now: part from it. With a session it wants to go on with that."""

    device_id: _Name
    form: _Name  #: `Output.form` of its new connection
    session_id: _Name = ""
    received: _Count = 0  #: messages of that session that it has got


class Taken(msgspec.Struct, frozen=True):
    """It has been parted from; its conversation is in the database up to here."""
