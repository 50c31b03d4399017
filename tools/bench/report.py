"""What every measurement prints: one JSON object, or a table of the same figures."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and the most, or `at_least`, that it may be."""

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Report:
    """One measurement. Figures carry their unit in their name."""

    name: str
    method: str
    baseline: dict[str, Any]
    result: dict[str, Any]
    goals: list[Goal] = field(default_factory=list)

    def as_json(self) -> str:
        """The object that DESIGN of `doll bench` promises, on one line."""
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        goals = [asdict(goal) | {"met": goal.met} for goal in self.goals]
        return json.dumps(
            {
                "name": self.name,
                "machine": machine,
                "method": self.method,
                "baseline": self.baseline,
                "result": self.result,
                "goals": goals,
            }
        )

    def print_table(self) -> None:
        """For a person."""
        console = Console(highlight=False)
        console.print(f"[bold]{self.name}[/bold]: {self.method}\n")
        for title, figures in (("baseline", self.baseline), ("result", self.result)):
            table = Table("figure", "value", title=title, title_justify="left")
            for name, value in figures.items():
                table.add_row(name, str(value))
            console.print(table)
        table = Table("goal", "value", "limit", "", title="goals", title_justify="left")
        for goal in self.goals:
            mark = "[green]met[/green]" if goal.met else "[red]missed[/red]"
            table.add_row(goal.name, f"{goal.value:g} {goal.unit}", f"{goal.limit:g}", mark)
        console.print(table)


def percentiles_ms(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """`NAME_p50_ms`, `NAME_p95_ms` and `NAME_max_ms` of some durations."""
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return {
        f"{name}_p50_ms": round(statistics.median(seconds) * 1000, 2),
        f"{name}_p95_ms": round(cuts[18] * 1000, 2),
        f"{name}_max_ms": round(max(seconds) * 1000, 2),
    }
