"""The command that runs the cases with known answers."""

from __future__ import annotations

import time
from typing import Any

import click

from sim.commands.asking import (
    FailedError,
    engine_option,
    input_errors,
    language_option,
    open_console,
    tell_of_engine,
)


@click.command()
@click.option("--only", metavar="CASE,...", help="只核验这些算例 / only these cases.")
@engine_option
@language_option
def verify(only: str | None, engine: Any, lang: Any) -> None:
    """核验已知答案 / the cases with known answers: expected, got, tolerance, verdict."""
    from sim.briefing.progress import progress
    from sim.briefing.verification import print_count, print_verdicts
    from sim.plan.configuration import usual_engine
    from sim.verification import verify as cases

    names = [name.strip() for name in (only or "").split(",") if name.strip()]
    engine = engine or usual_engine()
    began = time.monotonic()
    with input_errors(lang):
        cases.choose(names)
        tell_of_engine(engine, lang)
        with progress(open_console(stderr=True), lang, False, "verifying") as on_progress:
            results = list(cases.verify(names, engine, on_progress=on_progress))
    console = open_console()
    print_verdicts(results, console, lang)
    verdicts = [one for _, found in results for one in found]
    print_count(verdicts, engine, time.monotonic() - began, console, lang)
    if not all(one.holds for one in verdicts):
        raise FailedError
