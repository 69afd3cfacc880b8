"""The headline on a terminal: Chinese first, English by choice; computes nothing but ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sim.analysis.published import MonthShare, stage_shares, year_shares
from sim.briefing.words import TEXT
from sim.engine.rules import PHASES
from sim.figures.amounts import Language, Scale, scale_for
from sim.figures.names import CLASSES, cause_title
from sim.figures.style import SMALL_SAMPLE, odds
from sim.runs.folder import StoredRun

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_MEASURES = ("reported", "work_done", "paid")
_SHOWN = (5, 20, 50, 80, 95)
_HARDEST = 8
_SHOWN_DAYS = 0.05
"""Causes that move an average project by less are not worth a line."""
_COMPARABLE = 100
"""Projects from which a list is of the kind whose month-ends are published."""
_KEPT = {"value": "p_kept", "low": "p_kept_low", "high": "p_kept_high"}


def plain_table(title: str) -> Table:
    """Return a table without columns yet, at least as wide as its title."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    # A title wraps at the width of its table: give the table the width of its title.
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        min_width=cell_len(title),
    )  # fmt: skip


def print_headline(stored: StoredRun, console: Console, language: Language = "zh") -> None:
    """Print what a run says.

    Parameters
    ----------
    stored : StoredRun
        The run.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    text, summary = TEXT[language], stored.summary
    reported = summary["year_end"]["reported"]
    scale = scale_for(max(summary["target_yuan"], reported["p95"]))
    unit = scale.name(language)

    def say(line: str, style: str = "") -> None:
        console.print(line, style=style, highlight=False, markup=False)

    say(text["title"].format(title=summary["title"], plan=summary["plan"]), "bold")
    if not stored.manifest["resolved"]["about"]["scored"]:
        say(text["not_scored"], "bold")
    say(
        text["target"].format(
            target=scale.show(summary["target_yuan"]),
            annual=scale.show(summary["annual_plan_yuan"]),
            unit=unit,
            count=summary["projects"]["count"],
            replications=summary["replications"],
        )
    )
    console.print(_headline_table(stored, text, scale, unit))
    if summary["replications"] < SMALL_SAMPLE:
        say(text["few"].format(count=summary["replications"]), "bold")
    else:
        p20, p50 = scale.show(reported["p20"]), scale.show(reported["p50"])
        say(text["sure"].format(p20=p20, p50=p50, unit=unit))
    if asked := stored.manifest.get("precision"):
        say(_precision_line(asked, summary["replications"], text, language), "bold")
        errors = ", ".join(
            f"P{percent} ±{reported[f'p{percent}_se'] / scale.yuan:,.1f}" for percent in _SHOWN
        )
        say(text["errors"].format(errors=errors, unit=unit), "dim")
    say(text["paid_note"] if summary["execution"] else text["unlimited"], "dim")
    net = summary["net_of_growth"]
    say(
        text["net"].format(
            reported=scale.show(net["reported"]["p50"]),
            reported_met=odds(net["reported"]["probability_target_met"]),
            work=scale.show(net["work_done"]["p50"]),
            work_met=odds(net["work_done"]["probability_target_met"]),
            unit=unit,
        )
    )
    if summary["execution"]:
        owed = {key: scale.show(summary["arrears"][key]) for key in ("p10", "p50", "p90")}
        say(text["owed"].format(unit=unit, **owed))
    for key, planned in (
        ("starts", "planned_starts_in_year"),
        ("finishes", "planned_finishes_in_year"),
    ):
        counts = summary["projects"]["started_in_year" if key == "starts" else "finished_in_year"]
        line = text[key].format(
            planned=summary["projects"][planned],
            p10=counts["p10"],
            p50=counts["p50"],
            p90=counts["p90"],
        )
        say(line)
    if summary["projects"]["dropped"]["p90"]:
        say(text["dropped"].format(**summary["projects"]["dropped"]))
    if revised := summary["revised_plan"]:
        say(
            text["revised"].format(
                plan=scale.show(revised["annual_plan_yuan"]["p50"]),
                unit=unit,
                joined=revised["joined"]["p50"],
                left=revised["left"]["p50"],
                odds=odds(revised["probability_plan_met"]),
            )
        )
    if summary["execution"]:
        console.print(_execution_table(summary["execution"], text, scale, language))
        if rows := _short_accounts(stored):
            console.print(_short_table(rows, text, scale, language))
    console.print(_cause_table(stored, text, language))
    promises = _promise_rows(stored)
    if promises:
        console.print(_promise_table(promises, text))
    if summary["annual_plan_yuan"]:
        comparable = summary["projects"]["count"] >= _COMPARABLE
        console.print(_month_table(stored, text, language, comparable))
        if comparable:
            say(text["bias"], "dim")
    if left := _left_of_residuals(stored, text):
        say(text["residuals"].format(left=left), "dim")
    if stored.manifest["without_effect"]:
        names = ", ".join(stored.manifest["without_effect"])
        console.print(
            text["unused"].format(names=names), style="dim", highlight=False, markup=False
        )


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


def _headline_table(stored: StoredRun, text: Mapping[str, str], scale: Scale, unit: str) -> Table:
    table = plain_table(text["headline"].format(year=stored.manifest["plan_year"], unit=unit))
    table.add_column(text["measure"])
    percents = [f"P{percent}" for percent in _SHOWN]
    for column in (*percents, text["mean"], text["error"], text["met"], text["tail"]):
        table.add_column(column, justify="right")
    for measure in _MEASURES:
        one = stored.summary["year_end"][measure]
        keys = [*(f"p{percent}" for percent in _SHOWN), "mean"]
        numbers = [scale.show(one[key]) for key in keys]
        error = "–" if one["mean_se"] is None else f"{one['mean_se'] / scale.yuan:,.1f}"
        # The target was set for investment, not for payments.
        against = ["–", "–"]
        if measure != "paid":
            against = [odds(one["probability_target_met"]), scale.show(one["cvar95_shortfall"])]
        table.add_row(text[measure], *numbers, error, *against)
    return table


def _execution_table(
    classes: Mapping[str, Any], text: Mapping[str, str], scale: Scale, language: Language
) -> Table:
    table = plain_table(text["execution"].format(unit=scale.name(language)))
    table.add_column(text["class"])
    for column in (text["budget"], "P10", "P50", "P90"):
        table.add_column(column, justify="right")
    for name, one in classes.items():
        shares = [_percent(one[key]) for key in ("p10", "p50", "p90")]
        table.add_row(CLASSES[language].get(name, name), scale.show(one["budget_yuan"]), *shares)
    return table


def _short_accounts(stored: StoredRun) -> list[tuple[str, str, int, int]]:
    """Return name, first short month, short months and unpaid yuan of the accounts that lack most.

    A month is short where it is more likely than not that the account could not pay all that it
    was asked for. Owners' own funds are left out: they are many purses, not one.
    """
    year = f"{stored.manifest['plan_year']}-"
    months: dict[str, list[dict[str, str]]] = {}
    for row in stored.table("accounts"):
        if row["month"].startswith(year) and row["class"] != "own":
            months.setdefault(row["account"], []).append(row)
    found = []
    for rows in months.values():
        short = [row["month"] for row in rows if float(row["p_short"]) > 0.5]
        if short:
            unpaid = int(rows[-1]["unmet_mean_yuan"])
            found.append((rows[0]["name"], short[0], len(short), unpaid))
    return sorted(found, key=lambda one: -one[3])[:_HARDEST]


def _short_table(
    rows: Sequence[tuple[str, str, int, int]],
    text: Mapping[str, str],
    scale: Scale,
    language: Language,
) -> Table:
    table = plain_table(text["short"].format(unit=scale.name(language)))
    table.add_column(text["account"])
    for column in ("first", "months_short", "unmet"):
        table.add_column(text[column], justify="right")
    for name, first, count, unpaid in rows:
        table.add_row(name, first, str(count), f"{unpaid / scale.yuan:,.2f}")
    return table


def _cause_table(stored: StoredRun, text: Mapping[str, str], language: Language) -> Table:
    """Show the causes that moved the finish of an average project, the largest first."""
    table = plain_table(text["causes"])
    table.add_column(text["cause"])
    table.add_column(text["days"], justify="right")
    table.add_column(text["days_by_plan"], justify="right")
    rows = [row for row in stored.table("causes") if row["dimension"] == "all"]
    for row in sorted(rows, key=lambda row: -abs(float(row["mean_days"]))):
        if abs(float(row["mean_days"])) >= _SHOWN_DAYS:
            weighted = row["mean_days_by_plan"]
            table.add_row(
                cause_title(row["cause"], stored.manifest["cause_titles"], language),
                f"{float(row['mean_days']):+.1f}",
                f"{float(weighted):+.1f}" if weighted else "–",
            )
    return table


def _promise_rows(stored: StoredRun) -> list[dict[str, str]]:
    """Return the promises that are to be kept for certain, and those least likely to be."""
    judged = [row for row in stored.table("commitments") if row["p_kept"]]
    sure = [row for row in judged if row["strength"] == "must"]
    hardest = sorted(judged, key=lambda row: (float(row["p_kept"]), row["id"]))
    return sure + [row for row in hardest if row not in sure][:_HARDEST]


def _promise_table(rows: Sequence[Mapping[str, str]], text: Mapping[str, str]) -> Table:
    table = plain_table(text["promises"])
    for column in ("promise", "deadline", "kept"):
        table.add_column(text[column], justify="right" if column == "kept" else "left")
    for row in rows:
        must = f" ({text['must']})" if row["strength"] == "must" else ""
        kept = {key: float(row[name]) for key, name in _KEPT.items()}
        table.add_row(f"{row['text']}{must}", row["deadline"], odds(kept))
    return table


def _month_table(
    stored: StoredRun, text: Mapping[str, str], language: Language, comparable: bool
) -> Table:
    table = plain_table(text["months"] if comparable else text["own_months"])
    shares = year_shares(
        stored.table("months"), stored.manifest["plan_year"], stored.summary["annual_plan_yuan"]
    )
    stages = {
        stage: {one.month: one for one in stage_shares(stored.table("stages"), stage)}
        for stage in ("completing", "continuing", "new")
    }
    columns = ["month", "plan", "simulated", *stages]
    for column in columns + (["published", "lists"] if comparable else []):
        table.add_column(text[column], justify="right")
    for one in shares:
        cells = [_share(stages[stage].get(one.month)) for stage in stages]
        if comparable:
            cells += [_percent(one.published), str(one.lists or "–")]
        table.add_row(
            f"{one.month}月" if language == "zh" else f"{one.month:02d}",
            _percent(one.planned),
            _percent(one.simulated),
            *cells,
        )
    return table


def _share(one: MonthShare | None) -> str:
    return "–" if one is None else _percent(one.simulated)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


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
