"""The year's fan: work done and reported, month by month, against plan and target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from sim.figures.amounts import Language, scale_for
from sim.figures.names import MONTHS
from sim.figures.style import (
    PAID,
    PLAN,
    REPORTED,
    SMALL_SAMPLE,
    TARGET,
    WORK_DONE,
    foot_note,
    headings,
    new_chart,
    nothing_is_random,
    odds,
    save,
    settings,
)
from sim.runs.folder import StoredRun

_TEXT = {
    "zh": {
        "title": "{year}年完成投资走势：年末填报中位数 {median} {unit}，目标 {target} {unit}",
        "subtitle": "深色带 P20–P80，浅色带 P5–P95；"
        "达标可能性：填报 {reported}，形象进度 {work_done}{interval}",
        "small": "只有 {count} 次模拟，太少：带状范围与可能性尚不可信",
        "interval": "（括号：95%抽样误差）",
        "reported": "填报完成投资（中位数与范围）",
        "work_done": "形象进度对应投资（中位数与范围）",
        "paid": "支付（中位数，含预付款）",
        "plan": "年度计划（按申报工期推算）",
        "target": "年度目标",
        "unit": "累计完成投资（{unit}）",
    },
    "en": {
        "title": "Investment completed in {year}: reported median {median}, "
        "target {target} ({unit})",
        "subtitle": "Dark band P20-P80, light P5-P95; "
        "target met: reported {reported}, work done {work_done}{interval}",
        "small": "Only {count} replications: too few for bands and odds to be relied on",
        "interval": " (95 % sampling error)",
        "reported": "Reported (median and range)",
        "work_done": "Work done (median and range)",
        "paid": "Paid (median, advances included)",
        "plan": "Annual plan (from filed dates)",
        "target": "Target",
        "unit": "Cumulative investment ({unit})",
    },
}

_LEAST_GAP = 0.055
"""Part of the chart's height that a number needs for itself."""


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """Move heights apart, upwards where need be, so that what stands there can be read."""
    heights = list(values)
    lowest = -math.inf
    for place in sorted(range(len(values)), key=lambda one: values[one]):
        heights[place] = lowest = max(values[place], lowest + gap)
    return heights


def draw_year_fan(stored: StoredRun, path: Path, language: Language = "zh") -> None:
    """Draw the chart of a stored run.

    Parameters
    ----------
    stored : StoredRun
        The run.
    path : Path
        PNG file to write.
    language : {"zh", "en"}
        Language of the labels.
    """
    import matplotlib

    text, summary = _TEXT[language], stored.summary
    year = stored.manifest["plan_year"]
    rows = [row for row in stored.table("months") if row["month"].startswith(f"{year}-")]
    reported, target = summary["year_end"]["reported"], summary["target_yuan"]
    scale = scale_for(max(target, reported["p95"]))
    unit, certain = scale.name(language), nothing_is_random(stored)
    small = summary["replications"] < SMALL_SAMPLE and not certain
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        ends = []
        for measure, colour in (("reported", REPORTED), ("work_done", WORK_DONE)):
            own = [row for row in rows if row["measure"] == measure]
            months = [0, *(int(row["month"][5:]) for row in own)]
            lines = {
                percent: [0.0, *(int(row[f"p{percent}_yuan"]) / scale.yuan for row in own)]
                for percent in (5, 20, 50, 80, 95)
            }
            axes.fill_between(months, lines[5], lines[95], color=colour, alpha=0.12, linewidth=0)
            axes.fill_between(months, lines[20], lines[80], color=colour, alpha=0.22, linewidth=0)
            axes.plot(months, lines[50], color=colour, linewidth=2.2, label=text[measure])
            ends.append((measure, lines[50][-1], colour))
        paid = [row for row in rows if row["measure"] == "paid"]
        axes.plot(
            [0, *(int(row["month"][5:]) for row in paid)],
            [0.0, *(int(row["p50_yuan"]) / scale.yuan for row in paid)],
            color=PAID,
            linewidth=1.8,
            label=text["paid"],
        )
        ends.append(("paid", int(paid[-1]["p50_yuan"]) / scale.yuan, PAID))
        plan = [row for row in rows if row["measure"] == "reported"]
        axes.plot(
            [0, *(int(row["month"][5:]) for row in plan)],
            [0.0, *(int(row["plan_yuan"]) / scale.yuan for row in plan)],
            color=PLAN,
            linewidth=1.5,
            linestyle=(0, (5, 3)),
            label=text["plan"],
        )
        # It ends with the year: what stands beyond are the ends of the other lines.
        axes.plot([0, 12], [target / scale.yuan] * 2, color=TARGET, linewidth=1.3)
        axes.annotate(
            f"{text['target']} {scale.show(target)}",
            (0.1, target / scale.yuan),
            xytext=(0, 5),
            textcoords="offset points",
            color=TARGET,
            fontsize=10,
        )
        axes.set_xlim(0, 12.75)
        axes.set_ylim(0)
        heights = _apart([end for _, end, _ in ends], _LEAST_GAP * axes.get_ylim()[1])
        for (measure, _, colour), height in zip(ends, heights, strict=True):
            # Medians by month are counted in cells; that of the year-end is known exactly.
            exact = scale.show(summary["year_end"][measure]["p50"])
            axes.text(
                12.07, height, exact, color=colour, fontsize=10, fontweight="bold", va="center"
            )
        axes.set_xticks(range(1, 13), MONTHS[language])
        axes.yaxis.set_major_formatter(lambda value, _: scale.show(value * scale.yuan))
        axes.set_ylabel(text["unit"].format(unit=unit))
        axes.legend(loc="lower right", frameon=False, bbox_to_anchor=(0.97, 0.02))
        headings(
            figure,
            text["title"].format(
                year=year, median=scale.show(reported["p50"]), target=scale.show(target), unit=unit
            ),
            text["small" if small else "subtitle"].format(
                count=summary["replications"],
                interval="" if certain else text["interval"],
                **{
                    measure: odds(summary["year_end"][measure]["probability_target_met"], certain)
                    for measure in ("reported", "work_done")
                },
            ),
            foot_note(stored, language),
        )
        save(figure, path)
