"""The headline on a terminal: Chinese first, English by choice; computes nothing but ratios."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.analysis.published import MonthShare, stage_shares, year_shares
from sim.briefing.words import TEXT
from sim.engine.rules import PHASES
from sim.figures.amounts import Language, Scale, scale_for
from sim.figures.names import CLASSES, cause_title
from sim.figures.style import SMALL_SAMPLE, changed_settings, nothing_is_random, odds
from sim.runs.folder import StoredRun

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    Part = tuple[str | Table, str]
    """A line or a table, and the style of the line."""

Words = Mapping[str, str]
_MEASURES = ("reported", "work_done", "paid")
_SHOWN, _OTHERS = (5, 50, 95), (20, 80)
_ALL = (5, 20, 50, 80, 95)
_MOST_COLUMNS = 140
"""Columns that changed settings may fill: two lines."""
_HARDEST = 5
"""Accounts and promises that are told one by one."""
_LARGEST = 6
"""Causes with a line of their own; the rest share one."""
_SHOWN_DAYS = 0.05
"""Causes that move an average project by less are not worth a line."""
_COMPARABLE = 100
"""Projects from which a list is of the kind whose month-ends are published."""
_PIECE = re.compile(r"[^，；。、]+[，；。、]*")
Short = tuple[str, str, str, float]
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


def folded(line: str, width: int) -> str:
    """Break a Chinese line where it pauses: a terminal would break inside a number."""
    from rich.cells import cell_len

    lines = [""]
    for piece in _PIECE.findall(line):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


class _Told(NamedTuple):
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
    told = _Told(stored, TEXT[language], scale_for(highest), language)
    after_a_line = False
    for part in (_about, _year_end, _on_the_way, _money, _promises, _causes, _months, _details):
        for one, style in part(told):
            if isinstance(one, str):
                line = folded(one, console.width) if language == "zh" else one
                console.print(line, style=style, highlight=False, markup=False)
            else:
                console.print(*([""] if after_a_line else []), one, sep="\n")
            after_a_line = isinstance(one, str)


def _about(told: _Told) -> Iterator[Part]:
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


def _year_end(told: _Told) -> Iterator[Part]:
    """Say where the year ends, how sure that is, and how the plan leads there."""
    text, summary, scale = told.text, told.summary, told.scale
    yield _headline_table(told), ""
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
        yield _bridge_table(told), ""
    net = summary["net_of_growth"]
    line = text["net"].format(
        reported=scale.show(net["reported"]["p50"]),
        reported_met=odds(net["reported"]["probability_target_met"], told.certain),
        work=scale.show(net["work_done"]["p50"]),
        work_met=odds(net["work_done"]["probability_target_met"], told.certain),
        unit=told.unit,
    )
    yield line, ""


def _on_the_way(told: _Told) -> Iterator[Part]:
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


def _money(told: _Told) -> Iterator[Part]:
    """Say how much of the budgets is paid, what is owed, and by whom."""
    summary = told.summary
    if not summary["execution"]:
        return
    owed = {key: told.scale.show(summary["arrears"][key]) for key in ("p10", "p50", "p90")}
    yield told.text["owed"].format(unit=told.unit, **owed), ""
    yield _execution_table(told), ""
    accounts, lacking = _short_accounts(told.stored)
    if accounts or summary["arrears"]["mean"]:
        yield _short_table(told, accounts, lacking), ""


def _promises(told: _Told) -> Iterator[Part]:
    """Tell of the promises that matter most."""
    if promises := _promise_rows(told.stored):
        yield _promise_table(promises, told), ""


def _causes(told: _Told) -> Iterator[Part]:
    """Say where the days went."""
    yield _cause_table(told), ""


def _months(told: _Told) -> Iterator[Part]:
    """Hold the months against published lists, where there are projects enough to compare."""
    if told.summary["annual_plan_yuan"]:
        comparable = told.summary["projects"]["count"] >= _COMPARABLE
        yield _month_table(told.stored, told.text, told.language, comparable), ""
        if comparable:
            yield told.text["bias"], "dim"


def _details(told: _Told) -> Iterator[Part]:
    """Give the other statistics, and what is to be borne in mind."""
    text, manifest, reported = told.text, told.stored.manifest, told.summary["year_end"]["reported"]
    yield _detail_table(told), ""
    if manifest.get("precision"):
        errors = ", ".join(
            f"P{percent} ±{reported[f'p{percent}_se'] / told.scale.yuan:,.1f}" for percent in _ALL
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


def _some_always(told: _Told) -> bool:
    """Tell whether something is shown that happened in every replication, or in none."""
    against = [*told.summary["net_of_growth"].values()]
    against += [told.summary["year_end"][measure] for measure in ("reported", "work_done")]
    met = [one["probability_target_met"]["value"] for one in against]
    kept = [float(row["p_kept"]) for row in _promise_rows(told.stored)]
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


def _headline_table(told: _Told) -> Table:
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


def _bridge_table(told: _Told) -> Table:
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


def _detail_table(told: _Told) -> Table:
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


def _execution_table(told: _Told) -> Table:
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


def _short_accounts(stored: StoredRun) -> tuple[list[Short], dict[str, float]]:
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


def _short_table(told: _Told, accounts: Sequence[Short], lacking: Mapping[str, float]) -> Table:
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


def _cause_table(told: _Told) -> Table:
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


def _promise_rows(stored: StoredRun) -> list[dict[str, str]]:
    """Return the promises that are to be kept for certain, and those least likely to be."""
    judged = [row for row in stored.table("commitments") if row["p_kept"]]
    sure = [row for row in judged if row["strength"] == "must"]
    hardest = sorted(judged, key=lambda row: (float(row["p_kept"]), row["id"]))
    return sure + [row for row in hardest if row not in sure][:_HARDEST]


def _promise_table(rows: Sequence[Mapping[str, str]], told: _Told) -> Table:
    text = told.text
    table = plain_table(text["promises"])
    for column in ("promise", "deadline", "kept"):
        table.add_column(text[column], justify="right" if column == "kept" else "left")
    for row in rows:
        # A promise that says so itself need not be marked.
        said = TEXT["zh"]["must"] in row["text"]
        must = f" ({text['must']})" if row["strength"] == "must" and not said else ""
        kept = {key: float(row[name]) for key, name in _KEPT.items()}
        table.add_row(f"{row['text']}{must}", row["deadline"], odds(kept, told.certain))
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
