"""The distribution of the year's investment at 31 December, against the target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.figures.amounts import Language, scale_for
from sim.figures.style import (
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TEXT = {
    "zh": {
        "title": "{year}年末完成投资的分布：八成把握填报不低于 {p20} {unit}",
        "small": "{year}年末完成投资的分布：模拟次数太少，不足以谈把握",
        "certain": "{year}年末完成投资：不确定性全部关闭，各次模拟相同",
        "subtitle": "达到目标的可能性：填报口径 {reported}；形象进度口径 {work_done}"
        "{interval}；虚线为中位数",
        "interval": "（括号为95%抽样误差区间）",
        "net": "剔除造价增长：填报中位 {reported}，达标 {reported_met:.0%}；"
        "形象进度 {work_done}，{work_done_met:.0%}",
        "reported": "填报完成投资",
        "work_done": "形象进度对应投资",
        "target": "目标 {target}",
        "x": "12月31日累计完成投资（{unit}）",
        "y": "模拟次数",
    },
    "en": {
        "title": "By the end of {year}: 80 % sure that reported reaches {p20} ({unit})",
        "small": "Investment at the end of {year}: too few replications to speak of odds",
        "certain": "Investment at the end of {year}: every uncertainty off, no replication differs",
        "subtitle": "Target met: reported {reported}; work done {work_done}{interval}; "
        "dashed: medians",
        "interval": " (brackets: 95 % sampling error)",
        "net": "Net of cost growth: reported {reported}, met {reported_met:.0%}; "
        "work done {work_done}, {work_done_met:.0%}",
        "reported": "Reported",
        "work_done": "Work done",
        "target": "Target {target}",
        "x": "Cumulative investment at 31 December ({unit})",
        "y": "Replications",
    },
}

_ROOM = 0.16
"""Part of the chart's width that a note beside a line may need."""


def draw_year_end(stored: StoredRun, path: Path, language: Language = "zh") -> None:
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
    from matplotlib.ticker import MaxNLocator

    text, summary = _TEXT[language], stored.summary
    samples, found = stored.samples(), summary["year_end"]
    scale = scale_for(max(summary["target_yuan"], found["reported"]["p95"]))
    target = summary["target_yuan"] / scale.yuan
    values = {
        measure: (samples[f"{measure}_yuan"] / scale.yuan).to_numpy()
        for measure in ("work_done", "reported")
    }
    edges = _edges(np.concatenate([*values.values()]), target)
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        top = max(np.histogram(sample, edges)[0].max() for sample in values.values()) * 1.3
        axes.set_ylim(0, top)
        note = text["target"].format(target=scale.show(summary["target_yuan"]))
        marks = [_Mark(target, note, TARGET, "solid")]
        for measure, colour in (("work_done", WORK_DONE), ("reported", REPORTED)):
            sample, label = values[measure], text[measure]
            axes.hist(sample, edges, color=colour, alpha=0.18)
            axes.hist(sample, edges, color=colour, histtype="step", linewidth=1.8, label=label)
            middle = found[measure]["p50"]
            note = f"P50 {scale.show(middle)}"
            marks.append(_Mark(middle / scale.yuan, note, colour, (0, (4, 3))))
        _draw_marks(axes, marks, top)
        axes.set_xlabel(text["x"].format(unit=scale.name(language)))
        axes.set_ylabel(text["y"])
        axes.xaxis.set_major_formatter(lambda value, _: scale.show(value * scale.yuan))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.1
        )
        certain = nothing_is_random(stored)
        small = summary["replications"] < SMALL_SAMPLE
        headings(
            figure,
            text["certain" if certain else "small" if small else "title"].format(
                year=stored.manifest["plan_year"],
                p20=scale.show(found["reported"]["p20"]),
                unit=scale.name(language),
            ),
            text["subtitle"].format(
                interval="" if certain else text["interval"],
                **{
                    measure: odds(found[measure]["probability_target_met"], certain)
                    for measure in values
                },
            ),
            foot_note(stored, language),
        )
        if not certain and not small:
            net = {name: summary["net_of_growth"][name] for name in values}
            told = {name: scale.show(one["p50"]) for name, one in net.items()}
            met = {f"{k}_met": one["probability_target_met"]["value"] for k, one in net.items()}
            figure.text(
                0.03, 0.82, text["net"].format(**told, **met), fontsize=10.5, color="#4b5563",
                va="center",
            )  # fmt: skip
        save(figure, path)


class _Mark(NamedTuple):
    """An amount to be marked by a vertical line with a note."""

    value: float
    note: str
    colour: str
    line: Any


def _draw_marks(axes: Axes, marks: Sequence[_Mark], top: float) -> None:
    """Draw three lines so that no line runs through a note.

    The left one has its note on the left, the right one on the right; the note of the line between
    them stands on it, above the ends of the others.
    """
    low, high = axes.get_xlim()
    ordered = sorted(marks)
    room = _ROOM * (high - low)
    axes.set_xlim(min(low, ordered[0].value - room), max(high, ordered[-1].value + room))
    for mark, side in zip(ordered, (-1, 0, 1), strict=True):
        height = top * (0.87 if side else 0.92)
        axes.plot(
            [mark.value, mark.value], [0, height], color=mark.colour, linewidth=1.7,
            linestyle=mark.line,
        )  # fmt: skip
        axes.annotate(
            mark.note,
            (mark.value, height),
            xytext=(6 * side, 0 if side else 2),
            textcoords="offset points",
            color=mark.colour,
            fontsize=10.5,
            fontweight="bold",
            ha=("right", "center", "left")[side + 1],
            va="top" if side else "bottom",
        )


def _edges(sample: np.ndarray[tuple[int, ...], np.dtype[np.float64]], target: float) -> list[float]:
    """Return edges of equal bins, one of them the target: no bar lies on both sides of it."""
    low, high = min(sample.min(), target), max(sample.max(), target)
    width = max((high - low) / 24, abs(high) * 1e-4, 1e-9)
    first = int(np.floor((low - target) / width)) - 1
    last = int(np.ceil((high - target) / width)) + 1
    return [target + k * width for k in range(first, last + 1)]
