"""How much projects move together, on a terminal, in two languages; computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sim.briefing.tables import plain_table
from sim.figures.amounts import Language
from sim.runs.folder import StoredRun

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = ("system", "type", "county", "investor", "stage")
_MEASURES = ("reported", "work_done", "paid", "final_cost")

TEXT: dict[str, dict[str, str]] = {
    "zh": {
        "assumed": "假定：抽样所用的两两相关系数（列入目标、尚未完工的项目；因素）",
        "assumed_columns": "项目对|对数|正态得分平均|最低|最高|线性相关平均",
        "implied": "模拟隐含：全部不确定因素合在一起（{replications:,} 次）",
        "implied_columns": "口径|项目数|平均两两相关|有效项目数|若互不相关|仅按规模",
        "groups": "填报完成投资：各组内部",
        "groups_columns": "分组|项目数|平均两两相关|有效项目数|若互不相关|仅按规模",
        "common": "若所有项目两两相关系数相同（离散与年度计划成正比）",
        "common_columns": "相关系数|有效项目数|合计标准差（互不相关时为 1）",
        "definition": "有效项目数：同样多个规模相同、互不相关的项目，其合计的相对离散与本组合一样，"
        "即（各项目标准差之和）²÷合计的方差。平均两两相关以标准差之积加权。±后为一倍标准误差。"
        "模拟隐含的相关还包括天气、资金、审批排队和共同因素，故可高于或低于假定。",
        "uncorrelated": "（共同成分已关闭：假定的相关均为零）",
        "files": "已写入：{folder}",
        "duration": "工期", "cost": "投资", "drivers": "因素", "all": "全部",
        "type": "同类型", "programme": "同专项",
        "investor": "同资金类别", "none": "均不相同",
        "reported": "填报完成投资", "work_done": "形象进度投资", "paid": "支付",
        "final_cost": "最终总投资",
        "of_system": "体系", "of_type": "类型", "of_county": "县区", "of_investor": "投资主体",
        "of_stage": "阶段", "blank": "（空）",
        "government": "政府", "enterprise": "企业",
        "pre_work": "前期", "new": "新开工", "continuing": "续建", "completing": "竣工",
    },
    "en": {
        "assumed": "Assumed: pairwise correlations that are drawn with (projects of the target, "
        "not finished; drivers)",
        "assumed_columns": "pairs of|pairs|mean of normal scores|lowest|highest|"
        "mean linear",
        "implied": "Implied by simulation: all uncertainties together ({replications:,} "
        "replications)",
        "implied_columns": "measure|projects|mean pairwise|effective number|if independent|"
        "by size alone",
        "groups": "Reported: within groups",
        "groups_columns": "group|projects|mean pairwise|effective number|if independent|"
        "by size alone",
        "common": "Were all pairs correlated alike (spread in proportion to annual plans)",
        "common_columns": "correlation|effective number|sd of the total (1: independent)",
        "definition": "Effective number: so many equal independent projects have a total that "
        "spreads as much, relative to its size: (sum of the projects' standard deviations)^2 / "
        "variance of the total. The mean pairwise correlation is weighted with products of "
        "standard deviations. After ± stands one standard error. Weather, money, queues and "
        "shared drivers are in what simulation implies: it may lie above or below what is assumed.",
        "uncorrelated": "(dependence is off: all correlations assumed are nil)",
        "files": "Written: {folder}",
        "duration": "duration", "cost": "cost", "drivers": "drivers", "all": "all",
        "type": "one type",
        "programme": "one programme", "investor": "one funding class",
        "none": "nothing in common",
        "reported": "reported", "work_done": "work done", "paid": "paid",
        "final_cost": "final cost",
        "of_system": "system", "of_type": "type", "of_county": "county",
        "of_investor": "investor", "of_stage": "stage", "blank": "(blank)",
        "government": "government", "enterprise": "enterprise", "pre_work": "pre-work",
        "new": "new", "continuing": "continuing", "completing": "completing",
    },
}  # fmt: skip


def print_correlation(
    stored: StoredRun,
    assumed: Iterable[Mapping[str, Any]],
    common: Iterable[Mapping[str, Any]],
    console: Console,
    language: Language = "zh",
) -> None:
    """Print what is assumed, what a run implies, and what a common correlation would do.

    Parameters
    ----------
    stored : StoredRun
        The run.
    assumed, common : iterable of rows
        From `sim.runs.correlation_tables`.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    text = TEXT[language]
    rows = stored.table("correlation")
    names = {(row["dimension"], row["group"]): row["label"] for row in stored.table("groups")}
    _table(console, text, "assumed", (
        [
            f"{text[one['variable']]}  {text.get(one['relation'], one['relation'])}",
            f"{one['pairs']:,}",
            *(
                _number(one[f"{column}_correlation"], 3)
                for column in ("mean_score", "lowest_score", "highest_score", "mean_linear")
            ),
        ]
        for one in assumed
    ))  # fmt: skip
    if stored.manifest["resolved"]["uncertainties"]["dependence"]["state"] == "off":
        _say(console, text["uncorrelated"])
    title = text["implied"].format(replications=stored.manifest["replications"])
    whole = {row["measure"]: row for row in rows if row["dimension"] == "all"}
    _table(console, text, "implied", (
        [text[measure], *_cells(whole[measure])] for measure in _MEASURES
    ), title)  # fmt: skip
    _table(console, text, "groups", (
        [
            f"{text['of_' + row['dimension']]}  "
            + (names[row["dimension"], row["group"]] or _named(row, text)),
            *_cells(row),
        ]
        for dimension in _SHOWN
        for row in rows
        if row["dimension"] == dimension and row["measure"] == "reported"
    ))  # fmt: skip
    _table(console, text, "common", (
        [
            f"{one['correlation']:.2f}", _number(one["effective_projects"], 1),
            _number(one["sd_over_independent"], 2),
        ]
        for one in common
    ))  # fmt: skip
    _say(console, text["definition"])


def _named(row: Mapping[str, str], text: Mapping[str, str]) -> str:
    """Return the name of a group that the plan gives none: stages and investors are fixed words."""
    if row["dimension"] in ("stage", "investor"):
        return text[row["group"]]
    return row["group"] or text["blank"]


def _cells(row: Mapping[str, str]) -> list[str]:
    return [
        row["projects"],
        _with_error(row, "mean_correlation", 4),
        _with_error(row, "effective_projects", 1),
        _number(row["effective_if_independent"], 1),
        _number(row["effective_by_size"], 1),
    ]


def _with_error(row: Mapping[str, str], column: str, digits: int) -> str:
    value, width = row[column], row[f"{column}_se"]
    shown = _number(value, digits)
    return f"{shown} ± {_number(width, digits)}" if value and width else shown


def _number(value: Any, digits: int) -> str:
    """Write a number of a row, or what stands for none."""
    return "–" if value in (None, "") else f"{float(value):,.{digits}f}"


def _table(
    console: Console,
    text: Mapping[str, str],
    name: str,
    rows: Iterable[Sequence[str]],
    title: str | None = None,
) -> None:
    table = plain_table(title or text[name])
    for position, column in enumerate(text[f"{name}_columns"].split("|")):
        table.add_column(column, justify="right" if position else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _say(console: Console, line: str) -> None:
    console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)
