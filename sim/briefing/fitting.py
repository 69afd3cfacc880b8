"""What fitting to own records gives, on a terminal, in two languages; computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.analysis.families import ahead
from sim.analysis.fit_tables import Fitted
from sim.analysis.fitting import percentile
from sim.briefing.tables import plain_table
from sim.figures.amounts import Language

if TYPE_CHECKING:
    from rich.console import Console

CLEARLY = 10.0
"""Difference of AICc from which another family describes records clearly better."""

TEXT = {
    "zh": {
        "title": "自有记录与参照类（实际/计划之比；参照类按 {prior:g} 条记录计）",
        "type": "类型",
        "measure": "指标",
        "duration": "工期",
        "cost": "投资",
        "records": "完成+在建",
        "weight": "自有权重",
        "own": "自有 P50 / P80",
        "reference": "参照 P50 / P80",
        "written": "写入 P50 / P80",
        "tail": "尾部（比例，起点）",
        "kept": "保留原样",
        "family": "“{type}”的{measure}：{family} 明显优于对数正态（AICc 相差 {ahead:.1f}）；"
        "写入的仍是带尾部的对数正态，如要改用，见 fit.csv 的 distribution 列。",
        "moved": "“{type}”的{measure}：落在参照类尾部起点之外的记录过多，已不算罕见，"
        "尾部起点外移至 {start:.2f}。",
        "beyond": "“{type}”的{measure}：写入的中位数超出所有记录，是由在建项目外推得来，慎用。",
        "edge": "“{type}”的{measure}：离散程度超出搜索范围，对数正态不能描述这些记录，"
        "写入的数不要用。",
        "approximated": "“{type}”的{measure}：原分布“{given}”不是对数正态，"
        "参照类取同中位数、同 P80 的对数正态。",
        "means": "P50、P80 是结果的百分位，不是误差范围。"
        "“在建”项目只作下限（右删失），不当作已完成。"
        "记录里含审批、资金、季节、风险的影响，与参照类口径相同，"
        "plan.toml 的 [deflation] 照旧保留。",
        "files": "已写入：{folder}（types.csv、fit.csv）",
    },
    "en": {
        "title": "Own records and reference classes (actual over planned; a reference counts as "
        "so many records: {prior:g})",
        "type": "type",
        "measure": "measure",
        "duration": "duration",
        "cost": "cost",
        "records": "finished+running",
        "weight": "own weight",
        "own": "own P50 / P80",
        "reference": "reference P50 / P80",
        "written": "written P50 / P80",
        "tail": "tail (share, from)",
        "kept": "stays as it is",
        "family": "{measure} of '{type}': {family} is clearly better than the lognormal (AICc "
        "{ahead:.1f} lower); written is the lognormal with its tail all the same; to use the "
        "other, see column distribution of fit.csv.",
        "moved": "{measure} of '{type}': too much lies beyond the beginning of the reference's "
        "tail for a rare tail; it was moved out to {start:.2f}.",
        "beyond": "{measure} of '{type}': the median written lies beyond every record: it is "
        "extrapolated from running projects; use it with care.",
        "edge": "{measure} of '{type}': the spread leaves the range searched: no lognormal "
        "describes these records; do not use what is written.",
        "approximated": "{measure} of '{type}': '{given}' is no lognormal; the reference is the "
        "lognormal of the same median and P80.",
        "means": "P50 and P80 are percentiles of outcomes, not error bounds. Running projects "
        "count as lower bounds (right-censored), never as finished. Records hold what approvals, "
        "money, seasons and risks did, as the reference classes do: keep [deflation] of plan.toml.",
        "files": "Written: {folder} (types.csv, fit.csv)",
    },
}


def print_fit(
    fitted: Sequence[Fitted], prior: float, console: Console, language: Language = "zh"
) -> None:
    """Print records, weights, and P50 and P80 of own, reference and written distributions.

    Parameters
    ----------
    fitted : sequence of Fitted
        One a row.
    prior : float
        How many records a reference counts as.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    text = TEXT[language]
    table = plain_table(text["title"].format(prior=prior))
    for column in ("type", "measure"):
        table.add_column(text[column])
    for column in ("records", "weight", "own", "reference", "written", "tail"):
        table.add_column(text[column], justify="right")
    for one in fitted:
        table.add_row(*_cells(one, text))
    console.print(table)
    for one in fitted:
        for line in _notes(one, text):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(text["means"], style="dim", highlight=False, markup=False, soft_wrap=True)


def _cells(one: Fitted, text: dict[str, str]) -> list[str]:
    group = one.group
    own = one.candidates[0].law if one.candidates else None
    cells = [
        group.type,
        text[group.measure],
        f"{len(group.finished)}+{len(group.running)}",
        "–" if one.written is None else f"{one.written.weight:.0%}",
    ]
    written = None if one.written is None else one.written.law
    for law in (own, group.reference, written):
        cells.append(
            "–" if law is None else f"{percentile(law, 0.5):.2f} / {percentile(law, 0.8):.2f}"
        )
    if one.written is None:
        cells[-1] = text["kept"]
        return [*cells, "–"]
    tail, start = one.written.law.parameters[2:4]
    return [*cells, f"{tail:.1%}, {start:.2f}" if tail else "–"]


def _notes(one: Fitted, text: dict[str, str]) -> list[str]:
    """Say what a reader must know before using a row."""
    about = {"type": one.group.type, "measure": text[one.group.measure]}
    notes = []
    if one.group.approximated:
        notes.append(text["approximated"].format(given=one.group.given, **about))
    if one.written is None:
        return notes
    if one.written.at_edge:
        notes.append(text["edge"].format(**about))
    recorded = [*one.group.finished, *one.group.running]
    reference = one.group.reference
    beyond = percentile(one.written.law, 0.5) > max(recorded)
    if beyond and (reference is None or percentile(reference, 0.5) <= max(recorded)):
        notes.append(text["beyond"].format(**about))
    if one.written.moved:
        notes.append(text["moved"].format(start=one.written.law.parameters[3], **about))
    better = ahead(one.candidates)
    if better is not None and better >= CLEARLY:
        best = min(one.candidates, key=lambda found: found.aic)
        notes.append(text["family"].format(family=best.law.name, ahead=better, **about))
    return notes
