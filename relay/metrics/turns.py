"""What turns took, and how they ended."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import Counter, Histogram

from relay.errors import ErrorKind
from relay.metrics import models
from relay.metrics.registry import REGISTRY
from relay.metrics.stages import Stage, response_s, stages
from relay.turn.ended import Outcome, TurnEnded

#: Seconds. Dense where a person notices the difference, up to `turn.turn_timeout_s` and beyond.
_BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)

#: A bug of ours, and not a provider's failure.
INTERNAL = "internal"


class Sound(StrEnum):
    """What a person waits for after speaking."""

    FIRST = "first"  #: any sound, a filler's too
    ANSWER = "answer"


class Interrupted(StrEnum):
    """What a barge-in interrupted."""

    THINKING = "thinking"  #: nothing had been heard of the answer
    SPEAKING = "speaking"


class Early(StrEnum):
    """Work that is begun when a question is likely over."""

    RECOGNITION = "recognition"
    ANSWER = "answer"


_stage_s = Histogram(
    "doll_turn_stage_seconds",
    "How long a stage of a turn took.",
    ["stage"],
    registry=REGISTRY,
    buckets=_BUCKETS,
)
_response_s = Histogram(
    "doll_turn_response_seconds",
    "From the end of the speech to the first sound, and to the first sound of the answer.",
    ["sound"],
    registry=REGISTRY,
    buckets=_BUCKETS,
)
_turns = Counter("doll_turns_total", "Turns, by how they ended.", ["outcome"], registry=REGISTRY)
_failures = Counter(
    "doll_turn_failures_total",
    "Turns that failed, by the kind of the failure.",
    ["kind"],
    registry=REGISTRY,
)
_answers = Counter(
    "doll_answers_total", "Turns, by the model that answered.", ["model"], registry=REGISTRY
)
_fillers = Counter("doll_fillers_total", "Fillers that were said.", registry=REGISTRY)
_barge_ins = Counter(
    "doll_barge_ins_total",
    "Turns that somebody interrupted, by what the doll was at.",
    ["interrupted"],
    registry=REGISTRY,
)
_begun = Counter(
    "doll_early_begun_total",
    "Work that was begun before the question was certainly over.",
    ["work"],
    registry=REGISTRY,
)
_used = Counter(
    "doll_early_used_total",
    "Work that was begun early and was what the question needed.",
    ["work"],
    registry=REGISTRY,
)

# Found once: each is there from the start, at 0, and counting looks nothing up.
_by_stage = {stage: _stage_s.labels(stage.value) for stage in Stage}
_by_sound = {sound: _response_s.labels(sound.value) for sound in Sound}
_by_outcome = {outcome: _turns.labels(outcome.value) for outcome in Outcome}
_by_failure = {kind: _failures.labels(kind) for kind in (*map(str, ErrorKind), INTERNAL)}
_by_interrupted = {what: _barge_ins.labels(what.value) for what in Interrupted}
_begun_by_work = {work: _begun.labels(work.value) for work in Early}
_used_by_work = {work: _used.labels(work.value) for work in Early}


def observe(ended: TurnEnded) -> None:
    """A turn is over."""
    _by_outcome[ended.outcome].inc()
    for stage, begin, end in stages(ended.timeline):
        _by_stage[stage].observe(end - begin)
    first, answer = response_s(ended.timeline)
    if first is not None:
        _by_sound[Sound.FIRST].observe(first)
    if answer is not None and ended.outcome in (Outcome.ANSWERED, Outcome.CUT):
        _by_sound[Sound.ANSWER].observe(answer)  # a failure's line is none
    if ended.outcome is Outcome.FAILED:
        _by_failure.get(ended.failure, _by_failure[INTERNAL]).inc()
    _answers.labels(models.label(ended.model or models.NONE)).inc()
    if ended.fillers:
        _fillers.inc(ended.fillers)


def interrupted(what: Interrupted) -> None:
    """Somebody spoke, pressed or called while the doll was at something."""
    _by_interrupted[what].inc()


def begun(work: Early) -> None:
    """Something was begun early."""
    _begun_by_work[work].inc()


def used(work: Early) -> None:
    """What was begun early is what is needed."""
    _used_by_work[work].inc()
