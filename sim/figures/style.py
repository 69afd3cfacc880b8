"""What all charts share: fonts shipped with the package, colours, and how a file is written."""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.figures.amounts import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim.runs.folder import StoredRun

REPORTED, WORK_DONE, PAID, PLAN, TARGET, TEXT, QUIET = (
    "#1f5fa8", "#c2691c", "#2f7d4f", "#6b7280", "#b3261e", "#1f2937", "#9aa1ab",
)  # fmt: skip
SMALL_SAMPLE = 30
"""Replications below which nothing is said about odds."""
_FONTS = ("NotoSansCJKsc-GBK-Regular.otf", "NotoSansCJKsc-GBK-Bold.otf")


@functools.cache
def font_family() -> str:
    """Register both shipped weights (Regular alone would turn bold titles into boxes)."""
    from matplotlib import font_manager

    folder = Path(__file__).parent / "fonts"
    for name in _FONTS:
        font_manager.fontManager.addfont(str(folder / name))
    family: str = font_manager.FontProperties(fname=str(folder / _FONTS[0])).get_name()
    return family


def settings() -> Any:
    """Return the matplotlib settings under which every chart is drawn."""
    return {
        "font.family": font_family(),
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": TEXT,
        "text.color": TEXT,
        "xtick.color": TEXT,
        "ytick.color": TEXT,
        "text.parse_math": False,
    }


def new_chart() -> tuple[Figure, Axes]:
    """Return an empty chart of the common size; call inside `rc_context(settings())`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.6), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.085, 0.155, 0.885, 0.635))
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


_FOOT = {
    "zh": "{plan}　情景：{title}　{replications:,} 次模拟　种子 {seed}　{engine}　指纹 {mark}",
    "en": "{plan}   scenario {title}   replications {replications:,}   seed {seed}   "
    "{engine}   fingerprint {mark}",
}
_ENGINES = {
    "zh": {"compiled": "编译引擎", "reference": "参考引擎"},
    "en": {"compiled": "compiled engine", "reference": "reference engine"},
}
_UNLIMITED = {"zh": "资金不设上限", "en": "money is unlimited"}
_SYNTHETIC = {
    "zh": "{count:,} 个项目中 {synthetic:,} 个为合成",
    "en": "{synthetic:,} of {count:,} projects are synthetic",
}


_CHANGED = {"zh": "改动：{shown}", "en": "changed: {shown}"}
_MORE = {"zh": "{shown} 等 {count} 项", "en": "{shown} ({count} in all)"}
_SEPARATOR = {"zh": "；", "en": "; "}
_TOLD_ELSEWHERE = ("run.replications", "run.seed", "run.engine", "run.workers", "run.precision")


def changed_settings(stored: StoredRun, language: Language, most: int) -> str:
    """Name what overrides change, as far as it fits; empty for nothing.

    What a scenario itself changes its title stands for.

    Parameters
    ----------
    stored : StoredRun
        The run.
    language : {"zh", "en"}
        Language.
    most : int
        Columns of a terminal that the settings may fill.
    """
    found = [
        f"{one['path']}={one['new']}"
        for one in stored.manifest["changes"]
        if one["path"] not in _TOLD_ELSEWHERE and _is_override(one["path"], stored.manifest)
    ]
    if not found:
        return ""
    separator, shown = _SEPARATOR[language], _cut(found[0], most)
    count = 1
    while count < len(found) and _width(longer := f"{shown}{separator}{found[count]}") <= most:
        shown, count = longer, count + 1
    if count < len(found):
        shown = _MORE[language].format(shown=shown, count=len(found))
    return _CHANGED[language].format(shown=shown)


def _is_override(path: str, manifest: Mapping[str, Any]) -> bool:
    """Tell whether a change was asked for beside the scenario: itself, or something within it."""
    given = manifest["overrides"]
    return any(one == path or one.startswith(f"{path}.") for one in given)


def _width(text: str) -> int:
    """Return the columns that a text fills, of which a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def _cut(text: str, most: int) -> str:
    while _width(text) > most:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def foot_note(stored: StoredRun, language: Language) -> str:
    """Say of which run a chart is, and what to bear in mind about it."""
    summary = stored.summary
    told = dict(summary) | {"engine": _ENGINES[language][summary["engine"]]}
    note = _FOOT[language].format(**told, mark=stored.manifest["fingerprint"])
    remarks = [changed_settings(stored, language, _MOST_COLUMNS)]
    if not summary["execution"]:
        remarks.append(_UNLIMITED[language])
    if summary["projects"]["synthetic"]:
        remarks.append(_SYNTHETIC[language].format(**summary["projects"]))
    return "\n".join(filter(None, [note, _SEPARATOR[language].join(filter(None, remarks))]))


_MOST_COLUMNS = 90
"""Columns of a foot note that changed settings may fill; its line has about 150."""
_NARROW = 0.02
"""An interval below which a tenth of a per cent is worth telling."""


def nothing_is_random(stored: StoredRun) -> bool:
    """Tell whether every uncertainty is off, so that all replications are the same."""
    states = stored.manifest["resolved"]["uncertainties"].values()
    return all(one["state"] == "off" for one in states)


def odds(one: Mapping[str, float], certain: bool = False) -> str:
    """Write a probability with the interval of its sampling error.

    What happened in every replication, or in none, has a bound on one side; what is certain
    because nothing is random has none.
    """
    if certain:
        return f"{one['value']:.0%}"
    if one["value"] in (0.0, 1.0):
        sign, bound = ("≥", one["low"]) if one["value"] else ("≤", one["high"])
        if bound == one["value"]:
            return f"{bound:.0%}"
        digits = max(0, math.ceil(-math.log10(100 * abs(one["value"] - bound))))
        return f"{one['value']:.0%} [{sign}{bound:.{digits}%}]"
    digits = 0 if one["high"] - one["low"] >= _NARROW else 1
    value, low, high = (f"{one[key]:.{digits}%}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def headings(figure: Figure, title: str, subtitle: str, foot: str) -> None:
    """Write title, subtitle and foot note in their places."""
    figure.text(0.03, 0.945, title, fontsize=15, fontweight="bold", va="center")
    figure.text(0.03, 0.878, subtitle, fontsize=10.5, color="#4b5563", va="center")
    figure.text(0.03, 0.04, foot, fontsize=8, color="#6b7280", va="center", linespacing=1.5)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without time or software in it, so that equal charts are equal files."""
    # To press plain areas and text harder takes long and saves little.
    figure.savefig(path, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
