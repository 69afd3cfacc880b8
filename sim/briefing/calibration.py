"""What a calibration found, on a terminal, in two languages; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.analysis.calibration import (
    CLASS_SPREADS,
    Posterior,
    effective_size,
    marginals,
    remaining_gaps,
)
from sim.analysis.calibration_tables import parameter_titles, told_apart
from sim.analysis.predictive import Coverage, Predictive
from sim.briefing.tables import plain_table
from sim.figures.amounts import Language
from sim.runs.class_totals import CLASS_COLUMNS, ClassRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_FEW = 400
"""Effective points below which what is found moves from seed to seed."""
_NOT_SIMULATED = ("publication_bias", "place_sd", "list_sd", "start_bias")
_TRIAL = 4_096
"""Replications of the ensemble below which a calibration is a trial."""
_SILENT = 0.15
"""Share of the prior's variance below which the evidence says next to nothing."""

TEXT: dict[str, dict[str, object]] = {
    "zh": {
        "title": "自由参数：先验与后验（{rows} 个地方年度、{places} 个地方）",
        "columns": ("参数", "先验", "加参照类", "后验（均值±标准差）", "P5", "P95",
                    "消除的方差"),
        "publication_bias": "发布偏差（对数）",
        "place_sd": "地方之间的离散（对数标准差）",
        "list_sd": "清单自身的离散（对数标准差）",
        "start_bias": "公布开工率的地方少缺的开工",
        "silent": "证据几乎没有说明：{names}。这些参数的后验基本就是先验。",
        "apart": "证据分不开：{pairs}。已公布的比例只说明它们合起来是多少。",
        "pair": "{one}与{other}（相关 {value:+.2f}）",
        "months": "各月末完成年度计划的比例：P10 / P50 / P90",
        "month_columns": ("月份", "会公布的地方", "任一地方（去掉发布偏差）"),
        "coverage": "公布的比例落入 80% 区间的比率（每个省由其他省的证据预测）",
        "coverage_columns": ("口径", "地方", "比例数", "落入", "95% 区间"),
        "means": "区间是结果的范围，不是误差；后验只用参照类、公布的完成比例和开工率，"
        "没有参数为凑出目标而调整。"
        "有效参数点 {size:,.0f}（共 {all:,}）。",
        "few": "有效参数点太少，以上各数主要是抽样误差。",
        "trial": "共 {count:,} 次模拟，只是试算（至少 {least:,} 次）：以上各数主要是抽样误差，"
        "加大 --designs 与 -n。",
        "classes": "现有情景各类型合计（审批、资金、季节、风险都在内）与参照类：参照 / 模拟",
        "class_columns": ("类型", "工期中位数", "工期 P80", "投资中位数", "投资 P80",
                          "开工迟于一个月", "当年未开工"),
        "files": "已写入：{folder}",
        "gaps": "与参照类尚有的差距（后验；工期、投资为对数，其余为占比）",
        "gap_columns": ("项目", "差距（均值±标准差）", "参照类准到"),
        "gap_names": ("工期中位数", "工期 P80", "投资中位数", "投资 P80", "开工迟于一个月",
                      "当年未开工", "项目之间的离散"),
        "scopes": {"first_quarter": "一季度（未用于学习）", "later": "以后年度（未用于学习）",
                   "all": "全部", "new": "新开工", "continuing": "续建", "completing": "竣工",
                   "starts": "开工率", "kinds": "分类工程与整张清单之比",
                   "kinds_later": "分类工程与整张清单之比（未用于学习）"},
    },
    "en": {
        "title": "Free parameters before and after the evidence ({rows} place-years of {places} "
        "places)",
        "columns": ("parameter", "before", "classes heard", "after: mean ± sd", "P5", "P95",
                    "variance gone"),
        "publication_bias": "publication bias (log)",
        "place_sd": "spread of places (log sd)",
        "list_sd": "spread of lists (log sd)",
        "start_bias": "missing starts that publishers lack less",
        "silent": "The evidence says next to nothing of: {names}. What is believed of them is what "
        "was believed before.",
        "apart": "The evidence cannot tell apart: {pairs}. Published shares know their sum only.",
        "pair": "{one} and {other} (correlation {value:+.2f})",
        "months": "Share of the annual plan by month-end: P10 / P50 / P90",
        "month_columns": ("month", "a place that publishes", "any place (publication bias off)"),
        "coverage": "How often published shares lie in the band of 80 % (each province forecast "
        "from all others)",
        "coverage_columns": ("scope", "places", "shares", "inside", "95 % interval"),
        "means": "Bands are ranges of outcomes, not errors. Only reference classes, published "
        "shares and start ratios are learned from; nothing is tuned to a target. Effective points "
        "{size:,.0f} of {all:,}.",
        "few": "So few effective points make noise of most of this.",
        "trial": "{count:,} replications are a trial ({least:,} at least): most of this is noise. "
        "Raise --designs and -n.",
        "classes": "The scenario as it stands, approvals, money, seasons and risks inside: "
        "reference class / simulated",
        "class_columns": ("type", "duration: median", "P80", "cost: median", "P80",
                          "starts late by a month", "not in the year"),
        "files": "Written: {folder}",
        "gaps": "How far from the classes the posterior still lies (durations and costs: "
        "logarithms; else shares)",
        "gap_columns": ("number", "gap: mean ± sd", "known to"),
        "gap_names": ("duration: median", "duration: P80", "cost: median", "cost: P80",
                      "starts late by a month", "not in the year", "projects apart"),
        "scopes": {"first_quarter": "first quarter (not learned from)",
                   "later": "later years (not learned from)", "all": "all",
                   "new": "new", "continuing": "continuing", "completing": "completing",
                   "starts": "starts", "kinds": "kinds of works over their list",
                   "kinds_later": "kinds of works (not learned from)"},
    },
}  # fmt: skip


def print_calibration(
    found: Posterior,
    rows: int,
    places: int,
    replications: int,
    classes: Sequence[ClassRow],
    types: Mapping[str, str],
    bands: Sequence[tuple[int, Predictive, Predictive]],
    covered: Sequence[Coverage],
    console: Console,
    language: Language = "zh",
) -> None:
    """Print parameters, what cannot be told apart, month-end bands and their coverage.

    Parameters
    ----------
    found : Posterior
        The posterior.
    rows, places : int
        Rows of evidence that were learned from, and their places.
    replications : int
        Of the ensemble, all designs together.
    classes : sequence of ClassRow
        The scenario as it stands beside its reference classes.
    types : mapping of str to str
        Readable names of types, in Chinese.
    bands : sequence of (month, Predictive, Predictive)
        With and without publication bias.
    covered : sequence of Coverage
        By scope.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    text = TEXT[language]
    names = {name: text[name] for name in _NOT_SIMULATED} | dict(parameter_titles(language))
    beliefs = marginals(found)
    table = plain_table(str(text["title"]).format(rows=rows, places=places))
    _columns(table, text["columns"])
    for one in beliefs:
        table.add_row(
            str(names[one.name]), f"{one.prior_mean:.3f} ± {one.prior_sd:.3f}",
            f"{one.class_mean:.3f} ± {one.class_sd:.3f}", f"{one.mean:.3f} ± {one.sd:.3f}",
            f"{one.p5:.3f}", f"{one.p95:.3f}", f"{max(one.told, 0):.0%}",
        )  # fmt: skip
    console.print(table)
    between = "、" if language == "zh" else "; "
    silent = [str(names[one.name]) for one in beliefs if one.told < _SILENT]
    if silent:
        _say(console, str(text["silent"]).format(names=between.join(silent)))
    pairs = [
        str(text["pair"]).format(one=names[one], other=names[other], value=value)
        for one, other, value in told_apart(found)
    ]
    if pairs:
        _say(console, str(text["apart"]).format(pairs=between.join(pairs)))
    console.print(_gaps(found, text))
    console.print(_classes(classes, text, types if language == "zh" else {}))
    console.print(_months(bands, text))
    console.print(_coverage(covered, text))
    means = str(text["means"]).format(size=effective_size(found), all=len(found.values))
    _say(console, means, style="dim")
    if effective_size(found) < _FEW:
        _say(console, str(text["few"]), style="bold")
    if replications < _TRIAL:
        _say(console, str(text["trial"]).format(count=replications, least=_TRIAL), style="bold")


def _say(console: Console, line: str, style: str | None = None) -> None:
    console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def _columns(table: Table, names: object) -> None:
    assert isinstance(names, tuple)
    for position, name in enumerate(names):
        table.add_column(name, justify="right" if position else "left")


def _gaps(found: Posterior, text: Mapping[str, object]) -> Table:
    table, names = plain_table(str(text["gaps"])), text["gap_names"]
    _columns(table, text["gap_columns"])
    assert isinstance(names, tuple)
    for name, spread, (mean, sd) in zip(names, CLASS_SPREADS, remaining_gaps(found), strict=True):
        table.add_row(name, f"{mean:+.3f} ± {sd:.3f}", f"{spread:.2f}")
    return table


def _classes(
    rows: Sequence[ClassRow], text: Mapping[str, object], titles: Mapping[str, str]
) -> Table:
    table = plain_table(str(text["classes"]))
    _columns(table, text["class_columns"])
    for kind in dict.fromkeys(one.type for one in rows):
        mine = {(one.quantity, one.statistic): one for one in rows if one.type == kind}
        shown = (mine.get(column) for column in CLASS_COLUMNS)
        cells = (f"{one.reference:.2f} / {one.simulated:.2f}" if one else "" for one in shown)
        table.add_row(titles.get(kind, kind), *cells)
    return table


def _months(
    bands: Sequence[tuple[int, Predictive, Predictive]], text: Mapping[str, object]
) -> Table:
    table = plain_table(str(text["months"]))
    _columns(table, text["month_columns"])
    for month, *both in bands:
        cells = [
            " / ".join(f"{band.percentile(at):.1%}" for at in (0.1, 0.5, 0.9)) for band in both
        ]
        table.add_row(str(month), *cells)
    return table


def _coverage(covered: Sequence[Coverage], text: Mapping[str, object]) -> Table:
    table = plain_table(str(text["coverage"]))
    _columns(table, text["coverage_columns"])
    scopes = text["scopes"]
    assert isinstance(scopes, dict)
    for one in covered:
        table.add_row(
            scopes.get(one.scope, one.scope), str(one.places), str(one.shares),
            f"{one.inside:.0%}", f"{one.low:.0%} – {one.high:.0%}",
        )  # fmt: skip
    return table
