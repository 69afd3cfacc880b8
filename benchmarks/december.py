"""Where December comes from: the Luoyang plan's year-end with one cause after another taken out.

Usage: python benchmarks/december.py [-n N] [--lang zh|en]. Prints year-end reported, work done,
paid and arrears in 100 million yuan: the mean of the baseline, then for each change the mean of the
differences replication by replication (all share their draws), its standard error, and the same in
points of the target.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

import sim
from sim.plan.scenario import Scenario

BASELINE = Path(__file__).parents[1] / "scenarios" / "luoyang-2021" / "baseline.toml"
YUAN = 1e8
MEASURES = ("reported", "work_done", "paid", "arrears")
COVERAGES = {"1.1": "1.0", "0.8": "0.727", "0.6": "0.545"}
"""Money over demand: budgets are 1.1 x demand, and the driver `coverage` multiplies them."""
WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "年末从何而来（亿元；与基准情景同抽样之差 ± 标准误，括号内为目标的百分点），"
        "{n} 次模拟",
        "change": "改动",
        "baseline": "基准情景（均值）",
        "reported": "填报",
        "work_done": "形象进度",
        "paid": "支付",
        "arrears": "年末欠款",
    },
    "en": {
        "title": "Where December comes from (100m yuan; difference to the baseline on the same "
        "draws ± standard error, in brackets points of the target), {n} replications",
        "change": "change",
        "baseline": "baseline (mean)",
        "reported": "reported",
        "work_done": "work done",
        "paid": "paid",
        "arrears": "arrears",
    },
}


def changes(baseline: Scenario) -> list[tuple[str, str, Sequence[str]]]:
    """Return each change: its names in both languages, and its paths."""
    calendar = [one.name for one in baseline.plan.drivers if one.acts_on == "calendar"]

    def off(*names: str) -> list[str]:
        return [f"uncertainties.{name}=off" for name in names]

    return [
        ("没有计划余量（按填报完成）", "understatement off", off("understatement")),
        ("没有虚报", "overstatement off", off("overstatement")),
        ("不赶工", "acceleration off", ["levers.acceleration=off"]),
        ("造价不涨", "growth off (cost, material prices)", off("cost", "material_prices")),
        *(
            (f"资金为需求的 {shown} 倍", f"money at {shown} x demand",
             [f"uncertainties.coverage.distribution=fixed({factor})"])
            for shown, factor in COVERAGES.items()
        ),
        ("开工缺资本金时占位", "starts block instead of wait", ["levers.start_rule=block"]),
        ("资金不设上限", "money unlimited", off("money")),
        ("没有登记的风险", "risks off", off("risks")),
        ("没有停工冲击（日历类因素）", "drivers of the calendar off", off(*calendar)),
        ("没有任何不确定性", "everything off", off("all")),
    ]  # fmt: skip


def year_end(scenario: Scenario, replications: int) -> Mapping[str, NDArray[np.float64]]:
    """Simulate and return the year-end by measure, in yuan, over replications."""
    run = sim.simulate(scenario, replications=replications, workers=os.cpu_count() or 1)
    columns = run.samples
    return {name: np.asarray(columns[f"{name}_yuan"], dtype=np.float64) for name in MEASURES}


def told(difference: NDArray[np.float64], target: int) -> str:
    """Write the mean of paired differences, its standard error and the points of the target."""
    mean = float(difference.mean())
    error = float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return f"{mean / YUAN:+,.1f} ± {error / YUAN:.1f} ({100 * mean / target:+.1f})"


def main() -> None:
    """Simulate each change and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--replications", type=int, default=30)
    parser.add_argument("--lang", choices=tuple(WORDS), default="zh")
    asked = parser.parse_args()
    if asked.replications < 2:
        parser.error("a standard error needs at least 2 replications")
    words, baseline = WORDS[asked.lang], sim.load_scenario(BASELINE)
    before = year_end(baseline, asked.replications)
    title = words["title"].format(n=asked.replications)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(words["change"])
    for name in MEASURES:
        table.add_column(words[name], justify="right")
    table.add_row(words["baseline"], *(f"{before[name].mean() / YUAN:,.1f}" for name in MEASURES))
    for chinese, english, paths in changes(baseline):
        after = year_end(sim.load_scenario(BASELINE, paths), asked.replications)
        cells = [told(after[name] - before[name], baseline.plan.target) for name in MEASURES]
        table.add_row(chinese if asked.lang == "zh" else english, *cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
