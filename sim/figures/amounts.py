"""How large amounts are shown: 亿元 or 万元, with as many decimals as the size asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit and a number of decimals, the same throughout a chart or a table.

    Attributes
    ----------
    yuan : int
        Yuan in a unit.
    decimals : int
        Decimals shown.
    zh, en : str
        Name of the unit.
    """

    yuan: int
    decimals: int
    zh: str
    en: str

    def show(self, amount: float) -> str:
        """Write an amount given in yuan, without its unit."""
        return f"{amount / self.yuan:,.{self.decimals}f}"

    def name(self, language: Language) -> str:
        """Return the name of the unit."""
        return self.zh if language == "zh" else self.en


def scale_for(largest: float) -> Scale:
    """Choose the scale for amounts up to `largest` yuan: three figures at least."""
    for limit, decimals in ((3e10, 0), (3e9, 1), (3e8, 2)):
        if largest >= limit:
            return Scale(10**8, decimals, "亿元", "100m yuan")
    return Scale(10**4, 0, "万元", "10,000 yuan")
