"""The distribution of the year's investment at 31 December, against the target."""

from __future__ import annotations

from pathlib import Path

from sim.figures.style import (
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
        "title": "{year}年末完成投资的分布：八成把握填报不低于 {p20:,.0f} 亿元",
        "subtitle": "达到目标的可能性：填报口径 {reported}；形象进度口径 {work_done}"
        "（括号内为95%抽样误差区间）",
        "reported": "填报完成投资",
        "work_done": "形象进度对应投资",
        "target": "目标 {target:,.0f}",
        "x": "12月31日累计完成投资（亿元）",
        "y": "模拟次数",
        "foot": "情景：{scenario}　{count:,} 次模拟　种子 {seed}　引擎 {engine}　指纹 {mark}　"
        "虚线为各口径中位数",
    },
    "en": {
        "title": "By the end of {year}: 80 % sure that reported reaches {p20:,.0f} (100m yuan)",
        "subtitle": "Probability of meeting the target: reported {reported}; work done {work_done} "
        "(in brackets: 95 % interval of the sampling error)",
        "reported": "Reported",
        "work_done": "Work done",
        "target": "Target {target:,.0f}",
        "x": "Cumulative investment at 31 December (100m yuan)",
        "y": "Replications",
        "foot": "Scenario {scenario}   {count:,} replications   seed {seed}   engine {engine}   "
        "fingerprint {mark}   dashed: medians",
    },
}


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
    samples = stored.samples()
    values = {
        measure: (samples[f"{measure}_yuan"] / YUAN_PER_YI).to_numpy()
        for measure in ("work_done", "reported")
    }
    target = summary["target_yuan"] / YUAN_PER_YI
    low = min(target, *(sample.min() for sample in values.values()))
    high = max(target, *(sample.max() for sample in values.values()))
    margin = max((high - low) * 0.05, abs(high) * 0.001, 1e-9)
    bins = max(12, min(60, round(2 * summary["replications"] ** (1 / 3)) * 2))
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        for measure, colour in (("work_done", WORK_DONE), ("reported", REPORTED)):
            axes.hist(
                values[measure],
                bins=bins,
                range=(low - margin, high + margin),
                color=colour,
                alpha=0.42,
                label=text[measure],
            )
            middle = summary["year_end"][measure]["p50"] / YUAN_PER_YI
            axes.axvline(middle, color=colour, linewidth=1.6, linestyle=(0, (4, 3)))
        axes.axvline(target, color=TARGET, linewidth=1.8)
        top = axes.get_ylim()[1] * 1.18
        axes.set_ylim(0, top)
        axes.annotate(
            text["target"].format(target=target),
            (target, top * 0.96),
            xytext=(-6, 0),
            textcoords="offset points",
            color=TARGET,
            fontsize=10.5,
            fontweight="bold",
            ha="right",
            va="top",
        )
        for measure, colour, height, side in (
            ("work_done", WORK_DONE, 0.87, "right"),
            ("reported", REPORTED, 0.96, "left"),
        ):
            middle = summary["year_end"][measure]["p50"] / YUAN_PER_YI
            axes.annotate(
                f"P50 {middle:,.0f}",
                (middle, top * height),
                xytext=(-6 if side == "right" else 6, 0),
                textcoords="offset points",
                color=colour,
                fontsize=10,
                ha=side,
                va="top",
            )
        axes.set_xlabel(text["x"])
        axes.set_ylabel(text["y"])
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper right", frameon=False)
        met = {
            measure: _probability(summary["year_end"][measure]["probability_target_met"])
            for measure in values
        }
        headings(
            figure,
            text["title"].format(
                year=stored.manifest["plan_year"],
                p20=summary["year_end"]["reported"]["p20"] / YUAN_PER_YI,
            ),
            text["subtitle"].format(**met),
            text["foot"].format(
                scenario=summary["title"],
                count=summary["replications"],
                seed=summary["seed"],
                engine=summary["engine"],
                mark=stored.manifest["fingerprint"],
            ),
        )
        save(figure, path)


def _probability(one: dict[str, float]) -> str:
    return f"{one['value']:.0%} [{one['low']:.0%}, {one['high']:.0%}]"
