"""`doll fake-gemini`."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Annotated, NoReturn

import typer

from tools.fake_gemini.faults import FAULTS, Chance
from tools.fake_gemini.models import catalogue
from tools.fake_gemini.quota import Counting, Limits, Window
from tools.fake_gemini.replies import KEY
from tools.fake_gemini.server import Rules, Seen, serving_gemini
from tools.texts import texts

_KEEP = 20  # requests that stay in memory; one with audio may have megabytes
_LIMITS = re.compile(r"(?:(?P<model>[a-z0-9.-]+)=)?(?P<numbers>none|\d{1,9}(?:/\d{1,9}){1,2})")
_LATENCY = re.compile(r"(?P<first>\d+(?:\.\d+)?)(?:/(?P<gap>\d+(?:\.\d+)?))?")


def fake_gemini(
    port: Annotated[
        int, typer.Option(help="Port on this machine; 0: any.", min=0, max=65535)
    ] = 8099,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            help="REQUESTS_PER_MINUTE/PER_DAY, or with TOKENS_PER_MINUTE in between, or none; "
            "MODEL=… for one model. By default what each model really has."
        ),
    ] = None,
    window: Annotated[
        Window, typer.Option(help="What a minute is: of the clock, or any 60 seconds.")
    ] = "sliding",
    count_rejected: Annotated[
        bool, typer.Option("--count-rejected", help="A request that got 429 counts as well.")
    ] = False,
    fail: Annotated[
        list[str] | None,
        typer.Option(help="FAULT:SHARE, such as 503:0.1; 503x5:0.02 is five in a row."),
    ] = None,
    faults: Annotated[bool, typer.Option("--faults", help="List the faults, and end.")] = False,
    latency: Annotated[
        str, typer.Option(help="Seconds to the first piece of an answer / between pieces.")
    ] = "0.6/0.02",
    retire: Annotated[
        list[str] | None, typer.Option(help="Answer 404 for this model, as for a retired one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other answers and faults.")] = 0,
) -> None:
    """A server that acts like Gemini's free tier: try the relay without a key.

    It has no brain: it says simple things in the right language, with the real limits and failures.
    """
    if faults:
        typer.echo("\n".join(FAULTS))
        return
    try:
        everywhere, own_limits = _limits(limits or [])
        first_s, gap_s = _latency(latency)
        rules = Rules(
            limits=everywhere,
            own_limits=own_limits,
            counting=Counting(window, count_rejected),
            chances=tuple(Chance.parse(text) for text in fail or []),
            retired=frozenset(_known(name) for name in retire or []),
            first_s=first_s,
            gap_s=gap_s,
            seed=seed,
        )
    except ValueError as error:
        _fail(str(error))
    try:
        asyncio.run(_serve(rules, port))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        _fail(texts(__file__)["error_port"].format(port=port, detail=error.strerror))


async def _serve(rules: Rules, port: int) -> None:
    async with serving_gemini(rules, observe=_print, port=port, keep=_KEEP) as fake:
        typer.echo(texts(__file__)["serving"].format(url=fake.url, key=KEY))
        await asyncio.Event().wait()


def _print(seen: Seen) -> None:
    """One line a request; what was said is nobody's business."""
    fault = f" ({seen.fault})" if seen.fault else ""
    status = "no answer" if seen.status is None else seen.status
    line = f"{datetime.now():%H:%M:%S} {status}{fault} {seen.path[:100]!r}"  # noqa: DTZ005
    if seen.limits:
        minute, day = seen.limits.requests_per_minute, seen.limits.requests_per_day
        line += f": {_of(seen.in_minute, minute)} this minute, {_of(seen.today, day)} today"
    typer.echo(line)


def _of(count: int, limit: int | None) -> str:
    return f"{count}" if limit is None else f"{count}/{limit}"


def _limits(given: list[str]) -> tuple[Limits | None, dict[str, Limits]]:
    everywhere: Limits | None = None
    own: dict[str, Limits] = {}
    for text in given:
        match = _LIMITS.fullmatch(text)
        if not match:
            raise ValueError(f"--limits {text}: write 15/500, 15/250000/500, none, or MODEL=15/500")
        numbers = match["numbers"].split("/")
        if numbers == ["none"]:
            limits = Limits()
        elif len(numbers) == 2:
            limits = Limits(int(numbers[0]), None, int(numbers[1]))
        else:
            limits = Limits(*map(int, numbers))
        if match["model"]:
            own[_known(match["model"])] = limits
        else:
            everywhere = limits
    return everywhere, own


def _known(model: str) -> str:
    if model not in catalogue().models:
        raise ValueError(f"there is no model {model!r}; there are: {', '.join(catalogue().models)}")
    return model


def _latency(text: str) -> tuple[float, float]:
    match = _LATENCY.fullmatch(text)
    if not match:
        raise ValueError(f"--latency {text}: write seconds, such as 0.6 or 0.6/0.02")
    return float(match["first"]), float(match["gap"] or 0)


def _fail(text: str) -> NoReturn:
    typer.secho(f"doll fake-gemini: {text}", fg=typer.colors.RED, err=True)
    raise typer.Exit(2)
