"""Frames of audio, and how the dolls say that they played theirs."""

from __future__ import annotations

from prometheus_client import Counter

from relay.metrics.registry import REGISTRY

#: The most that one report adds to a counter: frames of 32 ms in five minutes, longer than any
#: answer. A doll may report what it likes.
MOST_PER_REPORT = 10_000

_frames = Counter(
    "doll_frames_total",
    "Packets of audio from the dolls (in) and to them (out).",
    ["direction"],
    registry=REGISTRY,
)
_reports = Counter("doll_reports_total", "Replies that dolls have reported on.", registry=REGISTRY)
_underruns = Counter(
    "doll_underruns_total",
    "Times that a doll's speaker ran dry within a reply, as reported.",
    registry=REGISTRY,
)
_lost = Counter(
    "doll_frames_lost_total",
    "Frames that did not make it, as the dolls report: not played (out), not sent (in).",
    ["direction"],
    registry=REGISTRY,
)
_in, _out = _frames.labels("in"), _frames.labels("out")
_lost_in, _lost_out = _lost.labels("in"), _lost.labels("out")

#: One packet came from a doll, or was made for one.
frame_in, frame_out = _in.inc, _out.inc


def reported(*, underruns: int | None, lost: int | None, dropped: int | None) -> None:
    """A doll says how it played a reply: `lost` frames came too late, `dropped` were not sent."""
    _reports.inc()
    for counter, number in ((_underruns, underruns), (_lost_out, lost), (_lost_in, dropped)):
        if number:
            counter.inc(min(number, MOST_PER_REPORT))
