"""The year's fan: work done and reported, month by month, against plan and target."""

from __future__ import annotations

from pathlib import Path

from sim.figures.amounts import Language, scale_for
from sim.figures.names import MONTHS
from sim.figures.style import (
    PAID,
    PLAN,
    REPORTED,
    TARGET,
    WORK_DONE,
    foot_note,
    headings,
    new_chart,
    odds,
    save,
    settings,
)
from sim.runs.folder import StoredRun

_TEXT = {
    "zh": {
        "title": "{year}年完成投资走势：年末填报中位数 {median} {unit}，目标 {target} {unit}",
        "subtitle": "深色带为 P20–P80，浅色带为 P5–P95（模拟结果的范围）；"
        "填报达到目标的可能性 {odds}（括号为95%抽样误差区间）",
        "reported": "填报完成投资（中位数与范围）",
        "work_done": "形象进度对应投资（中位数与范围）",
        "paid": "支付（中位数）",
        "plan": "年度计划（按申报工期推算）",
        "target": "年度目标",
        "unit": "累计完成投资（{unit}）",
    },
    "en": {
        "title": "Investment completed in {year}: reported median {median}, "
        "target {target} ({unit})",
        "subtitle": "Dark band P20-P80, light band P5-P95 (range of outcomes); "
        "reported reaches the target: {odds} (95 % interval of the sampling error)",
        "reported": "Reported (median and range)",
        "work_done": "Work done (median and range)",
        "paid": "Paid (median)",
        "plan": "Annual plan (from filed dates)",
        "target": "Target",
        "unit": "Cumulative investment ({unit})",
    },
}


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
    unit = scale.name(language)
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        for measure, colour in (("work_done", WORK_DONE), ("reported", REPORTED)):
            own = [row for row in rows if row["measure"] == measure]
            months = [0, *(int(row["month"][5:]) for row in own)]
            lines = {
                percent: [0.0, *(int(row[f"p{percent}_yuan"]) / scale.yuan for row in own)]
                for percent in (5, 20, 50, 80, 95)
            }
            axes.fill_between(months, lines[5], lines[95], color=colour, alpha=0.12, linewidth=0)
            axes.fill_between(months, lines[20], lines[80], color=colour, alpha=0.22, linewidth=0)
            axes.plot(months, lines[50], color=colour, linewidth=2.2, label=text[measure])
            axes.annotate(
                scale.show(lines[50][-1] * scale.yuan),
                (months[-1], lines[50][-1]),
                xytext=(6, 6 if measure == "reported" else -6),
                textcoords="offset points",
                color=colour,
                fontsize=10,
                fontweight="bold",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )
        paid = [row for row in rows if row["measure"] == "paid"]
        axes.plot(
            [0, *(int(row["month"][5:]) for row in paid)],
            [0.0, *(int(row["p50_yuan"]) / scale.yuan for row in paid)],
            color=PAID,
            linewidth=1.8,
            label=text["paid"],
        )
        axes.annotate(
            scale.show(int(paid[-1]["p50_yuan"])),
            (int(paid[-1]["month"][5:]), int(paid[-1]["p50_yuan"]) / scale.yuan),
            xytext=(6, 0),
            textcoords="offset points",
            color=PAID,
            fontsize=10,
            fontweight="bold",
            va="center",
        )
        plan = [row for row in rows if row["measure"] == "reported"]
        axes.plot(
            [0, *(int(row["month"][5:]) for row in plan)],
            [0.0, *(int(row["plan_yuan"]) / scale.yuan for row in plan)],
            color=PLAN,
            linewidth=1.5,
            linestyle=(0, (5, 3)),
            label=text["plan"],
        )
        axes.axhline(target / scale.yuan, color=TARGET, linewidth=1.3)
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
        axes.set_xticks(range(1, 13), MONTHS[language])
        axes.yaxis.set_major_formatter(lambda value, _: scale.show(value * scale.yuan))
        axes.set_ylabel(text["unit"].format(unit=unit))
        axes.legend(loc="lower right", frameon=False, bbox_to_anchor=(0.97, 0.02))
        headings(
            figure,
            text["title"].format(
                year=year, median=scale.show(reported["p50"]), target=scale.show(target), unit=unit
            ),
            text["subtitle"].format(odds=odds(reported["probability_target_met"])),
            foot_note(stored, language),
        )
        save(figure, path)
