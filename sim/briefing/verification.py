"""The table of cases with known answers: expected, got, tolerance, verdict; in two languages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.figures.amounts import Language
from sim.verification.case import Case, Quantity, Verdict

if TYPE_CHECKING:
    from rich.console import Console

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "quantity": "核验量", "expected": "已知答案", "got": "得到", "tolerance": "容差",
        "verdict": "结论", "holds": "相符", "fails": "不符", "source": "依据 {id}：{source}",
        "published": "公布", "derived": "推算", "own": "自设", "basis": "来源",
        "all": "{count} 项全部相符（{cases} 个算例，{engine}引擎，{seconds:.0f} 秒）。",
        "some": "{count} 项中 {failed} 项不符：{names}（{cases} 个算例，{engine}引擎，"
        "{seconds:.0f} 秒）。",
        "compiled": "编译", "reference": "参考", "and": "、",
        "rule": "容差：精确值须相等（浮点相对误差不超过 10⁻¹²）或与所印位数一致（±半个末位）；"
        "模拟值为四倍标准误，分位数按次序统计量。",
        "title": "已知答案核验", "case": "算例",
    },
    "en": {
        "quantity": "quantity", "expected": "expected", "got": "got", "tolerance": "tolerance",
        "verdict": "verdict", "holds": "holds", "fails": "FAILS",
        "source": "source of {id}: {source}",
        "published": "published", "derived": "derived", "own": "own", "basis": "basis",
        "all": "All {count} hold (cases: {cases}, {engine} engine, {seconds:.0f} s).",
        "some": "Not holding: {failed} of {count}: {names} (cases: {cases}, {engine} engine, "
        "{seconds:.0f} s).",
        "compiled": "compiled", "reference": "reference", "and": ", ",
        "rule": "Tolerance: what is exact must be equal (floating point: 1e-12 relative), or agree "
        "in the digits printed (half the last one); what is simulated, four standard errors, "
        "percentiles by order statistics.",
        "title": "Cases with known answers", "case": "case",
    },
}  # fmt: skip
_DIGITS = 6


def number(value: float, like: Quantity) -> str:
    """Write what was got as the known answer is written: whole, in hexadecimal, or in digits."""
    if like.expected.startswith("0x"):
        return f"0x{int(value):08x}"
    if like.kind == "exact" and value == int(value):
        return str(int(value))
    printed = len(like.expected.partition(".")[2])
    return f"{value:.{max(printed, _DIGITS) if like.kind in ('exact', 'printed') else _DIGITS}f}"


def allowed(verdict: Verdict) -> str:
    """Write a tolerance: a plain 0 where equality is asked, two digits else."""
    if verdict.tolerance == 0:
        return "0"
    if not math.isfinite(verdict.tolerance):
        return str(verdict.tolerance)
    return f"±{verdict.tolerance:.2g}"


def print_verdicts(
    results: Sequence[tuple[Case, Sequence[Verdict]]], console: Console, language: Language = "zh"
) -> None:
    """Print every case: each quantity, its known answer, what was got, and the verdict.

    Parameters
    ----------
    results : sequence of (Case, sequence of Verdict)
        In the order of the table of cases.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    words = WORDS[language]
    table = Table(
        title=words["title"], title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    table.add_column(words["case"], no_wrap=True)
    table.add_column(words["quantity"])
    table.add_column(words["basis"])
    for name in ("expected", "got", "tolerance"):
        table.add_column(words[name], justify="right")
    table.add_column(words["verdict"])
    for case, verdicts in results:
        table.add_row(Text(case.id), Text(getattr(case, language), style="bold"))
        for one in verdicts:
            known = one.quantity
            table.add_row(
                "",
                Text(getattr(known, language)),
                words[known.basis],
                Text(known.expected),
                Text(number(one.got, known)),
                allowed(one),
                Text(words["holds"]) if one.holds else Text(words["fails"], style="bold red"),
            )
        table.add_section()
    console.print(table)
    for case, _ in results:
        line = words["source"].format(id=case.id, source=case.source)
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


def print_count(
    verdicts: Sequence[Verdict],
    engine: str,
    seconds: float,
    console: Console,
    language: Language = "zh",
) -> None:
    """Print how many hold, and by name those that do not.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of all cases that were run.
    engine : {"compiled", "reference"}
        Which engine simulated.
    seconds : float
        How long it took.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    words = WORDS[language]
    failed = [one for one in verdicts if not one.holds]
    cases = len({one.quantity.case for one in verdicts})
    names = words["and"].join(
        f"{one.quantity.case} {getattr(one.quantity, language)}" for one in failed
    )
    console.print(words["rule"], style="dim", markup=False, highlight=False)
    console.print(
        words["some" if failed else "all"].format(
            count=len(verdicts), failed=len(failed), names=names, cases=cases,
            engine=words[engine], seconds=seconds,
        ),
        style="bold", markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
