"""To ask with: the command line. It parses, calls the library and prints; it computes nothing."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from sim import __version__
from sim.briefing.lines import SAYS
from sim.briefing.streams import can_say_anything
from sim.commands.asking import (
    DEFAULT_SCENARIO,
    FailedError,
    InterruptedRunError,
    WrongInputError,
    as_called,
    check_engines,
    count_option,
    engine_option,
    input_errors,
    language_option,
    open_console,
    overrides_option,
    print_problems,
    run_overrides,
    runs_option,
    sampling_option,
    seed_option,
    stored_run,
    tell_of_repairs,
    workers_option,
)
from sim.commands.correlation import correlation
from sim.commands.credibility import calibrate, fit, hindcast, sheet
from sim.commands.usage import usage_lines
from sim.commands.verification import verify

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_OBJECTS_BETWEEN_SEARCHES = 100_000
_GROUP_OPTIONS = ("-h", "--help", "--version", "--debug")


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
@count_option
@seed_option
@sampling_option
@engine_option
@workers_option
@runs_option
@click.option("--precision", metavar="MEASURE=HALFWIDTH", help=(
    "达到精度即停，-n 为上限 / stop when precise enough, e.g. reported.p50=20亿."
))  # fmt: skip
@overrides_option
@click.option("--quiet", is_flag=True, help="只显示结果文件夹 / print the run folder only.")
@click.option("--debug", is_flag=True, help="出错时显示细节 / show the details of a failure.")
@language_option
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
    from sim.briefing.terminal import print_folder, print_headline
    from sim.plan.scenario import load_scenario
    from sim.runs.unused import changes_without_effect

    console = open_console()
    with input_errors(lang):
        given = {
            "replications": replications, "seed": seed, "sampling": sampling, "engine": engine,
            "workers": workers, "precision": precision,
        }  # fmt: skip
        loaded = load_scenario(scenario, (*overrides, *run_overrides(given)))
        if loaded.warnings and not quiet:
            words = [scenario, *(f"--set={one}" for one in overrides), f"--lang={lang}"]
            command = as_called("check", *words)
            line = SAYS[lang]["warnings"].format(count=len(loaded.warnings), command=command)
            open_console(stderr=True).print(
                line, style="dim", highlight=False, markup=False, soft_wrap=True
            )
        if idle := changes_without_effect(loaded):
            click.echo(SAYS[lang]["idle"].format(paths=", ".join(idle)), err=True)
        stored = stored_run(loaded, out, lang, quiet)
    tell_of_repairs(stored, lang)
    if not quiet:
        print_headline(stored, console, lang)
    print_folder(stored, console, lang)
    check_engines(stored, lang)


@cli.command()
@click.argument("file", type=click.Path())
@overrides_option
@language_option
def check(file: str, overrides: tuple[str, ...], lang: Any) -> None:
    """检查情景或方案文件夹 / validate a scenario or a plan folder: every problem and warning."""
    from sim.plan.portfolio import build_portfolio
    from sim.plan.problems import errors_of
    from sim.plan.scenario import load_scenario
    from sim.sampling.repair import repair_warning
    from sim.sampling.sampler import build_sampler

    with input_errors(lang, most=None):
        loaded = load_scenario(file, overrides)
        sampler = build_sampler(build_portfolio(loaded.plan), 0)
    repairs = [repair_warning(one.told()) for one in sampler.repairs]
    warnings = (*loaded.warnings, *repairs)
    print_problems(warnings, lang, most=None)
    line = SAYS[lang]["checked"].format(errors=len(errors_of(warnings)), warnings=len(warnings))
    click.echo(line)


@cli.command()
@language_option
def order(lang: Any) -> None:
    """打印一天之内的阶段顺序 / print the table of phases within a day."""
    from sim.briefing.terminal import print_phases

    print_phases(open_console(), lang)


@cli.command()
@click.argument("scenario", type=click.Path(), default=DEFAULT_SCENARIO)
@click.option("--replication", type=click.IntRange(0), required=True, help="第几次模拟（从0起）。")
@click.option("--project", help="只看一个项目 / only this project.")
@seed_option
@sampling_option
@overrides_option
@language_option
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
    from sim.plan.problems import InputError, Problem, Told, nearest
    from sim.plan.scenario import load_scenario
    from sim.runs.replay import replay_one

    given = {"seed": seed, "sampling": sampling}
    with input_errors(lang):
        loaded = load_scenario(scenario, (*overrides, *run_overrides(given)))
        ids = {one.id for one in loaded.plan.projects}
        if project is not None and project not in ids:
            details = {"what": Told("项目", "project"), "nearest": nearest(project, ids)}
            unknown = Problem("unknown_reference", "--project", value=project, details=details)
            raise InputError([unknown])
        asked = loaded.options
        story = replay_one(loaded.plan, asked.seed, replication, asked.sampling)
    for line in replay_lines(story, project, lang):
        click.echo(line)


for command in (fit, hindcast, calibrate, correlation, verify, sheet):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code.

    0 done; 1 failed; 2 wrong input; 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0].startswith("-") and words[0] not in _GROUP_OPTIONS:
        words.insert(0, "run")  # options alone are those of the main job
    asked = "--lang=en" in words or ("--lang", "en") in pairwise(words)
    language = "en" if asked else "zh"
    can_say_anything()
    # A plan is many small objects that all stay: they are searched for rubbish less often.
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    try:
        cli.main(words, prog_name="run_sim.py", standalone_mode=False)
        code = DONE
    except WrongInputError:
        code = WRONG_INPUT
    except click.ClickException as error:
        for line in usage_lines(error, cli, language):
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
