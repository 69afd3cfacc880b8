"""Where the days went: mean days by which each cause moved the finish of a project."""

from __future__ import annotations

from pathlib import Path

from sim.figures.amounts import Language
from sim.figures.names import cause_title
from sim.figures.style import (
    PAID,
    REPORTED,
    TEXT,
    WORK_DONE,
    foot_note,
    headings,
    new_chart,
    save,
    settings,
)
from sim.runs.folder import StoredRun

_TEXT = {
    "zh": {
        "title": "工期得失从何而来：平均每个项目比计划{kind} {days} 天",
        "subtitle": "已开工项目的平均；正数为耽误，负数为抢回；期末仍未完工的计到期末，为下限",
        "late": "晚",
        "early": "早",
        "none": "平均没有工期偏差：各项原因都是 0 天",
        "x": "平均天数",
        "before": "开工之前",
        "building": "施工之中",
        "calendar": "停工与天气",
        "rest": "其余原因",
    },
    "en": {
        "title": "Where the days went: {days} days {kind} than planned on average",
        "subtitle": "Mean of the projects that started; negative: won back; what is unfinished "
        "counts up to the horizon, a lower bound",
        "late": "later",
        "early": "earlier",
        "none": "No day lost or won on average, by any cause",
        "x": "Mean days",
        "before": "before the start",
        "building": "while building",
        "calendar": "stops and weather",
        "rest": "all other causes",
    },
}
_BEFORE = ("gate", "window", "predecessor", "slip", "no_start", "equity", "pulled_forward")
_COLOURS = {"before": REPORTED, "building": WORK_DONE, "calendar": PAID}
_SHOWN = 12


def draw_causes(stored: StoredRun, path: Path, language: Language = "zh") -> None:
    """Draw the chart of a stored run.

    Parameters
    ----------
    stored : StoredRun
        The run; some project has started in it.
    path : Path
        PNG file to write.
    language : {"zh", "en"}
        Language of the labels.
    """
    import matplotlib
    from matplotlib.patches import Patch

    text, titles = _TEXT[language], stored.manifest["cause_titles"]
    days = {
        row["cause"]: float(row["mean_days"])
        for row in stored.table("causes")
        if row["dimension"] == "all"
    }
    ordered = sorted(days, key=lambda cause: -abs(days[cause]))
    bars = [(cause_title(one, titles, language), days[one], _COLOURS[_kind(one)])
            for one in ordered[:_SHOWN]]  # fmt: skip
    rest = sum(days[one] for one in ordered[_SHOWN:])
    if ordered[_SHOWN:]:
        bars.append((text["rest"], rest, TEXT))
    late = sum(days.values())
    nothing = not any(round(value, 1) for _, value, _ in bars)
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        axes.set_position((0.27, 0.165, 0.70, 0.635))
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color="#e5e7eb", linewidth=0.8)
        places = list(range(len(bars)))
        axes.barh(
            places, [value for _, value, _ in bars], height=0.66,
            color=[colour for _, _, colour in bars],
        )  # fmt: skip
        for place, (_, value, _) in zip(places, bars, strict=True):
            axes.annotate(
                f"{value:+.1f}", (value, place), xytext=(4 if value >= 0 else -4, 0),
                textcoords="offset points", va="center", fontsize=9.5,
                ha="left" if value >= 0 else "right",
            )  # fmt: skip
        axes.axvline(0, color=TEXT, linewidth=0.8)
        axes.margins(x=0.1)
        if nothing:  # what is left of rounding has no scale
            axes.set_xlim(-1, 1)
        axes.set_yticks(places, [label for label, _, _ in bars])
        axes.invert_yaxis()
        axes.set_xlabel(text["x"])
        axes.legend(
            handles=[Patch(color=colour, label=text[kind]) for kind, colour in _COLOURS.items()],
            loc="lower right", frameon=False,
        )  # fmt: skip
        headings(
            figure,
            text["none" if nothing else "title"].format(
                days=f"{abs(late):.1f}", kind=text["late" if late >= 0 else "early"]
            ),
            text["subtitle"],
            foot_note(stored, language),
        )
        save(figure, path)


def _kind(cause: str) -> str:
    if cause.startswith("calendar_"):
        return "calendar"
    return "before" if cause in _BEFORE else "building"
