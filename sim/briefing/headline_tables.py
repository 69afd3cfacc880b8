"""The tables of the headline: what a run came to, where money lacks, why works are late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.analysis.published import MonthShare, stage_shares, year_shares
from sim.briefing.tables import plain_table
from sim.briefing.words import TEXT
from sim.figures.amounts import Language, Scale
from sim.figures.names import CLASSES, cause_title
from sim.figures.style import nothing_is_random, odds
from sim.runs.folder import StoredRun

if TYPE_CHECKING:
    from rich.table import Table

    Part = tuple[str | Table, str]
    """A line or a table, and the style of the line."""

Words = Mapping[str, str]
_MEASURES = ("reported", "work_done", "paid")
_SHOWN, _OTHERS = (5, 50, 95), (20, 80)
ALL = (5, 20, 50, 80, 95)
_HARDEST = 5
"""Accounts and promises that are told one by one."""
_LARGEST = 6
"""Causes with a line of their own; the rest share one."""
_SHOWN_DAYS = 0.05
"""Causes that move an average project by less are not worth a line."""
Short = tuple[str, str, str, float]
KEPT = {"value": "p_kept", "low": "p_kept_low", "high": "p_kept_high"}


class Told(NamedTuple):
    """What every part of the headline needs."""

    stored: StoredRun
    text: Words
    scale: Scale
    language: Language

    @property
    def summary(self) -> Mapping[str, Any]:
        """The summary of the run."""
        return self.stored.summary

    @property
    def certain(self) -> bool:
        """Whether nothing is random."""
        return nothing_is_random(self.stored)

    @property
    def unit(self) -> str:
        """The unit of amounts."""
        return self.scale.name(self.language)


def headline_table(told: Told) -> Table:
    """Return the three measures at year-end: percentiles and the odds of the target."""
    text, scale, year = told.text, told.scale, told.stored.manifest["plan_year"]
    table = plain_table(text["headline"].format(year=year, unit=told.unit))
    table.add_column(text["measure"])
    for column in (*(f"P{percent}" for percent in _SHOWN), text["met"]):
        table.add_column(column, justify="right")
    for measure in _MEASURES:
        one = told.summary["year_end"][measure]
        numbers = [scale.show(one[f"p{percent}"]) for percent in _SHOWN]
        # The target was set for investment, not for payments.
        met = "–" if measure == "paid" else odds(one["probability_target_met"], told.certain)
        table.add_row(text[measure], *numbers, met)
    return table


def bridge_table(told: Told) -> Table:
    """Lead from the annual plans to what is expected, by means: they add up."""
    text, summary, scale = told.text, told.summary, told.scale
    plan = summary["annual_plan_yuan"]
    net = summary["net_of_growth"]["work_done"]["mean"]
    work, reported = (summary["year_end"][name]["mean"] for name in ("work_done", "reported"))

    def show(amount: float, sign: str = "") -> str:
        return f"{amount / scale.yuan:{sign},.{scale.decimals + 1}f}"

    table = plain_table(text["bridge"].format(unit=told.unit))
    table.add_column(text["step"])
    table.add_column(text["mean"], justify="right")
    table.add_row(text["annual_plans"], show(plan))
    table.add_row(text["behind"], show(net - plan, "+"))
    table.add_row(text["growth"], show(work - net, "+"))
    table.add_row(text["work_done"], show(work))
    table.add_row(text["filing"], show(reported - work, "+"))
    table.add_row(text["reported"], show(reported))
    return table


def detail_table(told: Told) -> Table:
    """Return every percentile, mean and shortfall of the three measures."""
    text, scale = told.text, told.scale
    table = plain_table(text["detail"].format(unit=told.unit))
    table.add_column(text["measure"])
    percents = [f"P{percent}" for percent in _OTHERS]
    for column in (*percents, text["mean"], text["error"], text["tail"]):
        table.add_column(column, justify="right")
    for measure in _MEASURES:
        one = told.summary["year_end"][measure]
        numbers = [scale.show(one[key]) for key in (*(f"p{one}" for one in _OTHERS), "mean")]
        error = "–" if one["mean_se"] is None else f"{one['mean_se'] / scale.yuan:,.1f}"
        tail = "–" if measure == "paid" else scale.show(one["cvar95_shortfall"])
        table.add_row(text[measure], *numbers, error, tail)
    return table


def execution_table(told: Told) -> Table:
    """Return how much of each class of the year's budget is paid at year-end."""
    text, scale = told.text, told.scale
    table = plain_table(text["execution"].format(unit=told.unit))
    table.add_column(text["class"])
    for column in (text["budget"], "P10", "P50", "P90"):
        table.add_column(column, justify="right")
    for name, one in told.summary["execution"].items():
        shares = [_percent(one[key]) for key in ("p10", "p50", "p90")]
        table.add_row(
            CLASSES[told.language].get(name, name), scale.show(one["budget_yuan"]), *shares
        )
    return table


def short_accounts(stored: StoredRun) -> tuple[list[Short], dict[str, float]]:
    """Return the accounts that lack most, and by name what lacks elsewhere.

    Of an account: name, first short month, short months, unpaid yuan. A month is short where it is
    more likely than not that the account could not pay all that it was asked for. Owners' own
    funds stand apart: they are many purses, not one, and have no month in which they are short.
    """
    year = f"{stored.manifest['plan_year']}-"
    months: dict[str, list[dict[str, str]]] = {}
    for row in stored.table("accounts"):
        if row["month"].startswith(year):
            months.setdefault(row["account"], []).append(row)
    found: list[Short] = []
    lacking = {"own": 0.0, "elsewhere": 0.0}
    for rows in months.values():
        unpaid = float(rows[-1]["unmet_mean_yuan"])
        short = [row["month"] for row in rows if float(row["p_short"]) > 0.5]
        if rows[0]["class"] == "own":
            lacking["own"] += unpaid
        elif short:
            found.append((rows[0]["name"], short[0], str(len(short)), unpaid))
        else:
            lacking["elsewhere"] += unpaid
    found.sort(key=lambda one: -one[3])
    lacking["elsewhere"] += sum(one[3] for one in found[_HARDEST:])
    return found[:_HARDEST], lacking


def short_table(told: Told, accounts: Sequence[Short], lacking: Mapping[str, float]) -> Table:
    """Show who lacks how much, down to all arrears.

    What no account lacks is what none was asked for yet: it waits for its share of equity.
    """
    text = told.text
    table = plain_table(text["short"].format(unit=told.unit))
    table.add_column(text["account"])
    for column in ("first", "months_short", "unmet"):
        table.add_column(text[column], justify="right")
    owed = told.summary["arrears"]["mean"]
    asked = sum(one[3] for one in accounts) + sum(lacking.values())
    rest = {**lacking, "waits": owed - asked, "all_owed": owed}
    for *cells, unpaid in (*accounts, *((text[key], "–", "–", rest[key]) for key in rest)):
        # What rounds to nothing is nothing, not less than nothing.
        shown = round(unpaid / told.scale.yuan, 2) + 0.0
        table.add_row(*map(str, cells), f"{shown:,.2f}")
    return table


def cause_table(told: Told) -> Table:
    """Show the causes that moved the finish of an average project, the largest first, and all."""
    text, stored = told.text, told.stored
    table = plain_table(text["causes"])
    table.add_column(text["cause"])
    for column in ("days", "days_by_plan"):
        table.add_column(text[column], justify="right")
    rows = [row for row in stored.table("causes") if row["dimension"] == "all"]
    rows.sort(key=lambda row: -abs(float(row["mean_days"])))
    shown = [row for row in rows[:_LARGEST] if abs(float(row["mean_days"])) >= _SHOWN_DAYS]
    for row in shown:
        title = cause_title(row["cause"], stored.manifest["cause_titles"], told.language)
        table.add_row(title, *_days([row]))
    if len(shown) < len(rows):
        table.add_row(text["other_causes"], *_days(rows[len(shown) :]))
    table.add_row(text["all_causes"], *_days(rows))
    return table


def _days(rows: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """Add up the days of causes, plain and weighted; a dash where there are no weights."""
    plain = sum(float(row["mean_days"]) for row in rows)
    if not all(row["mean_days_by_plan"] for row in rows):
        return f"{plain:+.1f}", "–"
    return f"{plain:+.1f}", f"{sum(float(row['mean_days_by_plan']) for row in rows):+.1f}"


def promise_rows(stored: StoredRun) -> list[dict[str, str]]:
    """Return the promises that are to be kept for certain, and those least likely to be."""
    judged = [row for row in stored.table("commitments") if row["p_kept"]]
    sure = [row for row in judged if row["strength"] == "must"]
    hardest = sorted(judged, key=lambda row: (float(row["p_kept"]), row["id"]))
    return sure + [row for row in hardest if row not in sure][:_HARDEST]


def promise_table(rows: Sequence[Mapping[str, str]], told: Told) -> Table:
    """Return promises with their deadlines and odds."""
    text = told.text
    table = plain_table(text["promises"])
    for column in ("promise", "deadline", "kept"):
        table.add_column(text[column], justify="right" if column == "kept" else "left")
    for row in rows:
        # A promise that says so itself need not be marked.
        said = TEXT["zh"]["must"] in row["text"]
        must = f" ({text['must']})" if row["strength"] == "must" and not said else ""
        kept = {key: float(row[name]) for key, name in KEPT.items()}
        table.add_row(f"{row['text']}{must}", row["deadline"], odds(kept, told.certain))
    return table


def month_table(
    stored: StoredRun, text: Mapping[str, str], language: Language, comparable: bool
) -> Table:
    """Return shares of the annual plan by quarter, beside published ones where comparable."""
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
    for one in (one for one in shares if one.month % 3 == 0):
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
