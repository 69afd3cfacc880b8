"""Options, errors and runs that commands share."""

from __future__ import annotations

import errno
import importlib
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.briefing.lines import SAYS

if TYPE_CHECKING:
    from rich.console import Console

    from sim.plan.problems import Problem
    from sim.plan.scenario import Scenario
    from sim.runs.batches import BatchStore
    from sim.runs.folder import StoredRun
    from sim.runs.simulate import Progress

DEFAULT_SCENARIO = "scenarios/luoyang-2021/baseline.toml"
MOST_PROBLEMS = 200
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class WrongInputError(Exception):
    """Ends the command with exit code 2; the problems have been printed."""


class FailedError(Exception):
    """Ends the command with exit code 1; the reason has been printed."""


class InterruptedRunError(Exception):
    """Ends the command with exit code 130; what is kept has been printed."""


def open_console(stderr: bool = False) -> Console:
    """Return where people read, standard output or error."""
    from rich.console import Console

    # A file or a pipe has no width: tables are not cut there.
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 140)


def as_called(*words: str) -> str:
    """Return a command with these words, begun as this one was, so that it can be pasted."""
    script = Path(sys.argv[0]).absolute()
    if script.suffix == ".py":
        begun = [_program(Path(sys.executable)), _from_here(script)]
    else:
        begun = [_program(script) if script.is_file() else "portfolio-sim"]
    return shlex.join([*begun, *words])


def _program(path: Path) -> str:
    if shutil.which(path.name) == str(path):
        return path.name
    shown = _from_here(path)
    return shown if os.sep in shown else os.path.join(os.curdir, shown)


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def language_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option of the language."""
    option = click.option(
        "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True,
        help="语言 / language of messages, tables and charts.",
    )  # fmt: skip
    return option(command)


overrides_option = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="覆盖一项输入，可重复 / override one input; repeatable, logged.",
)  # fmt: skip
count_option = click.option(
    "-n", "--replications", type=click.IntRange(1, 10_000_000), help="模拟次数 / replications."
)
engine_option = click.option(
    "--engine", type=click.Choice(["compiled", "reference"]), help="引擎 / engine."
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 1024), help="并行数 / threads or processes."
)
runs_option = click.option(
    "--out", type=click.Path(path_type=Path), default=Path("outputs"), show_default=True,
    help="结果文件夹 / folder of runs.",
)  # fmt: skip
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**64 - 1), help="随机种子 / root seed."
)
sampling_option = click.option(
    "--sampling", type=click.Choice(["quasi", "plain"]),
    help="共用随机数取拟随机点或独立抽样 / shared draws quasi-random, or plain Monte Carlo.",
)  # fmt: skip


def stored_run(
    loaded: Scenario, out: Path, lang: Any, quiet: bool, charts: bool = True
) -> StoredRun:
    """Read the run of a scenario where it stands already; else simulate and write it."""
    from sim.briefing.progress import progress
    from sim.figures.charts import draw_charts
    from sim.runs.batches import BatchStore
    from sim.runs.folder import (
        clear_away,
        find_run,
        partial_folder,
        point_to,
        probe,
        run_folder,
        write_run,
    )
    from sim.runs.provenance import fingerprint
    from sim.runs.simulate import simulate

    asked = loaded.options
    mark = fingerprint(loaded, asked.seed, asked.replications, asked.sampling, asked.engine)
    folder = run_folder(out, loaded.name, mark)
    store = BatchStore(partial_folder(folder), mark)
    add = (lambda one: draw_charts(one, lang)) if charts else None
    with _what_is_kept(lang, folder, store, asked.replications):
        with place_errors(lang):
            stored = find_run(folder)
            if stored is None:
                probe(folder)
        if stored is None:
            tell_of_engine(asked.engine, lang)
            with (
                progress(open_console(stderr=True), lang, quiet) as shown,
                _preparing(charts, shown) as on_progress,
            ):
                finished = simulate(
                    loaded, workers=asked.workers, on_progress=on_progress, store=store
                )
            return write_run(finished, out, add, mark)
        if add is not None:
            add(stored)
        point_to(stored.folder)
        clear_away(stored.folder)
        if not quiet:
            open_console().print(SAYS[lang]["found"].format(mark=mark), style="dim")
    return stored


@contextmanager
def _preparing(charts: bool, shown: Progress | None) -> Iterator[Progress]:
    """Give a telling of progress that begins, once a batch is there, to load what comes after runs.

    That takes a second, on a thread. It is waited for in the end, so that nothing loads on two at a
    time. What goes wrong with it goes wrong again, and is told, where it is needed.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    from sim.figures.charts import prepare_charts

    def load() -> None:
        importlib.import_module("polars")  # samples are written with it
        if charts:
            prepare_charts()

    pool = ThreadPoolExecutor(1)
    begun: list[Future[None]] = []

    def told(done: int, count: int) -> None:
        if shown is not None:
            shown(done, count)
        if done and not begun:
            begun.append(pool.submit(load))

    try:
        yield told
    except BaseException:
        pool.shutdown(wait=False)
        raise
    pool.shutdown()


def check_engines(stored: StoredRun, lang: Any) -> None:
    """End with exit code 1 where the two engines differed: nothing there is to be relied on."""
    checked = stored.manifest["cross_check"]
    if checked is not None and not checked["agree"]:
        line = SAYS[lang]["disagree"].format(replications=checked["replications"])
        click.echo(line, err=True)
        raise FailedError


def tell_of_repairs(stored: StoredRun, lang: Any) -> None:
    """Warn of given correlations that contradicted each other and were changed, as asked."""
    from sim.sampling.repair import repair_warning

    found = [repair_warning(told) for told in stored.manifest["correlation_repair"]]
    print_problems(found, lang, most=None)


def tell_of_engine(engine: str, lang: Any) -> None:
    """Say what takes long and happens once, or always for want of the compiler."""
    from sim.jit import AVAILABLE, is_warm

    if engine == "compiled" and AVAILABLE and not is_warm("simulate_rows"):
        click.echo(SAYS[lang]["compiling"], err=True)
    elif not AVAILABLE and engine == "reference":
        click.echo(SAYS[lang]["no_compiler"], err=True)


def run_overrides(given: Mapping[str, object]) -> list[str]:
    """Write options as the overrides that they are, so that they are logged as such."""
    return [f"run.{name}={value}" for name, value in given.items() if value is not None]


@contextmanager
def place_errors(language: Any) -> Iterator[None]:
    """Tell of a place where results cannot stand, and end with exit code 1."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise
        line = SAYS[language]["no_place"].format(place=error.filename, reason=error.strerror)
        click.echo(line, err=True)
        raise FailedError from error


@contextmanager
def _what_is_kept(language: Any, folder: Path, store: BatchStore, count: int) -> Iterator[None]:
    """Tell what an interrupt or a full disk leaves, and end with exit code 130 or 1."""
    from sim.runs.folder import find_run

    says = SAYS[language]
    try:
        yield
    except KeyboardInterrupt:
        if find_run(folder) is None:
            done = sum(map(len, store.finished()))
            click.echo(says["kept"].format(done=done, count=count), err=True)
        else:
            click.echo(says["interrupted"], err=True)
        raise InterruptedRunError from None
    except OSError as error:
        if error.errno not in _FULL:
            raise
        line = says["full" if find_run(folder) is None else "full_done"].format(
            place=error.filename or folder, reason=error.strerror, count=count,
            done=sum(map(len, store.finished())),
        )  # fmt: skip
        click.echo(line, err=True)
        raise FailedError from error


@contextmanager
def input_errors(language: Any, most: int | None = MOST_PROBLEMS) -> Iterator[None]:
    """Print the problems of wrong input, all or so many, and end with exit code 2."""
    from sim.plan.problems import InputError, errors_of

    try:
        yield
    except InputError as error:
        print_problems(error.problems, language, most)
        errors = len(errors_of(error.problems))
        warnings = len(error.problems) - errors
        line = SAYS[language]["problems"].format(errors=errors, warnings=warnings)
        click.echo(line, err=True)
        raise WrongInputError from None


def print_problems(problems: Sequence[Problem], language: Any, most: int | None) -> None:
    """Print problems, errors first, all or so many."""
    ordered = sorted(problems, key=lambda one: one.level)  # errors before warnings
    for one in ordered[:most]:
        click.echo(one.render(language), err=True)
    if most is not None and len(ordered) > most:
        click.echo(SAYS[language]["more"].format(count=len(ordered) - most), err=True)
