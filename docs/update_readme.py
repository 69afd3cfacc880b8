"""Put the baseline's numbers and charts into the READMEs: `python docs/update_readme.py`.

Runs the main job in a temporary folder (or finds it done in `outputs/`), copies its charts to
`docs/images/` and writes the rows of the headline tables, so that what the READMEs show is what
ran.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sim
from sim.figures.charts import CHARTS, draw_charts

ROOT = Path(__file__).parent.parent
ROWS = {
    "README.md": {"reported": "reported 填报", "work_done": "work done 形象进度"},
    "README.zh.md": {"reported": "填报完成投资", "work_done": "形象进度对应投资"},
}


def row(label: str, found: Mapping[str, Any]) -> str:
    """Return a row of the headline table, in 100 m yuan."""
    amounts = [f"{found[key] / 1e8:,.0f}" for key in ("p5", "p20", "p50", "p80", "p95")]
    met = found["probability_target_met"]
    chance = f"{met['value']:.0%} [{met['low']:.0%}, {met['high']:.0%}]"
    return "| " + " | ".join([label, *amounts, chance]) + " |"


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
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
