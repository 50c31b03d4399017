"""What one model of one project was asked, and when it may be asked again. No I/O, no clock.

A ledger is its stored state, brought up to one reading of the clocks. Requests a minute are an
exact log over a sliding window, which is right whether the provider counts sliding windows or
clock minutes; token buckets and fixed windows let up to twice the limit through at one of the two.

A provider counts a request when it arrives, which on a bad line is seconds after it was granted,
and a later one may be quick. So a request counts from the moment by which it had surely arrived:
when its answer began, or it failed or was given up. Until that is known it counts as if it arrived
just now, but not for ever: the process that sent it may have died.

pyrate-limiter has the same exact log, on SQLite and Redis as well. It is not used here because the
log is the small part: it has no calendar day, no time that a step of the clock cannot hurry (its
Redis bucket does not count what lies in the future, so a clock set back lets twice as much
through), no limit that changes while it runs, no "blocked until", no wait that is known for a
place in a queue, and it checks and writes in two steps that two processes can interleave. A weight
of 2,000 tokens would be 2,000 rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from relay.llm.gemini_errors import Limit, Refusal
from relay.quota import calendar
from relay.quota.base import Admission, Later, NotToday, Now
from relay.quota.clock import Reading, bring_to
from relay.quota.limits import Allowance, Learned
from relay.quota.log import LATEST_S, Sent
from relay.quota.outlook import Outlook
from relay.quota.pacing import Pacing, Step
from relay.quota.state import State

MARGIN_S = 0.5  #: after the end of what a 429 told
REST_S = 2.0  #: after one 503; doubled by each more, halved by each answer
MAX_REST_S = 120.0
PROBE_S = 10.0  #: a model that failed twice in a row is asked by one turn at a time, for so long
BACK_OFF_S = 60.0  #: after a 429 that tells nothing; doubled by each more
MAX_BACK_OFF_S = 3600.0
MAX_DAY_S = 26 * 3600.0
FORGET_S = 30 * 86400.0  #: what was learned is asked anew: limits change, owners start to pay
_MAX_LEARNED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that somebody wants to send."""

    doll: str  #: a short tag
    tokens: int  #: of input, about
    background: bool = False
    spare: int = 0  #: requests a minute that a doll in a talk leaves to those that were silent


class Ledger:
    """One model's state at one moment. Changes `state`, which the caller stores."""

    def __init__(
        self, allowance: Allowance, pacing: Pacing, state: State, reading: Reading
    ) -> None:
        self.state = state
        self._pacing = pacing
        self._wall = reading.wall
        self.has_new_clock = bring_to(state, reading)  #: store it in any case
        state.log.expire(state.time)
        # Moments far in the future were written by a clock that was wrong.
        if state.learned.at and abs(reading.wall - state.learned.at) > FORGET_S:
            state.learned = Learned()
        if state.retired_at is not None and abs(reading.wall - state.retired_at) > FORGET_S:
            state.retired_at = None
        self.limits = allowance.limits(state.learned)

    @property
    def used_today(self) -> int:
        """Requests of the provider's day."""
        return self.state.days.get(self.state.day, 0)

    @property
    def step(self) -> Step:
        """How the day's allowance stands against the time of day."""
        limit = self.limits.requests_per_day
        if self.over is not None:
            return Step.SPENT
        return Step.FREE if limit is None else self._step(limit)

    @property
    def over(self) -> NotToday | None:
        """Why nothing may be sent today, if that is so."""
        if self.limits.never or self.state.retired_at is not None:
            return NotToday(None)
        if self._wall < self.state.closed_until < self._wall + MAX_DAY_S + 60:
            return NotToday(self.state.closed_until)
        return self._spent(self.used_today)

    @property
    def held_s(self) -> float:
        """Seconds until the provider may be asked at all, because of what it answered; 0 if now."""
        return max(0.0, self.state.blocked_until - self._now, self.state.rest_until - self._now)

    def admission(self, ask: Ask, before: Iterable[Ask] = ()) -> Admission:
        """When a request may be sent if those of `before` go first, each as early as it may."""
        if self.over is not None:
            return self.over
        outlook = Outlook(self.state.log, self._now)
        used, at = self.used_today, self._now
        for each in (*before, ask):
            earliest = self._earliest(each, outlook, used, at)
            if isinstance(earliest, NotToday):
                return earliest
            at = earliest
            outlook.suppose(at, each.tokens, each.doll)
            used += 1
        return Later(at - self._now) if at > self._now else Now()

    def grant(self, ask: Ask) -> Admission:
        """Write the request down if it may be sent now. From then on it counts; see `arrived`."""
        admission = self.admission(ask)
        if isinstance(admission, Now):
            state = self.state
            if not self.limits.unlimited:
                state.log.add(Sent(self._now, ask.tokens, ask.doll))
            state.days[state.day] = self.used_today + 1
            if state.failures > 1:
                state.rest_until = self._now + PROBE_S
        return admission

    def arrived(self, granted_at: float, doll: str, after_s: float) -> None:
        """A request that was granted at `granted_at` (ledger time) reached the provider, or never
        will, at most `after_s` later."""
        self.state.log.arrived(granted_at, doll, granted_at + min(after_s, LATEST_S))

    def refused(self, refusal: Refusal) -> None:
        """A 429: learn the limit, and keep away."""
        state, hint = self.state, refusal.retry_after_s
        state.refusals += 1
        self._learn(refusal)
        if refusal.limit is Limit.ZERO:
            return
        if refusal.limit is Limit.DAY:
            end = calendar.end_of(calendar.day_of(self._wall))
            told = self._wall + min(hint, MAX_DAY_S) + MARGIN_S if hint else end
            state.closed_until = max(state.closed_until, told)
            return
        # A hint that proves wrong is not believed for ever.
        doubled = state.refusals - (2 if hint is not None else 1)
        wait = BACK_OFF_S * 2.0 ** min(doubled, 10) if doubled >= 0 else 0.0
        wait = min(max(wait, (hint or 0.0) + MARGIN_S), MAX_BACK_OFF_S)
        state.blocked_until = max(state.blocked_until, self._now + wait)

    def failed(self) -> None:
        """A 503 or no answer: rest, twice as long each time."""
        state = self.state
        state.failures = min(state.failures + 1, 16)
        rest = min(REST_S * 2.0 ** (state.failures - 1), MAX_REST_S)
        state.rest_until = max(state.rest_until, self._now + rest)

    def answered(self) -> bool:
        """An answer: whether that changed anything."""
        state = self.state
        if not state.refusals and not state.failures:
            return False
        state.refusals = 0
        state.failures //= 2
        state.rest_until = self._now
        return True

    def retired(self) -> None:
        """A 404."""
        self.state.retired_at = self._wall

    def use(self) -> tuple[int, int]:
        """Requests and tokens of the last minute."""
        return len(self.state.log), self.state.log.tokens

    @property
    def forecast(self) -> int:
        """Requests by the end of the day, if it goes on like that."""
        return self._pacing.forecast(self.limits.requests_per_day, self.used_today, self._wall)

    @property
    def _now(self) -> float:
        return self.state.time

    def _step(self, limit: int) -> Step:
        return self._pacing.step(limit, self.used_today, self._wall)

    def _spent(self, used: int) -> NotToday | None:
        limit = self.limits.requests_per_day
        if limit is not None and used >= limit:
            return NotToday(calendar.end_of(calendar.day_of(self._wall)))
        return None

    def _earliest(self, ask: Ask, outlook: Outlook, used: int, at: float) -> float | NotToday:
        """The earliest moment from `at` on at which a request fits behind the others."""
        if (spent := self._spent(used)) is not None:
            return spent
        limits = self.limits
        if limits.tokens_per_minute is not None and ask.tokens > limits.tokens_per_minute:
            return NotToday(None)  # it does not fit into any minute
        at = max(at, self.state.blocked_until, self.state.rest_until)
        if limits.requests_per_minute is not None:
            slots = self._slots(ask, limits.requests_per_minute, outlook)
            if slots <= 0:
                return NotToday(calendar.end_of(calendar.day_of(self._wall)))
            if len(outlook) >= slots:
                at = max(at, outlook.back(len(outlook) - slots + 1))
        if limits.tokens_per_minute is not None:
            at = max(at, outlook.has_at_most(limits.tokens_per_minute - ask.tokens))
        if limits.requests_per_day is not None:
            at += self._pacing.delay(
                limits.requests_per_day,
                used,
                self._wall + at - self._now,
                background=ask.background,
            )
        return at

    def _slots(self, ask: Ask, limit: int, outlook: Outlook) -> int:
        """How many of a minute's requests this one may be the last of."""
        if ask.background:
            return limit // 2
        talks = outlook.has(ask.doll)
        return limit - min(ask.spare, limit // 4) if talks else limit

    def _learn(self, refusal: Refusal) -> None:
        learned, value = self.state.learned, refusal.value
        if refusal.limit is Limit.ZERO:
            learned.never, learned.at = True, self._wall
        elif value is None or not 0 < value <= _MAX_LEARNED:
            return
        elif refusal.limit is Limit.MINUTE and refusal.tokens:
            learned.tokens_per_minute, learned.at = value, self._wall
        elif refusal.limit is Limit.MINUTE:
            learned.requests_per_minute, learned.at = value, self._wall
        elif refusal.limit is Limit.DAY and not refusal.tokens:
            learned.requests_per_day, learned.at = value, self._wall
