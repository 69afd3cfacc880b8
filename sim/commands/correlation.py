"""How much projects move together: assumed, and implied by a simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sim.commands.asking import (
    DEFAULT_SCENARIO,
    check_engines,
    count_option,
    engine_option,
    input_errors,
    language_option,
    open_console,
    overrides_option,
    place_errors,
    run_overrides,
    seed_option,
    stored_run,
    tell_of_repairs,
    workers_option,
)


@click.command()
@click.argument("scenario", type=click.Path(), default=DEFAULT_SCENARIO)
@count_option
@seed_option
@engine_option
@workers_option
@click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("outputs"), show_default=True,
    help="模拟结果的文件夹 / folder of runs.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("outputs/correlation"),
    show_default=True, help="结果文件夹 / folder of its four files.",
)  # fmt: skip
@overrides_option
@language_option
def correlation(
    scenario: str,
    replications: int | None,
    seed: int | None,
    engine: str | None,
    workers: int | None,
    runs: Path,
    out: Path,
    overrides: tuple[str, ...],
    lang: Any,
) -> None:
    """项目之间的相关与有效项目数 / correlations of projects and their effective number."""
    from sim.briefing.correlation import TEXT, print_correlation
    from sim.plan.portfolio import build_portfolio
    from sim.plan.scenario import load_scenario
    from sim.runs.correlation_tables import assumed_rows, common_rows
    from sim.runs.csvfiles import csv_bytes
    from sim.runs.folder import json_bytes
    from sim.runs.whole import write_whole
    from sim.sampling.sampler import build_sampler

    given = {"replications": replications, "seed": seed, "engine": engine, "workers": workers}
    with input_errors(lang):
        loaded = load_scenario(scenario, (*overrides, *run_overrides(given)))
        sampler = build_sampler(build_portfolio(loaded.plan), loaded.options.seed)
        stored = stored_run(loaded, runs, lang, quiet=False)
    check_engines(stored, lang)
    tell_of_repairs(stored, lang)
    assumed = list(assumed_rows(sampler))
    common = list(common_rows(sampler.portfolio))
    about = {
        name: stored.manifest[name]
        for name in (
            "fingerprint", "scenario", "plan", "seed", "replications", "sampling", "engine",
            "correlation_repair", "inputs_sha256", "model_sha256", "versions",
        )
    }  # fmt: skip
    contents = {
        "assumed.csv": csv_bytes(assumed),
        "correlation.csv": (stored.folder / "correlation.csv").read_bytes(),
        "common.csv": csv_bytes(common),
        "correlation.json": json_bytes(about),
    }
    with place_errors(lang):
        write_whole(out, contents)
    print_correlation(stored, assumed, common, open_console(), lang)
    click.echo(TEXT[lang]["files"].format(folder=out))
