"""Where a worker runs, and which others answer at the same port."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """One worker's."""

    host: str = field(default_factory=socket.gethostname)
    number: int = 0  #: among the workers of one `doll relay`, from 1; 0: it is the only one
    group: str = ""  #: the same for all workers of one `doll relay`; empty: there are none

    @property
    def name(self) -> str:
        """As an owner is told of it."""
        return f"{self.host}/{self.number}" if self.number else self.host
