"""What a calibration found, on a terminal, in two languages; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.analysis.calibration import Posterior, effective_size, marginals
from sim.analysis.calibration_tables import told_apart
from sim.analysis.predictive import Coverage, Predictive
from sim.briefing.terminal import plain_table
from sim.figures.amounts import Language
from sim.runs.ensemble import PARAMETERS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_FEW = 400
"""Effective replications below which what is found moves from seed to seed."""
_SILENT = 0.15
"""Share of the prior's variance below which the evidence says next to nothing."""

TEXT: dict[str, dict[str, object]] = {
    "zh": {
        "title": "自由参数：先验与后验（{rows} 个地方年度、{places} 个地方）",
        "columns": ("参数", "先验均值±标准差", "后验均值±标准差", "P5", "P50", "P95",
                    "证据消除的方差"),
        "publication_bias": "发布偏差（对数）",
        "place_sd": "地方之间的离散（对数标准差）",
        "list_sd": "清单自身的离散（对数标准差）",
        "silent": "证据几乎没有说明：{names}。这些参数的后验基本就是先验。",
        "apart": "证据分不开：{pairs}。已公布的比例只说明它们合起来是多少。",
        "pair": "{one}与{other}（相关 {value:+.2f}）",
        "months": "各月末完成年度计划的比例：P10 / P50 / P90",
        "month_columns": ("月份", "会公布的地方", "任一地方（去掉发布偏差）"),
        "coverage": "公布的比例落入 80% 区间的比率（每个地方由其他地方的证据预测）",
        "coverage_columns": ("口径", "地方", "比例数", "落入", "95% 区间"),
        "means": "区间是结果的范围，不是误差；后验只用公布的完成比例和开工率，"
        "没有参数为凑出目标而调整。"
        "有效模拟次数 {size:,.0f}（共 {all:,}）。",
        "few": "有效模拟次数太少，以上各数主要是抽样误差：加大 --designs 与 -n。",
        "files": "已写入：{folder}",
        "scopes": {"all": "全部", "new": "新开工", "continuing": "续建", "completing": "竣工",
                   "starts": "开工率"},
    },
    "en": {
        "title": "Free parameters before and after the evidence ({rows} place-years of {places} "
        "places)",
        "columns": ("parameter", "before: mean ± sd", "after: mean ± sd", "P5", "P50", "P95",
                    "variance taken away"),
        "publication_bias": "publication bias (log)",
        "place_sd": "spread of places (log sd)",
        "list_sd": "spread of lists (log sd)",
        "silent": "The evidence says next to nothing of: {names}. What is believed of them is what "
        "was believed before.",
        "apart": "The evidence cannot tell apart: {pairs}. Published shares know their sum only.",
        "pair": "{one} and {other} (correlation {value:+.2f})",
        "months": "Share of the annual plan by month-end: P10 / P50 / P90",
        "month_columns": ("month", "a place that publishes", "any place (publication bias off)"),
        "coverage": "How often published shares lie in the band of 80 % (each place forecast from "
        "all others)",
        "coverage_columns": ("scope", "places", "shares", "inside", "95 % interval"),
        "means": "Bands are ranges of outcomes, not errors. Only published shares and start ratios "
        "are learned from; nothing is tuned to a target. Effective replications {size:,.0f} of "
        "{all:,}.",
        "few": "So few effective replications make noise of most of this: raise --designs and -n.",
        "files": "Written: {folder}",
        "scopes": {"all": "all", "new": "new", "continuing": "continuing",
                   "completing": "completing", "starts": "starts"},
    },
}  # fmt: skip


def print_calibration(
    found: Posterior,
    rows: int,
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
    rows : int
        Rows of evidence.
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
    titles = {one.name: one.title if language == "zh" else one.title_en for one in PARAMETERS}
    names = {name: text[name] for name in ("publication_bias", "place_sd", "list_sd")} | titles
    beliefs = marginals(found)
    table = plain_table(str(text["title"]).format(rows=rows, places=len(found.terms)))
    _columns(table, text["columns"])
    for one in beliefs:
        table.add_row(
            str(names[one.name]), f"{one.prior_mean:.3f} ± {one.prior_sd:.3f}",
            f"{one.mean:.3f} ± {one.sd:.3f}", f"{one.p5:.3f}", f"{one.p50:.3f}", f"{one.p95:.3f}",
            f"{max(one.told, 0):.0%}",
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
    console.print(_months(bands, text))
    console.print(_coverage(covered, text))
    means = str(text["means"]).format(size=effective_size(found), all=len(found.values))
    _say(console, means, style="dim")
    if effective_size(found) < _FEW:
        _say(console, str(text["few"]), style="bold")


def _say(console: Console, line: str, style: str | None = None) -> None:
    console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def _columns(table: Table, names: object) -> None:
    assert isinstance(names, tuple)
    for position, name in enumerate(names):
        table.add_column(name, justify="right" if position else "left")


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
