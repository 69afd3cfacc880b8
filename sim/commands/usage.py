"""What a command line has wrong, in the language asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from sim.briefing.lines import USAGE


def usage_lines(error: click.ClickException, group: click.Group, language: Any) -> Iterator[str]:
    """Yield what the parser found wrong, in the language asked for, and where help is.

    Parameters
    ----------
    error : click.ClickException
        As the parser raised it.
    group : click.Group
        All commands.
    language : {"zh", "en"}
        Language.
    """
    says = USAGE[language]
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        yield says["usage"].format(usage=f"{context.command_path} {pieces}")
        yield says["help"].format(command=context.command_path)
    yield says["wrong"].format(reason=_usage_reason(error, group, says))


def _flags(group: click.Group) -> set[str]:
    """Return every option that takes no value."""
    options = [one for command in (group, *group.commands.values()) for one in command.params]
    return {name for one in options if getattr(one, "is_flag", False) for name in one.opts}


def _usage_reason(error: click.ClickException, group: click.Group, says: Mapping[str, str]) -> str:
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
            kind = "takes_none" if error.option_name in _flags(group) else "needs_value"
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
