"""The tables of docs/scaling.md, in both languages, from the same figures as `doll scale`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tools.scaling.bottlenecks import Bottleneck, bottlenecks, next_one
from tools.scaling.figures import Assumptions, Costs, assumptions, costs
from tools.scaling.plan import Plan, plan

DOCS = Path(__file__).parents[2] / "docs"
FILES = {"en": DOCS / "scaling.md", "ko": DOCS / "scaling.ko.md"}

#: The columns of the tables.
SIZES = (1, 100, 10_000, 1_000_000)

_BLOCK = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Rows = list[tuple[str, Callable[[Plan], str]]]


@lru_cache(maxsize=1)
def _all_words() -> dict[str, Any]:
    file = Path(__file__).with_name("words.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def words(language: str) -> dict[str, Any]:
    """The texts of a language, `bottleneck` with pairs of what is full and what to do."""
    found: dict[str, Any] = _all_words()[language]
    return found


def load_rows(text: dict[str, Any]) -> Rows:
    """What is asked for, and the layout that carries it."""
    return [
        (text["talking"], lambda p: _count(p.load.talking)),
        (text["turns_day"], lambda p: _count(p.load.turns_per_day)),
        (text["turns_s"], lambda p: _number(p.load.peak_turns)),
        (text["rpm"], lambda p: _count(p.load.peak_requests_per_minute)),
        (text["cells"], lambda p: _count(p.layout.cells)),
        (text["workers"], lambda p: _count(p.layout.workers)),
        (text["machines"], lambda p: _count(p.layout.machines)),
        (text["proxies"], lambda p: _count(p.layout.proxies)),
        (text["vcpus"], lambda p: _count(p.layout.vcpus)),
        (text["cores"], lambda p: _number(p.layout.worker_cores)),
        (text["memory"], lambda p: _size(p.layout.memory_mb / 1000)),
        (text["redis"], lambda p: f"{100 * p.layout.redis_core:.1f} %"),
        (text["postgres"], lambda p: f"{100 * p.layout.postgres_core:.1f} %"),
        (text["database"], lambda p: _size(p.load.database_gb_year)),
        (text["recorded"], lambda p: _size(p.load.recorded_gb_day)),
        (text["sent"], lambda p: _size(p.load.sent_gb_month)),
    ]


def bill_rows(text: dict[str, Any]) -> Rows:
    """US dollars a month."""
    return [
        (text["servers"], lambda p: _money(p.bill.servers)),
        (text["traffic"], lambda p: _money(p.bill.traffic)),
        (text["disk"], lambda p: _money(p.bill.disk)),
        (text["tokens"], lambda p: _money(p.bill.brain_tokens)),
        (text["voice"], lambda p: _money(p.bill.voice_minutes)),
        (text["paid"], lambda p: _money(p.bill.paid)),
        (text["gpus"], lambda p: _count(p.bill.gpus)),
        (text["gpu"], lambda p: _money(p.bill.gpu)),
        (text["own"], lambda p: _money(p.bill.own)),
        (text["each"], lambda p: _money(min(p.bill.paid, p.bill.own) / p.load.dolls)),
    ]


def limit_rows(
    text: dict[str, Any], found: Sequence[Bottleneck]
) -> list[tuple[str, Callable[[int], str]]]:
    """What so many dolls have gone past, and what comes next."""

    def name(which: int) -> Callable[[int], str]:
        def told(dolls: int) -> str:
            one = next_one(dolls, list(found))[which]
            return str(text["none"] if one is None else text["bottleneck"][one.key][0])

        return told

    return [(text["past"], name(0)), (text["ahead"], name(1))]


def tables(
    language: str, measured: Costs | None = None, assumed: Assumptions | None = None
) -> dict[str, str]:
    """Markdown by the name of the table."""
    measured, assumed, text = measured or costs(), assumed or assumptions(), words(language)
    plans = [plan(size, "adpcm", measured, assumed) for size in SIZES]
    limits = bottlenecks("adpcm", measured, assumed)
    head = [text["dolls"], *(f"{size:,}" for size in SIZES)]
    first = [[name, *(tell(size) for size in SIZES)] for name, tell in limit_rows(text, limits)]
    return {
        "layout": _markdown(head, [[n, *map(f, plans)] for n, f in load_rows(text)] + first),
        "bill": _markdown(head, [[n, *map(f, plans)] for n, f in bill_rows(text)]),
        "limits": _markdown(
            [text["limit"], text["reached"], text["remedy"]],
            [
                [what, f"{_count(one.dolls)}", remedy]
                for one in limits
                for what, remedy in [text["bottleneck"][one.key]]
            ],
        ),
    }


def filled(document: str, language: str) -> str:
    """A document with its tables made anew. Raises KeyError for a table that there is not."""
    found = tables(language)
    return _BLOCK.sub(lambda match: f"{match[1]}{found[match[2]]}\n{match[3]}", document)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _size(gigabytes: float) -> str:
    if gigabytes < 1:
        return f"{gigabytes * 1000:,.0f} MB"
    return f"{gigabytes:,.0f} GB" if gigabytes < 10_000 else f"{gigabytes / 1000:,.0f} TB"


def _money(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars < 100 else f"${dollars:,.0f}"
