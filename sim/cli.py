"""To ask with: the command line. It parses, calls the library and prints; it computes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from sim.plan.problems import Problem

DEFAULT_SCENARIO = "scenarios/luoyang-2021/baseline.toml"
DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_MOST_PROBLEMS = 200
_GROUP_OPTIONS = ("-h", "--help", "--version", "--debug")

_SAYS = {
    "zh": {
        "interrupted": "已中断；未写入任何结果，重新运行同一命令即可。",
        "failed": "运行失败：{error}（加 --debug 查看细节）",
        "problems": "输入有误：{errors} 个错误，{warnings} 个提醒；未写入任何文件。",
        "checked": "检查通过：{errors} 个错误，{warnings} 个提醒。",
        "more": "……另有 {count} 条未列出",
        "found": "同一运行已有结果，直接读取（指纹 {mark}）。",
        "simulating": "模拟",
        "per_second": "次/秒",
        "no_project": "没有项目“{project}”，最接近的是“{nearest}”",
        "warnings": "提醒 {count} 条，查看：python run_sim.py check {file}",
        "idle": "以下改动在本次运行中不起作用：{paths}",
    },
    "en": {
        "interrupted": "Interrupted; nothing was written. The same command starts again.",
        "failed": "Failed: {error} (details with --debug)",
        "problems": "The input is wrong: {errors} errors, {warnings} warnings; nothing written.",
        "checked": "Checked: {errors} errors, {warnings} warnings.",
        "more": "... and {count} more",
        "found": "The same run is already there; reading it (fingerprint {mark}).",
        "simulating": "simulating",
        "per_second": "a second",
        "no_project": "there is no project '{project}'; the nearest is '{nearest}'",
        "warnings": "Warnings: {count}; to see them: python run_sim.py check {file} --lang en",
        "idle": "These changes have no effect in this run: {paths}",
    },
}


class WrongInputError(Exception):
    """Ends the command with exit code 2; the problems have been printed."""


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
@click.option("--engine", type=click.Choice(["reference"]), default="reference", show_default=True)
@click.option("--workers", type=click.IntRange(1, 1024), help="并行进程数 / processes.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("outputs"), show_default=True,
    help="结果文件夹 / folder of runs.",
)  # fmt: skip
@_overrides
@click.option("--quiet", is_flag=True, help="只显示结果文件夹 / print the run folder only.")
@click.option("--debug", is_flag=True, help="出错时显示细节 / show the details of a failure.")
@_language
def run(
    scenario: str,
    replications: int | None,
    seed: int | None,
    engine: str,
    workers: int | None,
    out: Path,
    overrides: tuple[str, ...],
    quiet: bool,
    debug: bool,
    lang: Any,
) -> None:
    """模拟情景，写结果文件夹 / simulate a scenario, write a run folder, print the headline."""
    from sim.briefing.terminal import print_folder, print_headline
    from sim.figures.charts import draw_charts
    from sim.plan.scenario import load_scenario
    from sim.runs.folder import find_run, point_to, run_folder, write_run
    from sim.runs.provenance import fingerprint
    from sim.runs.simulate import simulate
    from sim.runs.unused import changes_without_effect

    console = _console()
    with _input_errors(lang):
        loaded = load_scenario(scenario, overrides)
        if loaded.warnings and not quiet:
            line = _SAYS[lang]["warnings"].format(count=len(loaded.warnings), file=scenario)
            _console(stderr=True).print(line, style="dim", highlight=False, markup=False)
        if idle := changes_without_effect(loaded):
            click.echo(_SAYS[lang]["idle"].format(paths=", ".join(idle)), err=True)
        count = replications or loaded.options.replications
        root = loaded.options.seed if seed is None else seed
        mark = fingerprint(loaded, root, count, engine)
        stored = find_run(run_folder(out, loaded.name, mark))
        if stored is None:
            with _progress(lang, quiet) as on_progress:
                finished = simulate(
                    loaded, replications=count, seed=root,
                    workers=workers or loaded.options.workers, on_progress=on_progress,
                )  # fmt: skip
            stored = write_run(finished, out, lambda one: draw_charts(one, lang))
        else:
            draw_charts(stored, lang)
            point_to(stored.folder)
            if not quiet:
                console.print(_SAYS[lang]["found"].format(mark=mark), style="dim")
    if not quiet:
        print_headline(stored, console, lang)
    print_folder(stored, console, lang)


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

    with _input_errors(lang):
        loaded = load_scenario(file, overrides)
        build_sampler(build_portfolio(loaded.plan), 0)
    _print_problems(loaded.warnings, lang, most=None)
    line = _SAYS[lang]["checked"].format(
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
@_overrides
@_language
def replay(
    scenario: str,
    replication: int,
    project: str | None,
    seed: int | None,
    overrides: tuple[str, ...],
    lang: Any,
) -> None:
    """重放一次模拟的事件记录 / the event log of one replication."""
    from sim.briefing.replay import replay_lines
    from sim.plan.problems import nearest
    from sim.plan.scenario import load_scenario
    from sim.runs.replay import replay_one

    with _input_errors(lang):
        loaded = load_scenario(scenario, overrides)
        root = loaded.options.seed if seed is None else seed
        story = replay_one(loaded.plan, root, replication)
    ids = {one.id for one in loaded.plan.projects}
    if project is not None and project not in ids:
        close = nearest(project, ids)
        shown = close if len(close) < 80 else "?"
        click.echo(_SAYS[lang]["no_project"].format(project=project, nearest=shown), err=True)
        raise WrongInputError
    for line in replay_lines(story, project, lang):
        click.echo(line)


@contextmanager
def _input_errors(language: Any) -> Iterator[None]:
    """Print the problems of wrong input and end with exit code 2."""
    from sim.plan.problems import InputError, errors_of

    try:
        yield
    except InputError as error:
        _print_problems(error.problems, language, most=_MOST_PROBLEMS)
        errors = len(errors_of(error.problems))
        warnings = len(error.problems) - errors
        line = _SAYS[language]["problems"].format(errors=errors, warnings=warnings)
        click.echo(line, err=True)
        raise WrongInputError from None


def _print_problems(problems: Sequence[Problem], language: Any, most: int | None) -> None:
    ordered = sorted(problems, key=lambda one: one.level)  # errors before warnings
    for one in ordered[:most]:
        click.echo(one.render(language), err=True)
    if most is not None and len(ordered) > most:
        click.echo(_SAYS[language]["more"].format(count=len(ordered) - most), err=True)


@contextmanager
def _progress(language: Any, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar with rate and time left where a person is looking."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    unit = _SAYS[language]["per_second"]
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} " + unit), TimeElapsedColumn(), TimeRemainingColumn(),
        console=_console(stderr=True), transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(_SAYS[language]["simulating"], total=None, rate="–")

        def on_progress(done: int, count: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = f"{done / elapsed:,.1f}" if elapsed > 0 else "–"
            bar.update(task, completed=done, total=count, rate=rate)

        yield on_progress


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code.

    0 done; 1 failed; 2 wrong input; 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0].startswith("-") and words[0] not in _GROUP_OPTIONS:
        words.insert(0, "run")  # options alone are those of the main job
    language = "en" if "en" in words else "zh"
    try:
        cli.main(words, prog_name="run_sim.py", standalone_mode=False)
        code = DONE
    except WrongInputError:
        code = WRONG_INPUT
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = WRONG_INPUT
    except click.ClickException as error:
        error.show()
        code = WRONG_INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo(_SAYS[language]["interrupted"], err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except Exception as error:
        if "--debug" in words:
            raise
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        click.echo(_SAYS[language]["failed"].format(error=reason), err=True)
        code = FAILED
    sys.exit(code)
