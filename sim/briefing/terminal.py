"""The headline on a terminal: Chinese first, English by choice; computes nothing but ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.analysis.published import MonthShare, stage_shares, year_shares
from sim.engine.rules import PHASES
from sim.figures.amounts import Language, Scale, scale_for
from sim.figures.style import SMALL_SAMPLE, odds
from sim.runs.folder import StoredRun

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_MEASURES = ("reported", "work_done", "paid")
_HARDEST = 8
_COMPARABLE = 100
"""Projects from which a list is of the kind whose month-ends are published."""
_KEPT = {"value": "p_kept", "low": "p_kept_low", "high": "p_kept_high"}
_TEXT: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "{title}（{plan}）",
        "target": "年度目标 {target} {unit}；纳入目标项目年度计划合计 {annual} {unit}；"
        "{count:,} 个项目；{replications:,} 次模拟",
        "headline": "年末（{year}年12月31日）累计完成投资，{unit}",
        "measure": "口径",
        "reported": "填报完成投资",
        "work_done": "形象进度对应投资",
        "paid": "支付",
        "mean": "均值",
        "error": "标准误",
        "met": "达标可能性 [95%区间]",
        "short": "最差5%平均缺口",
        "sure": "八成把握填报不低于 {p20} {unit}（P20）；一半把握不低于 {p50} {unit}（P50）。",
        "few": "只有 {count} 次模拟，太少，不足以谈把握；请用 -n 增加次数。",
        "promises": "承诺：‘确保’类，以及最难守住的几项（全部见 commitments.csv）",
        "promise": "承诺",
        "deadline": "期限",
        "kept": "守住的可能性 [95%区间]",
        "must": "确保",
        "paid_note": "支付按“资金不设上限、按约定滞后支付”计算，仅供参照；"
        "竣工项目会结清以前年度扣留的款项，故可高于其年度计划。资金竞争在下一步实现。",
        "starts": "年内开工：计划 {planned:,}，模拟中位 {p50:,}（P10–P90：{p10:,}–{p90:,}）",
        "finishes": "年内竣工：计划 {planned:,}，模拟中位 {p50:,}（P10–P90：{p10:,}–{p90:,}）",
        "months": "各月末占年度计划的比例（中位数），与公开清单对照",
        "own_months": "各月末占年度计划的比例（中位数）",
        "month": "月末",
        "plan": "计划推算",
        "simulated": "模拟（填报）",
        "completing": "竣工类",
        "continuing": "续建类",
        "new": "新开工类",
        "published": "公开清单中位数",
        "lists": "清单数",
        "bias": "公开数为各地自报、相互重叠、偏向进度好的地方，应视为上限参照；未用于调参。",
        "unused": "已读取、尚未参与模拟：{names}",
        "folder": "结果文件夹：{folder}",
        "phase": "顺序",
        "name": "阶段",
        "does": "做什么",
        "in_force": "已启用",
        "phases": "一天之内各阶段的顺序；阶段内按项目排序（rank）先后",
        "yes": "是",
        "no": "待建",
    },
    "en": {
        "title": "{title} ({plan})",
        "target": "Target {target}; annual plans of the projects in it {annual} ({unit}); "
        "{count:,} projects; {replications:,} replications",
        "headline": "Cumulative investment at 31 December {year}, {unit}",
        "measure": "measure",
        "reported": "reported",
        "work_done": "work done",
        "paid": "paid",
        "mean": "mean",
        "error": "standard error",
        "met": "target met [95 % interval]",
        "short": "mean shortfall, worst 5 %",
        "sure": "Eighty per cent sure that reported reaches {p20} (P20); even odds of {p50} (P50).",
        "few": "Only {count} replications: too few to speak of odds; ask for more with -n.",
        "promises": "Promises: the 'must' ones, and those hardest to keep (all in commitments.csv)",
        "promise": "promise",
        "deadline": "deadline",
        "kept": "kept [95 % interval]",
        "must": "must",
        "paid_note": "Paid assumes unlimited money paid with the agreed lag, for orientation only; "
        "a finished project settles what was held back in earlier years, so it may exceed its "
        "annual plan. Competition for money comes next.",
        "starts": "Started in the year: planned {planned:,}, median {p50:,} "
        "(P10-P90: {p10:,}-{p90:,})",
        "finishes": "Finished in the year: planned {planned:,}, median {p50:,} "
        "(P10-P90: {p10:,}-{p90:,})",
        "months": "Share of the annual plan at month-ends (medians), beside published lists",
        "own_months": "Share of the annual plan at month-ends (medians)",
        "month": "end of",
        "plan": "as planned",
        "simulated": "simulated (reported)",
        "completing": "completing",
        "continuing": "continuing",
        "new": "new",
        "published": "published median",
        "lists": "lists",
        "bias": "Published shares are self-reported, overlap, and come from places that do well: "
        "an upper band. Nothing is fitted to them.",
        "unused": "Read and checked, not yet simulated: {names}",
        "folder": "Run folder: {folder}",
        "phase": "order",
        "name": "phase",
        "does": "what happens",
        "in_force": "in force",
        "phases": "Phases within a day; inside a phase events run in order of rank",
        "yes": "yes",
        "no": "to come",
    },
}


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")


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
    text, summary = _TEXT[language], stored.summary
    reported = summary["year_end"]["reported"]
    scale = scale_for(max(summary["target_yuan"], reported["p95"]))
    unit = scale.name(language)

    def say(line: str, style: str = "") -> None:
        console.print(line, style=style, highlight=False, markup=False)

    say(text["title"].format(title=summary["title"], plan=summary["plan"]), "bold")
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
    say(text["paid_note"], "dim")
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
    promises = _promise_rows(stored)
    if promises:
        console.print(_promise_table(promises, text))
    if summary["annual_plan_yuan"]:
        comparable = summary["projects"]["count"] >= _COMPARABLE
        console.print(_month_table(stored, text, language, comparable))
        if comparable:
            say(text["bias"], "dim")
    if stored.manifest["not_yet_used"]:
        names = ", ".join(stored.manifest["not_yet_used"])
        console.print(
            text["unused"].format(names=names), style="dim", highlight=False, markup=False
        )


def print_folder(stored: StoredRun, console: Console, language: Language = "zh") -> None:
    """Say where the run folder stands."""
    line = _TEXT[language]["folder"].format(folder=stored.folder)
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _headline_table(stored: StoredRun, text: Mapping[str, str], scale: Scale, unit: str) -> Table:
    table = _table(text["headline"].format(year=stored.manifest["plan_year"], unit=unit))
    table.add_column(text["measure"])
    for column in ("P5", "P20", "P50", "P80", "P95", text["mean"], text["error"], text["met"],
                   text["short"]):  # fmt: skip
        table.add_column(column, justify="right")
    for measure in _MEASURES:
        one = stored.summary["year_end"][measure]
        numbers = [scale.show(one[key]) for key in ("p5", "p20", "p50", "p80", "p95", "mean")]
        error = "–" if one["mean_se"] is None else f"{one['mean_se'] / scale.yuan:,.1f}"
        # The target was set for investment, not for payments.
        against = ["–", "–"]
        if measure != "paid":
            against = [odds(one["probability_target_met"]), scale.show(one["cvar95_shortfall"])]
        table.add_row(text[measure], *numbers, error, *against)
    return table


def _promise_rows(stored: StoredRun) -> list[dict[str, str]]:
    """Return the promises that are to be kept for certain, and those least likely to be."""
    judged = [row for row in stored.table("commitments") if row["p_kept"]]
    sure = [row for row in judged if row["strength"] == "must"]
    hardest = sorted(judged, key=lambda row: (float(row["p_kept"]), row["id"]))
    return sure + [row for row in hardest if row not in sure][:_HARDEST]


def _promise_table(rows: Sequence[Mapping[str, str]], text: Mapping[str, str]) -> Table:
    table = _table(text["promises"])
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
    table = _table(text["months"] if comparable else text["own_months"])
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
    text = _TEXT[language]
    table = _table(text["phases"])
    for column in ("phase", "name", "does", "in_force"):
        table.add_column(text[column])
    for rule in PHASES:
        name, does = (rule.zh, rule.does_zh) if language == "zh" else (rule.en, rule.does_en)
        table.add_row(str(int(rule.phase)), name, does, text["yes" if rule.in_force else "no"])
    console.print(table)
