"""The headline on a terminal: Chinese first, English by choice; computes nothing but ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sim.briefing.headline_tables import (
    ALL,
    Told,
    bridge_table,
    cause_table,
    detail_table,
    execution_table,
    headline_table,
    month_table,
    promise_rows,
    promise_table,
    short_accounts,
    short_table,
)
from sim.briefing.tables import folded, plain_table
from sim.briefing.words import TEXT
from sim.engine.rules import PHASES
from sim.figures.amounts import Language, scale_for
from sim.figures.style import SMALL_SAMPLE, changed_settings, odds
from sim.runs.folder import StoredRun

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    Part = tuple[str | Table, str]
    """A line or a table, and the style of the line."""

_MOST_COLUMNS = 140
"""Columns that changed settings may fill: two lines."""
_COMPARABLE = 100
"""Projects from which a list is of the kind whose month-ends are published."""


def print_headline(stored: StoredRun, console: Console, language: Language = "zh") -> None:
    """Print what a run says: first what decides, then where it comes from, last the details.

    Parameters
    ----------
    stored : StoredRun
        The run.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    highest = max(stored.summary["target_yuan"], stored.summary["year_end"]["reported"]["p95"])
    told = Told(stored, TEXT[language], scale_for(highest), language)
    after_a_line = False
    for part in (_about, _year_end, _on_the_way, _money, _promises, _causes, _months, _details):
        for one, style in part(told):
            if isinstance(one, str):
                line = folded(one, console.width) if language == "zh" else one
                console.print(line, style=style, highlight=False, markup=False)
            else:
                console.print(*([""] if after_a_line else []), one, sep="\n")
            after_a_line = isinstance(one, str)


def _about(told: Told) -> Iterator[Part]:
    """Say of which run this is, and what it is held against."""
    text, summary = told.text, told.summary
    yield text["title"].format(title=summary["title"], plan=summary["plan"]), "bold"
    if not told.stored.manifest["resolved"]["about"]["scored"]:
        yield text["not_scored"], "bold"
    amounts = {name: told.scale.show(summary[f"{name}_yuan"]) for name in ("target", "annual_plan")}
    counts = {"count": summary["projects"]["count"], "replications": summary["replications"]}
    yield text["target"].format(unit=told.unit, **amounts, **counts), ""
    if changed := changed_settings(told.stored, told.language, _MOST_COLUMNS):
        yield changed, "bold"


def _year_end(told: Told) -> Iterator[Part]:
    """Say where the year ends, how sure that is, and how the plan leads there."""
    text, summary, scale = told.text, told.summary, told.scale
    yield headline_table(told), ""
    if told.certain:
        yield text["certain"], "bold"
    elif summary["replications"] < SMALL_SAMPLE:
        yield text["few"].format(count=summary["replications"]), "bold"
    else:
        p20, p50 = (scale.show(summary["year_end"]["reported"][key]) for key in ("p20", "p50"))
        yield text["sure"].format(p20=p20, p50=p50, unit=told.unit), ""
    if asked := told.stored.manifest.get("precision"):
        yield _precision_line(asked, summary["replications"], text, told.language), "bold"
    if not summary["execution"]:
        yield text["unlimited"], ""
    if summary["annual_plan_yuan"]:
        yield bridge_table(told), ""
    net = summary["net_of_growth"]
    line = text["net"].format(
        reported=scale.show(net["reported"]["p50"]),
        reported_met=odds(net["reported"]["probability_target_met"], told.certain),
        work=scale.show(net["work_done"]["p50"]),
        work_met=odds(net["work_done"]["probability_target_met"], told.certain),
        unit=told.unit,
    )
    yield line, ""


def _on_the_way(told: Told) -> Iterator[Part]:
    """Say how many projects start, finish, are given up, come and go."""
    text, projects = told.text, told.summary["projects"]
    for key, done in (("starts", "started"), ("finishes", "finished")):
        counts = {name: projects[f"{done}_in_year"][name] for name in ("p10", "p50", "p90")}
        yield text[key].format(planned=projects[f"planned_{key}_in_year"], **counts), ""
    if projects["dropped"]["p90"]:
        yield text["dropped"].format(**projects["dropped"]), ""
    if revised := told.summary["revised_plan"]:
        line = text["revised"].format(
            plan=told.scale.show(revised["annual_plan_yuan"]["p50"]),
            unit=told.unit,
            joined=revised["joined"]["p50"],
            left=revised["left"]["p50"],
            odds=odds(revised["probability_plan_met"], told.certain),
        )
        yield line, ""


def _money(told: Told) -> Iterator[Part]:
    """Say how much of the budgets is paid, what is owed, and by whom."""
    summary = told.summary
    if not summary["execution"]:
        return
    owed = {key: told.scale.show(summary["arrears"][key]) for key in ("p10", "p50", "p90")}
    yield told.text["owed"].format(unit=told.unit, **owed), ""
    yield execution_table(told), ""
    accounts, lacking = short_accounts(told.stored)
    if accounts or summary["arrears"]["mean"]:
        yield short_table(told, accounts, lacking), ""


def _promises(told: Told) -> Iterator[Part]:
    """Tell of the promises that matter most."""
    if promises := promise_rows(told.stored):
        yield promise_table(promises, told), ""


def _causes(told: Told) -> Iterator[Part]:
    """Say where the days went."""
    yield cause_table(told), ""


def _months(told: Told) -> Iterator[Part]:
    """Hold the months against published lists, where there are projects enough to compare."""
    if told.summary["annual_plan_yuan"]:
        comparable = told.summary["projects"]["count"] >= _COMPARABLE
        yield month_table(told.stored, told.text, told.language, comparable), ""
        if comparable:
            yield told.text["bias"], "dim"


def _details(told: Told) -> Iterator[Part]:
    """Give the other statistics, and what is to be borne in mind."""
    text, manifest, reported = told.text, told.stored.manifest, told.summary["year_end"]["reported"]
    yield detail_table(told), ""
    if manifest.get("precision"):
        errors = ", ".join(
            f"P{percent} ±{reported[f'p{percent}_se'] / told.scale.yuan:,.1f}" for percent in ALL
        )
        yield text["errors"].format(errors=errors, unit=told.unit), "dim"
    if not told.certain and _some_always(told):
        yield text["always"].format(count=told.summary["replications"]), "dim"
    if told.summary["execution"]:
        yield text["paid_note"], "dim"
    if left := _left_of_residuals(told.stored, text):
        yield text["residuals"].format(left=left), "dim"
    if manifest["without_effect"]:
        yield text["unused"].format(names=", ".join(manifest["without_effect"])), "dim"


def _some_always(told: Told) -> bool:
    """Tell whether something is shown that happened in every replication, or in none."""
    against = [*told.summary["net_of_growth"].values()]
    against += [told.summary["year_end"][measure] for measure in ("reported", "work_done")]
    met = [one["probability_target_met"]["value"] for one in against]
    kept = [float(row["p_kept"]) for row in promise_rows(told.stored)]
    return any(value in (0.0, 1.0) for value in (*met, *kept))


def _precision_line(
    asked: Mapping[str, Any], count: int, text: Mapping[str, str], language: Language
) -> str:
    """Say whether a run is as precise as was asked, and after how many replications."""

    def shown(value: float | None) -> str:
        if value is None:
            return text["half_unknown"]
        scale = scale_for(value * 100)  # half-widths are small beside what they belong to
        amount = scale.show(value)
        return text[f"half_{asked['unit']}"].format(
            value=value, amount=amount, unit=scale.name(language)
        )

    return text["precise" if asked["reached"] else "imprecise"].format(
        measure=asked["measure"], half=shown(asked["half_width"]),
        asked=shown(asked["half_width_asked"]), count=count, most=asked["most_replications"],
    )  # fmt: skip


def _left_of_residuals(stored: StoredRun, text: Mapping[str, str]) -> str:
    """Say what the causes that are on leave of the reference classes, where they take anything."""
    return text["and"].join(
        f"{text[name]} × {factor:.2f}"
        for name, factor in stored.manifest["residuals"].items()
        if factor != 1
    )


def print_folder(stored: StoredRun, console: Console, language: Language = "zh") -> None:
    """Say where the run folder stands."""
    line = TEXT[language]["folder"].format(folder=stored.folder)
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def print_phases(console: Console, language: Language = "zh") -> None:
    """Print the order of phases within a day, from the table that the engines follow."""
    text = TEXT[language]
    table = plain_table(text["phases"])
    for column in ("phase", "name", "does"):
        table.add_column(text[column])
    for rule in PHASES:
        name, does = (rule.zh, rule.does_zh) if language == "zh" else (rule.en, rule.does_en)
        table.add_row(str(int(rule.phase)), name, does)
    console.print(table)
