"""What all charts share: fonts shipped with the package, colours, and how a file is written."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Language = Literal["zh", "en"]

REPORTED, WORK_DONE, PLAN, TARGET, TEXT, QUIET = (
    "#1f5fa8", "#c2691c", "#6b7280", "#b3261e", "#1f2937", "#9aa1ab",
)  # fmt: skip
YUAN_PER_YI = 1e8
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
        "svg.hashsalt": "sim",
    }


def new_chart() -> tuple[Figure, Axes]:
    """Return an empty chart of the common size; call inside `rc_context(settings())`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.6), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.085, 0.13, 0.885, 0.66))
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def headings(figure: Figure, title: str, subtitle: str, foot: str) -> None:
    """Write title, subtitle and foot note in their places."""
    figure.text(0.03, 0.945, title, fontsize=15, fontweight="bold", va="center")
    figure.text(0.03, 0.878, subtitle, fontsize=10.5, color="#4b5563", va="center")
    figure.text(0.03, 0.025, foot, fontsize=8, color="#6b7280", va="center")


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without time or software in it, so that equal charts are equal files."""
    figure.savefig(path, metadata={"Software": None})
