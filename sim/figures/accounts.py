"""Where the money is short: arrears by the class of money that lacks, month by month."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from sim.figures.amounts import Language, scale_for
from sim.figures.names import CLASSES, MONTHS
from sim.figures.style import foot_note, headings, new_chart, save, settings
from sim.runs.folder import StoredRun

_TEXT = {
    "zh": {
        "title": "{year}年各月末欠款：{month}最多，平均 {most} {unit}，主要缺在{largest}",
        "nothing": "{year}年各账户均能按期足额支付",
        "subtitle": "到期未付款，按所缺资金的类别，各次模拟的平均数；"
        "年末合计 P50 {p50} {unit}（P10–P90：{p10}–{p90}）",
        "waits": "等资本金到位的贷款、债券",
        "unit": "到期未付（{unit}）",
    },
    "en": {
        "title": "Arrears in {year} ({unit}): most in {month}, mean {most}, chiefly {largest}",
        "nothing": "In {year} every account pays in full and in time",
        "subtitle": "Due and unpaid, by the class of money that lacks, means; at year-end "
        "P50 {p50} (P10-P90: {p10}-{p90})",
        "waits": "debt that waits for equity",
        "unit": "Due and unpaid ({unit})",
    },
}
_COLOURS = {
    "own": "#c2691c", "general_budget": "#1f5fa8", "fund_budget": "#7fa8d9",
    "special_bond": "#2f7d4f", "grant": "#9cc5a1", "loan": "#8b6bb1", "other": "#9aa1ab",
}  # fmt: skip


def draw_accounts(stored: StoredRun, path: Path, language: Language = "zh") -> None:
    """Draw the chart of a stored run.

    Parameters
    ----------
    stored : StoredRun
        The run; it has accounts.
    path : Path
        PNG file to write.
    language : {"zh", "en"}
        Language of the labels.
    """
    import matplotlib

    text, summary, year = _TEXT[language], stored.summary, stored.manifest["plan_year"]
    unmet: dict[str, dict[int, int]] = {name: defaultdict(int) for name in _COLOURS}
    for row in stored.table("accounts"):
        if row["month"].startswith(f"{year}-"):
            unmet[row["class"]][int(row["month"][5:])] += int(row["unmet_mean_yuan"])
    months = sorted({month for amounts in unmet.values() for month in amounts})
    totals = {
        int(row["month"][5:]): int(row["mean_yuan"])
        for row in stored.table("months")
        if row["measure"] == "arrears" and row["month"].startswith(f"{year}-")
    }
    worst = max(months, key=lambda month: totals[month])
    scale = scale_for(totals[worst])
    unit = scale.name(language)
    with matplotlib.rc_context(settings()):
        figure, axes = new_chart()
        below = dict.fromkeys(months, 0.0)
        for name, colour in _COLOURS.items():
            heights = {month: unmet[name][month] / scale.yuan for month in months}
            if not any(heights.values()):
                continue
            axes.bar(
                months, list(heights.values()), bottom=list(below.values()), width=0.62,
                color=colour, label=CLASSES[language][name],
            )  # fmt: skip
            below = {month: below[month] + heights[month] for month in months}
        # Debt is paid in step with equity: what may not be paid yet, no account is asked for.
        waits = [max(totals[month] / scale.yuan - below[month], 0.0) for month in months]
        if any(scale.show(height * scale.yuan) != scale.show(0) for height in waits):
            axes.bar(
                months, waits, bottom=list(below.values()), width=0.62, color="#eef0f3",
                edgecolor="#9aa1ab", linewidth=0.6, hatch="////", label=text["waits"],
            )  # fmt: skip
        below = {month: totals[month] / scale.yuan for month in months}
        for month in months:
            if totals[month]:
                axes.annotate(
                    scale.show(totals[month]), (month, below[month]), xytext=(0, 4),
                    textcoords="offset points", ha="center", fontsize=9.5,
                )  # fmt: skip
        axes.set_xlim(0.4, 12.6)
        axes.set_ylim(0, max(*below.values(), 1e-9) * 1.18)
        axes.set_xticks(months, [MONTHS[language][month - 1] for month in months])
        axes.yaxis.set_major_formatter(lambda value, _: scale.show(value * scale.yuan))
        axes.set_ylabel(text["unit"].format(unit=unit))
        if totals[worst]:
            axes.legend(loc="upper left", frameon=False, ncols=2)
        lacking = {CLASSES[language][name]: unmet[name][worst] / scale.yuan for name in _COLOURS}
        lacking[text["waits"]] = waits[months.index(worst)]
        headings(
            figure,
            text["title" if totals[worst] else "nothing"].format(
                year=year, month=MONTHS[language][worst - 1], most=scale.show(totals[worst]),
                unit=unit, largest=max(lacking, key=lacking.__getitem__),
            ),
            text["subtitle"].format(
                unit=unit,
                **{key: scale.show(summary["arrears"][key]) for key in ("p10", "p50", "p90")},
            ),
            foot_note(stored, language),
        )  # fmt: skip
        save(figure, path)
