"""Commands on which credibility rests: parameters from evidence, forecasts against outcomes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from sim.commands.asking import (
    DEFAULT_SCENARIO,
    MOST_PROBLEMS,
    check_engines,
    count_option,
    engine_option,
    input_errors,
    language_option,
    open_console,
    place_errors,
    print_problems,
    run_overrides,
    runs_option,
    seed_option,
    stored_run,
    workers_option,
)


@click.command()
@click.argument("history", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("outputs/fit"), show_default=True,
    help="结果文件夹 / folder of types.csv and fit.csv.",
)  # fmt: skip
@click.option(
    "--plan", type=click.Path(path_type=Path), default=Path(DEFAULT_SCENARIO).parent,
    show_default=True, help="其 types.csv 为参照类 / plan whose types.csv holds the references.",
)  # fmt: skip
@click.option(
    "--prior-records", type=click.FloatRange(0, 10_000), default=20.0, show_default=True,
    help="参照类按多少条记录计 / how many records a reference class counts as.",
)  # fmt: skip
@language_option
def fit(history: Path, out: Path, plan: Path, prior_records: float, lang: Any) -> None:
    """用自有记录拟合工期与投资分布 / fit durations and costs to one's own records."""
    from sim.analysis.fit_tables import fit_groups, fit_rows, type_rows
    from sim.briefing.fitting import TEXT, print_fit
    from sim.plan.history import check_place, read_history
    from sim.runs.csvfiles import csv_bytes
    from sim.runs.whole import write_whole

    with input_errors(lang):
        check_place(out, plan)
        found = read_history(history, plan)
    print_problems(found.warnings, lang, most=MOST_PROBLEMS)
    fitted = fit_groups(found.groups, prior_records)
    contents = {
        "types.csv": csv_bytes(type_rows(found.types, fitted, prior_records)),
        "fit.csv": csv_bytes(fit_rows(fitted)),
    }
    with place_errors(lang):
        write_whole(out, contents)
    print_fit(fitted, prior_records, open_console(), lang)
    click.echo(TEXT[lang]["files"].format(folder=out))


@click.command()
@click.argument("plan", type=click.Path(), default=DEFAULT_SCENARIO)
@click.option(
    "--outcomes", type=click.Path(path_type=Path), required=True,
    help="承诺的实际结果 / what became of the promises, CSV.",
)  # fmt: skip
@count_option
@seed_option
@engine_option
@workers_option
@click.option(
    "--base-rate", type=click.FloatRange(0, 1),
    help="基准比率 / probability that a humble forecast gives every promise; else leave one out.",
)  # fmt: skip
@runs_option
@language_option
def hindcast(
    plan: str,
    outcomes: Path,
    replications: int | None,
    seed: int | None,
    engine: str | None,
    workers: int | None,
    base_rate: float | None,
    out: Path,
    lang: Any,
) -> None:
    """承诺的预测与后来结果 / a plan's promises against what became of them, scored."""
    from sim.analysis.hindcast import held_against
    from sim.analysis.hindcast_tables import promise_rows, score_table
    from sim.briefing.hindcast import TEXT, print_hindcast
    from sim.plan.outcomes import check_scored, read_outcomes
    from sim.plan.scenario import load_scenario, slippage_alone
    from sim.runs.csvfiles import csv_bytes
    from sim.runs.folder import json_bytes
    from sim.runs.whole import write_whole

    given = {"replications": replications, "seed": seed, "engine": engine, "workers": workers}
    with input_errors(lang):
        loaded = load_scenario(plan, run_overrides(given))
        check_scored(loaded)
        found = read_outcomes(outcomes, loaded.plan)
        humble = load_scenario(plan, (*run_overrides(given), *slippage_alone(loaded)))
        # The run itself comes last, so that `latest` names it.
        slipping = stored_run(humble, out, lang, quiet=False, charts=False)
        stored = stored_run(loaded, out, lang, quiet=False)
    for one in (slipping, stored):
        check_engines(one, lang)
    judged = held_against(stored, slipping, found, base_rate)
    folder = stored.folder.parent / f"hindcast-{stored.folder.name}"
    with place_errors(lang):
        contents = {
            "hindcast.csv": csv_bytes(promise_rows(judged.groups)),
            "hindcast.json": json_bytes(score_table(judged)),
        }
        write_whole(folder, contents)
    print_hindcast(judged, open_console(), lang)
    click.echo(TEXT[lang]["files"].format(folder=folder))


@click.command()
@click.argument("plan", type=click.Path(), default=DEFAULT_SCENARIO)
@click.option(
    "--evidence", type=click.Path(path_type=Path),
    help="证据文件夹（缺省用随附的） / folder of reference tables; those shipped where not given.",
)  # fmt: skip
@click.option(
    "--designs", type=click.IntRange(8, 10_000), default=64, show_default=True,
    help="计划参数取多少组值 / how many values parameters of the plan take.",
)  # fmt: skip
@click.option(
    "-n", "--replications", type=click.IntRange(32, 100_000), default=128, show_default=True,
    help="每组模拟次数 / replications of each.",
)  # fmt: skip
@click.option(
    "--until", type=click.IntRange(1990, 2200),
    help="只学到这一年为止 / last year that is learned from; by default the one before the plan's.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=2021, show_default=True)
@click.option("--workers", type=click.IntRange(1, 1024), help="线程数 / threads.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("outputs/calibration"),
    show_default=True, help="结果文件夹 / folder of results.",
)  # fmt: skip
@language_option
def calibrate(
    plan: str,
    evidence: Path | None,
    designs: int,
    replications: int,
    until: int | None,
    seed: int,
    workers: int | None,
    out: Path,
    lang: Any,
) -> None:
    """由已公布的进度学习少数参数 / learn a few parameters from published progress."""
    from sim.analysis.calibrated import calibrated_scenario
    from sim.analysis.calibration import POINTS, learn
    from sim.analysis.calibration_tables import (
        about,
        class_table,
        correlation_rows,
        gap_rows,
        held_rows,
        month_bands,
        month_rows,
        parameter_rows,
    )
    from sim.analysis.predictive import coverage, held_against
    from sim.analysis.published import REFERENCE
    from sim.briefing.calibration import TEXT, print_calibration
    from sim.briefing.progress import progress
    from sim.plan.evidence import read_evidence
    from sim.plan.portfolio import build_portfolio
    from sim.plan.scenario import load_scenario
    from sim.runs.class_totals import class_rows, compare_with, reference_classes, simulate_totals
    from sim.runs.csvfiles import csv_bytes
    from sim.runs.ensemble import prior_points, run_ensemble, usual_drivers
    from sim.runs.folder import json_bytes
    from sim.runs.provenance import source_hash, versions
    from sim.runs.whole import write_whole

    folder = REFERENCE if evidence is None else evidence
    threads = workers or os.cpu_count() or 1
    with input_errors(lang):
        given = read_evidence(folder)
        loaded = load_scenario(plan)
        compared = compare_with(build_portfolio(loaded.plan), reference_classes(plan))
        with progress(open_console(stderr=True), lang, quiet=False) as on_progress:
            ensemble = run_ensemble(plan, designs, replications, seed, threads, on_progress)
        as_it_stands = class_rows(
            compared, simulate_totals(compared, loaded, replications, threads)
        )
    last = loaded.plan.plan_year - 1 if until is None else until
    rows = [row for row in given.rows if row.year <= last]
    later = [row for row in given.rows if row.year > last]
    found = learn(ensemble, rows, prior_points(seed, POINTS), usual_drivers)
    held = held_against(found, rows, later)
    covered, bands = coverage(held), month_bands(found)
    provenance = {
        "scenario": loaded.name, "seed": seed, "designs": designs,
        "replications_of_a_design": replications, "until": last,
        "inputs_sha256": dict(loaded.inputs),
        "evidence_sha256": dict(given.inputs), "model_sha256": source_hash(),
        "versions": versions(),
    }  # fmt: skip
    told = (
        f"What `calibrate` found for {loaded.name}: seed {seed}, {designs} designs of "
        f"{replications} replications, {len(rows)} place-years up to {last}."
    )
    contents = {
        "calibrated.toml": calibrated_scenario(found, _from(out, plan), told).encode(),
        "classes.csv": csv_bytes(class_table(as_it_stands)),
        "gaps.csv": csv_bytes(gap_rows(found)),
        "parameters.csv": csv_bytes(parameter_rows(found)),
        "correlations.csv": csv_bytes(correlation_rows(found)),
        "shares.csv": csv_bytes(held_rows(held)),
        "months.csv": csv_bytes(month_rows(bands)),
        "calibration.json": json_bytes({**provenance, **about(found, held, covered)}),
    }
    with place_errors(lang):
        write_whole(out, contents)
    print_calibration(
        found, len(rows), len({row.place for row in rows}), len(ensemble.values), as_it_stands,
        loaded.plan.labels["types"], bands, covered, open_console(), lang,
    )  # fmt: skip
    click.echo(str(TEXT[lang]["files"]).format(folder=out))


def _from(folder: Path, scenario: str) -> str:
    """Return the path of a scenario as a file of a folder names it."""
    try:
        return Path(os.path.relpath(scenario, folder)).as_posix()
    except ValueError:  # another drive
        return Path(scenario).resolve().as_posix()


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False),
    help="写成 Markdown 文件 / write a Markdown file instead of printing.",
)  # fmt: skip
@language_option
def sheet(run: Path, out: Path | None, lang: Any) -> None:
    """一次运行的 STRESS-DES 报告表 / the STRESS-DES sheet of a stored run."""
    from sim.briefing import sheet as briefing
    from sim.runs.named import named_run
    from sim.runs.whole import write_whole

    with input_errors(lang):
        stored = named_run(run)
    text = briefing.sheet(stored, lang)
    if out is None:
        click.echo(text, nl=False)
        return
    with place_errors(lang):
        write_whole(out.parent, {out.name: text.encode()})
    click.echo(str(out))
