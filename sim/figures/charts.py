"""All charts of a run, under the names they have in its folder."""

from __future__ import annotations

import os

from sim.figures.accounts import draw_accounts
from sim.figures.amounts import Language
from sim.figures.causes import draw_causes
from sim.figures.style import new_chart, settings
from sim.figures.year_end import draw_year_end
from sim.figures.year_fan import draw_year_fan
from sim.runs.folder import StoredRun

CHARTS = {
    "year_fan": draw_year_fan,
    "year_end": draw_year_end,
    "accounts": draw_accounts,
    "causes": draw_causes,
}
_TABLES = ("accounts", "causes")
"""Charts of the table of their name, which is not written without rows: no chart then either."""


def prepare_charts() -> None:
    """Load what charts are drawn with, which takes most of a second."""
    settings()
    new_chart()


def draw_charts(stored: StoredRun, language: Language = "zh") -> None:
    """Draw the charts that the folder of a run does not hold yet in this language."""
    folder = stored.folder / "figures"
    folder.mkdir(exist_ok=True)
    for name, draw in CHARTS.items():
        path = folder / f"{name}.{language}.png"
        if name in _TABLES and not (stored.folder / f"{name}.csv").is_file():
            continue
        if not path.exists():
            # Under another name until it is whole: the folder may be one that people read.
            drawing = folder / f".{os.getpid()}-{path.name}"
            try:
                draw(stored, drawing, language)
                os.replace(drawing, path)
            finally:
                drawing.unlink(missing_ok=True)
