"""To ask with: the command line. It parses, calls the library and prints; it computes nothing."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim import __version__
from sim.briefing.lines import SAYS, USAGE

if TYPE_CHECKING:
    from rich.console import Console

    from sim.plan.problems import Problem
    from sim.runs.batches import BatchStore

DEFAULT_SCENARIO = "scenarios/luoyang-2021/baseline.toml"
DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_MOST_PROBLEMS = 200
_GROUP_OPTIONS = ("-h", "--help", "--version", "--debug")
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class WrongInputError(Exception):
    """Ends the command with exit code 2; the problems have been printed."""


class FailedError(Exception):
    """Ends the command with exit code 1; the reason has been printed."""


class InterruptedRunError(Exception):
    """Ends the command with exit code 130; what is kept has been printed."""


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    # A file or a pipe has no width: tables are not cut there.
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 140)


def _language(command: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True,
        help="语言 / language of messages, tables and charts.",
    )  # fmt: skip
    return option(command)


_overrides = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE",
    help="覆盖一项输入，可重复 / override one input; repeatable, logged.",
)  # fmt: skip
_seed = click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="随机种子 / root seed.")
_sampling = click.option(
    "--sampling", type=click.Choice(["quasi", "plain"]),
    help="共用随机数取拟随机点或独立抽样 / shared draws quasi-random, or plain Monte Carlo.",
)  # fmt: skip


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="出错时显示细节 / show the details of a failure.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """城市重大项目组合模拟 / simulate a city's portfolio of major projects.

    不带参数即运行洛阳 2021 基准情景 / without a command: run the Luoyang 2021 baseline.
    """
    if context.invoked_subcommand is None:
        context.invoke(run, scenario=DEFAULT_SCENARIO)


@cli.command()
@click.argument("scenario", type=click.Path(), default=DEFAULT_SCENARIO)
@click.option("-n", "--replications", type=click.IntRange(1, 10_000_000), help="模拟次数。")
@_seed
@_sampling
@click.option("--engine", type=click.Choice(["compiled", "reference"]), help="仿真引擎 / engine.")
@click.option("--workers", type=click.IntRange(1, 1024), help="并行数 / threads or processes.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("outputs"), show_default=True,
    help="结果文件夹 / folder of runs.",
)  # fmt: skip
@click.option("--precision", metavar="MEASURE=HALFWIDTH", help=(
    "达到精度即停，-n 为上限 / stop when precise enough, e.g. reported.p50=20亿."
))  # fmt: skip
@_overrides
@click.option("--quiet", is_flag=True, help="只显示结果文件夹 / print the run folder only.")
@click.option("--debug", is_flag=True, help="出错时显示细节 / show the details of a failure.")
@_language
def run(
    scenario: str,
    replications: int | None,
    seed: int | None,
    sampling: str | None,
    engine: str | None,
    workers: int | None,
    out: Path,
    precision: str | None,
    overrides: tuple[str, ...],
    quiet: bool,
    debug: bool,
    lang: Any,
) -> None:
    """模拟情景，写结果文件夹 / simulate a scenario, write a run folder, print the headline."""
    from sim.briefing.progress import progress
    from sim.briefing.terminal import print_folder, print_headline
    from sim.figures.charts import draw_charts
    from sim.plan.scenario import load_scenario
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
    from sim.runs.unused import changes_without_effect

    console = _console()
    with _input_errors(lang):
        given = {
            "replications": replications, "seed": seed, "sampling": sampling, "engine": engine,
            "workers": workers, "precision": precision,
        }  # fmt: skip
        loaded = load_scenario(scenario, (*overrides, *_run_overrides(given)))
        if loaded.warnings and not quiet:
            line = SAYS[lang]["warnings"].format(count=len(loaded.warnings), file=scenario)
            _console(stderr=True).print(line, style="dim", highlight=False, markup=False)
        if idle := changes_without_effect(loaded):
            click.echo(SAYS[lang]["idle"].format(paths=", ".join(idle)), err=True)
        asked = loaded.options
        mark = fingerprint(loaded, asked.seed, asked.replications, asked.sampling, asked.engine)
        folder = run_folder(out, loaded.name, mark)
        store = BatchStore(partial_folder(folder), mark)
        with _what_is_kept(lang, folder, store, asked.replications):
            with _place_errors(lang):
                stored = find_run(folder)
                if stored is None:
                    probe(folder)
            if stored is None:
                _tell_of_engine(asked.engine, lang)
                with progress(_console(stderr=True), lang, quiet) as on_progress:
                    finished = simulate(
                        loaded, workers=asked.workers, on_progress=on_progress, store=store
                    )
                stored = write_run(finished, out, lambda one: draw_charts(one, lang))
            else:
                draw_charts(stored, lang)
                point_to(stored.folder)
                clear_away(stored.folder)
                if not quiet:
                    console.print(SAYS[lang]["found"].format(mark=mark), style="dim")
    if not quiet:
        print_headline(stored, console, lang)
    print_folder(stored, console, lang)
    checked = stored.manifest["cross_check"]
    if checked is not None and not checked["agree"]:  # what is there is not to be relied on
        line = SAYS[lang]["disagree"].format(replications=checked["replications"])
        click.echo(line, err=True)
        raise FailedError


def _tell_of_engine(engine: str, lang: Any) -> None:
    """Say what takes long and happens once, or always for want of the compiler."""
    from sim.jit import AVAILABLE, is_warm

    if engine == "compiled" and AVAILABLE and not is_warm("simulate_rows"):
        click.echo(SAYS[lang]["compiling"], err=True)
    elif not AVAILABLE and engine == "reference":
        click.echo(SAYS[lang]["no_compiler"], err=True)


@cli.command()
@click.argument("file", type=click.Path())
@_overrides
@_language
def check(file: str, overrides: tuple[str, ...], lang: Any) -> None:
    """检查情景或方案文件夹 / validate a scenario or a plan folder: every problem and warning."""
    from sim.plan.portfolio import build_portfolio
    from sim.plan.problems import errors_of
    from sim.plan.scenario import load_scenario
    from sim.sampling.sampler import build_sampler

    with _input_errors(lang, most=None):
        loaded = load_scenario(file, overrides)
        build_sampler(build_portfolio(loaded.plan), 0)
    _print_problems(loaded.warnings, lang, most=None)
    line = SAYS[lang]["checked"].format(
        errors=len(errors_of(loaded.warnings)), warnings=len(loaded.warnings)
    )
    click.echo(line)


@cli.command()
@_language
def order(lang: Any) -> None:
    """打印一天之内的阶段顺序 / print the table of phases within a day."""
    from sim.briefing.terminal import print_phases

    print_phases(_console(), lang)


@cli.command()
@click.argument("scenario", type=click.Path(), default=DEFAULT_SCENARIO)
@click.option("--replication", type=click.IntRange(0), required=True, help="第几次模拟（从0起）。")
@click.option("--project", help="只看一个项目 / only this project.")
@_seed
@_sampling
@_overrides
@_language
def replay(
    scenario: str,
    replication: int,
    project: str | None,
    seed: int | None,
    sampling: str | None,
    overrides: tuple[str, ...],
    lang: Any,
) -> None:
    """重放一次模拟的事件记录 / the event log of one replication."""
    from sim.briefing.replay import replay_lines
    from sim.plan.problems import nearest
    from sim.plan.scenario import load_scenario
    from sim.runs.replay import replay_one

    given = {"seed": seed, "sampling": sampling}
    with _input_errors(lang):
        loaded = load_scenario(scenario, (*overrides, *_run_overrides(given)))
        asked = loaded.options
        story = replay_one(loaded.plan, asked.seed, replication, asked.sampling)
    ids = {one.id for one in loaded.plan.projects}
    if project is not None and project not in ids:
        close = nearest(project, ids)
        shown = close if len(close) < 80 else "?"
        click.echo(SAYS[lang]["no_project"].format(project=project, nearest=shown), err=True)
        raise WrongInputError
    for line in replay_lines(story, project, lang):
        click.echo(line)


@cli.command()
@click.option("--only", metavar="CASE,...", help="只核验这些算例 / only these cases.")
@click.option("--engine", type=click.Choice(["compiled", "reference"]), help="仿真引擎 / engine.")
@_language
def verify(only: str | None, engine: Any, lang: Any) -> None:
    """核验已知答案 / the cases with known answers: expected, got, tolerance, verdict."""
    from sim.briefing.progress import progress
    from sim.briefing.verification import print_count, print_verdicts
    from sim.plan.configuration import usual_engine
    from sim.verification import verify as cases

    names = [name.strip() for name in (only or "").split(",") if name.strip()]
    engine = engine or usual_engine()
    began = time.monotonic()
    with _input_errors(lang):
        cases.choose(names)
        _tell_of_engine(engine, lang)
        with progress(_console(stderr=True), lang, False, "verifying") as on_progress:
            results = list(cases.verify(names, engine, on_progress=on_progress))
    console = _console()
    print_verdicts(results, console, lang)
    verdicts = [one for _, found in results for one in found]
    print_count(verdicts, engine, time.monotonic() - began, console, lang)
    if not all(one.holds for one in verdicts):
        raise FailedError


def _run_overrides(given: Mapping[str, object]) -> list[str]:
    """Write options as the overrides that they are, so that they are logged as such."""
    return [f"run.{name}={value}" for name, value in given.items() if value is not None]


@contextmanager
def _place_errors(language: Any) -> Iterator[None]:
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
def _input_errors(language: Any, most: int | None = _MOST_PROBLEMS) -> Iterator[None]:
    """Print the problems of wrong input, all or so many, and end with exit code 2."""
    from sim.plan.problems import InputError, errors_of

    try:
        yield
    except InputError as error:
        _print_problems(error.problems, language, most)
        errors = len(errors_of(error.problems))
        warnings = len(error.problems) - errors
        line = SAYS[language]["problems"].format(errors=errors, warnings=warnings)
        click.echo(line, err=True)
        raise WrongInputError from None


def _print_problems(problems: Sequence[Problem], language: Any, most: int | None) -> None:
    ordered = sorted(problems, key=lambda one: one.level)  # errors before warnings
    for one in ordered[:most]:
        click.echo(one.render(language), err=True)
    if most is not None and len(ordered) > most:
        click.echo(SAYS[language]["more"].format(count=len(ordered) - most), err=True)


def _can_say_anything() -> None:
    """Let no character stop a command, whatever the encoding of the terminal or pipe.

    ASCII is what a missing locale looks like: UTF-8 is written then. Any other encoding is kept,
    and a character that it lacks is written as an escape.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            encoding = "utf-8" if ascii_only else stream.encoding
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _usage_lines(error: click.ClickException, language: Any) -> Iterator[str]:
    """Yield what the parser found wrong, in the language asked for, and where help is."""
    says = USAGE[language]
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        yield says["usage"].format(usage=f"{context.command_path} {pieces}")
        yield says["help"].format(command=context.command_path)
    yield says["wrong"].format(reason=_usage_reason(error, says))


def _flags() -> set[str]:
    """Return every option that takes no value."""
    options = [one for command in (cli, *cli.commands.values()) for one in command.params]
    return {name for one in options if getattr(one, "is_flag", False) for name in one.opts}


def _usage_reason(error: click.ClickException, says: Mapping[str, str]) -> str:
    """Say what is wrong by the kind of the error; else in the parser's own words."""
    near = (
        says["near"].format(near=near[0]) if (near := getattr(error, "possibilities", None)) else ""
    )
    hint = ""
    if isinstance(error, click.BadParameter) and error.param is not None:
        hint = error.param.get_error_hint(error.ctx)
    match error:
        case click.NoSuchOption():
            return says["no_option"].format(name=error.option_name) + near
        case click.BadOptionUsage():
            kind = "takes_none" if error.option_name in _flags() else "needs_value"
            return says[kind].format(name=error.option_name)
        case click.MissingParameter() if hint:
            return says["missing"].format(hint=hint)
        case click.BadParameter(param=click.Parameter(type=click.Choice(choices=choices))):
            return says["choice"].format(hint=hint, choices=", ".join(map(str, choices)))
        case click.BadParameter(param=click.Parameter(type=click.IntRange(min=low, max=high))):
            most = "" if high is None else says["most"].format(high=high)
            return says["whole"].format(hint=hint, low=low) + most
    if command := getattr(error, "command_name", None):  # a class of its own from click 8.4
        return says["no_command"].format(name=command) + near
    return error.format_message()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code.

    0 done; 1 failed; 2 wrong input; 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0].startswith("-") and words[0] not in _GROUP_OPTIONS:
        words.insert(0, "run")  # options alone are those of the main job
    asked = "--lang=en" in words or ("--lang", "en") in pairwise(words)
    language = "en" if asked else "zh"
    _can_say_anything()
    try:
        cli.main(words, prog_name="run_sim.py", standalone_mode=False)
        code = DONE
    except WrongInputError:
        code = WRONG_INPUT
    except click.ClickException as error:
        for line in _usage_lines(error, language):
            click.echo(line, err=True)
        code = WRONG_INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo(SAYS[language]["interrupted"], err=True)
        code = INTERRUPTED
    except InterruptedRunError:
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except FailedError:
        if "--debug" in words:
            raise
        code = FAILED
    except Exception as error:
        if "--debug" in words:
            raise
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        click.echo(SAYS[language]["failed"].format(error=reason), err=True)
        code = FAILED
    sys.exit(code)
