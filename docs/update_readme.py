"""Put the baseline's numbers and charts into the documents: `python docs/update_readme.py`.

Runs the main job in a temporary folder (or finds it done in `outputs/`), copies its charts to
`docs/images/`, writes the rows of the headline tables of the READMEs, and the tables of causes and
execution and one project's log in model.md, so that what the documents show is what ran.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sim
from sim.briefing.replay import replay_lines
from sim.figures.charts import CHARTS, draw_charts
from sim.figures.names import CLASSES, cause_title
from sim.figures.style import odds
from sim.plan.scenario import Scenario
from sim.runs.folder import StoredRun
from sim.runs.replay import replay_one

ROOT = Path(__file__).parent.parent
ROWS = {
    "README.md": {"reported": "reported 填报", "work_done": "work done 形象进度"},
    "README.zh.md": {"reported": "填报完成投资", "work_done": "形象进度对应投资"},
}


WALK_REPLICATION, WALK_PROJECT = 3, "LY-8602"
"""A fire station that passes all its gates, waits for money, and is owed some."""


def row(label: str, found: Mapping[str, Any]) -> str:
    """Return a row of the headline table, in 100 m yuan."""
    amounts = [f"{found[key] / 1e8:,.0f}" for key in ("p5", "p20", "p50", "p80", "p95")]
    met = found["probability_target_met"]
    return "| " + " | ".join([label, *amounts, odds(met)]) + " |"


NET = {
    "README.md": (
        "At approved prices what is reported has its median at {reported:,.0f} and reaches 3,000\n"
        "with {reported_met:.1%}, work done at {work_done:,.0f} and with {work_done_met:.1%}."
    ),
    "README.zh.md": (
        "按批复概算口径（剔除增长），填报的 P50 为 {reported:,.0f}，达标可能性 {reported_met:.1%}；"
        "形象进度为 {work_done:,.0f}，{work_done_met:.1%}。"
    ),
}


def net_of_growth(document: str, stored: StoredRun) -> str:
    """Return the sentence on what is left at approved prices, in 100 m yuan."""
    found = stored.summary["net_of_growth"]
    numbers = {}
    for measure in ("reported", "work_done"):
        one = found[measure]
        numbers[measure] = one["p50"] / 1e8
        numbers[f"{measure}_met"] = one["probability_target_met"]["value"]
    return NET[document].format(**numbers)


def causes_and_execution(stored: StoredRun) -> str:
    """Return where days and money go in the baseline, as two tables."""
    titles = stored.manifest["cause_titles"]
    rows = [one for one in stored.table("causes") if one["dimension"] == "all"]
    lines = ["| cause | mean days a project | weighted by annual plan |", "|---|---:|---:|"]
    for one in sorted(rows, key=lambda one: -abs(float(one["mean_days"]))):
        if abs(float(one["mean_days"])) >= 0.05:
            name = cause_title(one["cause"], titles, "en")
            days = [f"{float(one[key]):+.1f}" for key in ("mean_days", "mean_days_by_plan")]
            lines.append("| " + " | ".join([name, *days]) + " |")
    lines += ["", "| class of money | budget, 100 m yuan | paid out of it, P10 | P50 | P90 |",
              "|---|---:|---:|---:|---:|"]  # fmt: skip
    for name, one in stored.summary["execution"].items():
        shares = [f"{one[key]:.0%}" for key in ("p10", "p50", "p90")]
        budget = f"{one['budget_yuan'] / 1e8:,.0f}"
        lines.append("| " + " | ".join([CLASSES["en"].get(name, name), budget, *shares]) + " |")
    owed = stored.summary["arrears"]
    lines += ["", f"Arrears at the year's end: median {owed['p50'] / 1e8:,.0f}, P10 to P90 "
              f"{owed['p10'] / 1e8:,.0f} to {owed['p90'] / 1e8:,.0f} (100 m yuan)."]  # fmt: skip
    return "\n".join(lines)


def walk(scenario: Scenario) -> str:
    """Return the first lines of one project's log, and how it ends."""
    asked = scenario.options
    story = replay_one(scenario.plan, asked.seed, WALK_REPLICATION, asked.sampling)
    lines = list(replay_lines(story, WALK_PROJECT, "en"))
    paid = next(k for k, line in enumerate(lines) if "arrears" in line or "advance" in line)
    ending = [line for line in lines if "finished" in line or "accepted" in line]
    shown = [*lines[: paid + 12], "...", *ending]
    title = next(one.name for one in scenario.plan.projects if one.id == WALK_PROJECT)
    return "\n".join(["```text", *(line.replace(f"  {title}", "") for line in shown), "```"])


def put(text: str, mark: str, content: str) -> str:
    """Put content between two marks of a document."""
    begin, end = f"<!-- begin: {mark} -->", f"<!-- end: {mark} -->"
    before, rest = text.split(begin)
    return before + begin + "\n" + content + "\n" + end + rest.split(end)[1]


def main() -> None:
    """Run, copy, write."""
    scenario = sim.load_scenario(ROOT / "scenarios/luoyang-2021/baseline.toml")
    stored = sim.write_run(sim.simulate(scenario, workers=None), ROOT / "outputs")
    images = ROOT / "docs/images"
    images.mkdir(exist_ok=True)
    for language in ("zh", "en"):
        draw_charts(stored, language)
        for name in CHARTS:
            shutil.copy(stored.folder / "figures" / f"{name}.{language}.png", images)
    for name, labels in ROWS.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        for measure, label in labels.items():
            line = row(label, stored.summary["year_end"][measure])
            text = re.sub(rf"^\| {re.escape(label)} \|.*$", line, text, flags=re.MULTILINE)
        text = put(text, "net", net_of_growth(name, stored))
        path.write_text(text, encoding="utf-8", newline="\n")
    model = ROOT / "docs/model.md"
    text = put(model.read_text(encoding="utf-8"), "baseline", causes_and_execution(stored))
    text = put(text, "walk", walk(scenario))
    model.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
