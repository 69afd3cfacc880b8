"""The year's fan: work done and reported, month by month, against plan and target."""

from __future__ import annotations

from pathlib import Path

from sim.figures.style import (
    PLAN,
    REPORTED,
    TARGET,
    WORK_DONE,
    YUAN_PER_YI,
    Language,
    headings,
    new_chart,
    save,
    settings,
)
from sim.runs.folder import StoredRun

_TEXT = {
    "zh": {
        "title": "{year}年完成投资走势：年末填报中位数 {median:,.0f} 亿元，目标 {target:,.0f} 亿元",
        "subtitle": "深色带为 P20–P80，浅色带为 P5–P95（{count:,} 次模拟的结果范围）；"
        "填报达到目标的可能性约 {probability:.0%}",
        "reported": "填报完成投资",
        "work_done": "形象进度对应投资",
        "plan": "年度计划（按填报工期推算）",
        "target": "年度目标",
        "unit": "累计完成投资（亿元）",
        "month": "{}月",
        "foot": "情景：{scenario}　种子 {seed}　引擎 {engine}　指纹 {mark}",
        "synthetic": "　{count:,} 个项目中 {synthetic:,} 个为合成",
    },
    "en": {
        "title": "Investment completed in {year}: reported median {median:,.0f}, "
        "target {target:,.0f} (100m yuan)",
        "subtitle": "Dark band P20-P80, light band P5-P95 (range of outcomes of {count:,} "
        "replications); reported reaches the target with probability about {probability:.0%}",
        "reported": "Reported",
        "work_done": "Work done",
        "plan": "Annual plan (from filed dates)",
        "target": "Target",
        "unit": "Cumulative investment (100m yuan)",
        "month": "{}",
        "foot": "Scenario {scenario}   seed {seed}   engine {engine}   fingerprint {mark}",
        "synthetic": "   {synthetic:,} of {count:,} projects are synthetic",
    },
}
_MONTHS_EN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


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
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        for measure, colour in (("work_done", WORK_DONE), ("reported", REPORTED)):
            own = [row for row in rows if row["measure"] == measure]
            months = [0, *(int(row["month"][5:]) for row in own)]
            lines = {
                percent: [0.0, *(int(row[f"p{percent}_yuan"]) / YUAN_PER_YI for row in own)]
                for percent in (5, 20, 50, 80, 95)
            }
            axes.fill_between(months, lines[5], lines[95], color=colour, alpha=0.13, linewidth=0)
            axes.fill_between(months, lines[20], lines[80], color=colour, alpha=0.25, linewidth=0)
            axes.plot(months, lines[50], color=colour, linewidth=2.2, label=text[measure])
            axes.annotate(
                f"{lines[50][-1]:,.0f}",
                (months[-1], lines[50][-1]),
                xytext=(6, 6 if measure == "reported" else -6),
                textcoords="offset points",
                color=colour,
                fontsize=10,
                fontweight="bold",
                va="center",
            )
        plan = [row for row in rows if row["measure"] == "reported"]
        axes.plot(
            [0, *(int(row["month"][5:]) for row in plan)],
            [0.0, *(int(row["plan_yuan"]) / YUAN_PER_YI for row in plan)],
            color=PLAN,
            linewidth=1.5,
            linestyle=(0, (5, 3)),
            label=text["plan"],
        )
        target = summary["target_yuan"] / YUAN_PER_YI
        axes.axhline(target, color=TARGET, linewidth=1.3)
        axes.annotate(
            f"{text['target']} {target:,.0f}",
            (0.1, target),
            xytext=(0, 5),
            textcoords="offset points",
            color=TARGET,
            fontsize=10,
        )
        axes.set_xlim(0, 12.75)
        axes.set_ylim(0)
        labels = _MONTHS_EN if language == "en" else [f"{month}月" for month in range(1, 13)]
        axes.set_xticks(range(1, 13), labels)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_ylabel(text["unit"])
        axes.legend(loc="lower right", frameon=False, bbox_to_anchor=(0.97, 0.02))
        reported = summary["year_end"]["reported"]
        foot = text["foot"].format(
            scenario=summary["title"],
            seed=summary["seed"],
            engine=summary["engine"],
            mark=stored.manifest["fingerprint"],
        )
        if summary["projects"]["synthetic"]:
            foot += text["synthetic"].format(**summary["projects"])
        headings(
            figure,
            text["title"].format(year=year, median=reported["p50"] / YUAN_PER_YI, target=target),
            text["subtitle"].format(
                count=summary["replications"],
                probability=reported["probability_target_met"]["value"],
            ),
            foot,
        )
        save(figure, path)
