"""The owner's password, and the browsers that are signed in with it.

The password is kept as an Argon2id hash. A login is 256 random bits, which the browser keeps in a
cookie and the database as a hash: there is nothing to sign, and it can be ended at once. As long
as there is no password the owner is whoever sits at the machine that the relay runs on.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, insert, select, update

from relay.devices.codes import wait_before_guess
from relay.devices.records import digest
from relay.devices.settings import PairingSettings
from relay.metrics.refusals import Limit, count
from relay.store.database import Database
from relay.store.tables import credentials, logins
from relay.web.settings import AdminSettings

MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS = 8, 256

#: Browsers that are signed in; the one that asked for something longest ago is signed out.
_MAX_LOGINS = 50

#: How exactly it is known when a browser has last asked for something.
_USED_S = 300

_DAY_S = 86_400
_NAME = "admin"

#: OWASP's recommendation for Argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
#: One check takes some 20 ms; they run one at a time, so that many at once cost no memory.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

#: Checked when there is no password, so that the time of an answer does not tell.
_NOBODY = _hasher.hash(secrets.token_hex(16))


class PasswordRefusedError(ValueError):
    """It is too short or too long."""


class LoginRefusedError(Exception):
    """The password is wrong, or it was tried too often: then `wait_s` says for how long."""

    def __init__(self, wait_s: int = 0) -> None:
        super().__init__(f"wait {wait_s} s" if wait_s else "wrong password")
        self.wait_s = wait_s


class Admin:
    """Who may change things. Every call may raise SQLAlchemyError."""

    def __init__(
        self,
        database: Database,
        settings: AdminSettings,
        guesses: PairingSettings,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`guesses`: a password may be tried as often as a pairing code."""
        self._database = database
        self._settings = settings
        self._guesses = guesses
        self._now = now
        self._wrong: deque[tuple[str, int]] = deque(maxlen=1000)
        self._one_at_a_time = asyncio.Lock()
        self.on_wrong: Callable[[str], object] = lambda _: None
        """Told the address from which a wrong password was tried here."""

    @property
    def login_s(self) -> int:
        """Seconds after which a browser may forget its login."""
        return int(self._settings.login_days * _DAY_S)

    async def has_password(self) -> bool:
        """Whether one was set; until then there are logins on this machine only."""
        return await self._hash() is not None

    async def set_password(self, password: str) -> None:
        """Set it, and sign everybody out. Raises PasswordRefusedError."""
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
            raise PasswordRefusedError
        hashed = await asyncio.to_thread(_hasher.hash, _bytes(password))
        async with self._database.writing() as connection:
            await connection.execute(delete(credentials).where(credentials.c.name == _NAME))
            await connection.execute(
                insert(credentials).values(name=_NAME, hash=hashed, changed=int(self._now()))
            )
            await connection.execute(delete(logins))

    async def login(self, password: str, *, source: str, old: str = "") -> str:
        """A new login for who knows the password; the browser's old one ends.

        `source` is the address that it is tried from. Raises LoginRefusedError.
        """
        hashed = await self._hash()
        async with self._one_at_a_time:
            now = int(self._now())
            if wait_s := wait_before_guess(source, self._wrong, now, self._guesses):
                count(Limit.LOGINS)
                raise LoginRefusedError(wait_s)
            is_right = await asyncio.to_thread(_verify, hashed or _NOBODY, password)
            if hashed is None or not is_right:
                self.count_wrong(source, now)
                self.on_wrong(source)
                raise LoginRefusedError
        return await self._begin(old)

    def count_wrong(self, source: str, at: int) -> None:
        """A wrong password was tried, here or at another worker."""
        self._wrong.append((source, at))

    async def login_here(self, *, old: str = "") -> str | None:
        """A login for who sits at this machine; None if there is a password: that is needed."""
        return None if await self.has_password() else await self._begin(old)

    async def check(self, token: str) -> bool:
        """Whether this is a login, and still good."""
        if not token or len(token) > 100:
            return False
        now = int(self._now())
        mine = logins.c.hash == digest(token)
        async with self._database.reading() as connection:
            row = (await connection.execute(select(logins).where(mine))).first()
        if row is None or self._is_over(row.created, row.used, now):
            return False
        if now - row.used > _USED_S:
            async with self._database.writing() as connection:
                await connection.execute(update(logins).where(mine).values(used=now))
        return True

    async def logout(self, token: str) -> None:
        """End a login, if it is one."""
        async with self._database.writing() as connection:
            await connection.execute(delete(logins).where(logins.c.hash == digest(token)))

    async def logout_all(self) -> None:
        """Sign every browser out."""
        async with self._database.writing() as connection:
            await connection.execute(delete(logins))

    async def _begin(self, old: str) -> str:
        token = secrets.token_urlsafe(32)
        now = int(self._now())
        async with self._database.writing() as connection:
            await connection.execute(delete(logins).where(logins.c.hash == digest(old)))
            rows = (await connection.execute(select(logins).order_by(logins.c.used))).all()
            good = [row for row in rows if not self._is_over(row.created, row.used, now)]
            over = {row.hash for row in rows} - {row.hash for row in good[-(_MAX_LOGINS - 1) :]}
            await connection.execute(delete(logins).where(logins.c.hash.in_(over)))
            await connection.execute(
                insert(logins).values(hash=digest(token), created=now, used=now)
            )
        return token

    def _is_over(self, created: int, used: int, now: int) -> bool:
        return (
            now - created > self._settings.login_days * _DAY_S
            or now - used > self._settings.idle_days * _DAY_S
        )

    async def _hash(self) -> str | None:
        query = select(credentials.c.hash).where(credentials.c.name == _NAME)
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(query)).scalar()
        return found


def _verify(hashed: str, password: str) -> bool:
    try:
        return len(password) <= MAX_PASSWORD_CHARS and _hasher.verify(hashed, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """JSON can carry half of a surrogate pair, which UTF-8 cannot."""
    return password.encode("utf-8", "surrogatepass")
