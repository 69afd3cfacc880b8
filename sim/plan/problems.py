"""Problems found in input: collected, all of them, and told in Chinese and English."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Level = Literal["error", "warning"]
Language = Literal["zh", "en"]

_LABELS = {
    "zh": {
        "error": "错误", "warning": "提醒", "row": "第{}行", "column": "列“{}”",
        "value": "值“{}”", "remedy": "处理",
    },
    "en": {
        "error": "error", "warning": "warning", "row": "row {}", "column": "column '{}'",
        "value": "value '{}'", "remedy": "remedy",
    },
}  # fmt: skip


@functools.cache
def _catalogue() -> dict[str, dict[str, str]]:
    with (Path(__file__).parent / "messages.toml").open("rb") as stream:
        return tomllib.load(stream)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or odd) in the input.

    Attributes
    ----------
    code : str
        Key of `messages.toml`, where rule and remedy are written in both languages.
    file : str
        File as the user knows it.
    row : int or None
        Row in the file, the header being row 1; None where no single row is meant.
    column, value : str
        Column (or key) and the offending text; empty where none is meant.
    details : mapping
        Values that the message names.
    level : {"error", "warning"}
        Only errors stop a run.
    """

    code: str
    file: str
    row: int | None = None
    column: str = ""
    value: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    level: Level = "error"

    def render(self, language: Language = "zh") -> str:
        """Tell the problem in one line: file, row, column, value, rule, remedy."""
        labels, entry = _LABELS[language], _catalogue()[self.code]
        where = [self.file]
        if self.row is not None:
            where.append(labels["row"].format(self.row))
        if self.column:
            where.append(labels["column"].format(self.column))
        if self.value:
            shown = self.value if len(self.value) <= 60 else self.value[:57] + "..."
            where.append(labels["value"].format(shown))
        rule = entry[f"rule_{language}"].format(**self.details)
        remedy = entry[f"remedy_{language}"].format(**self.details)
        comma, colon = ("，", "：") if language == "zh" else (", ", ": ")
        separator = "；" if language == "zh" else "; "
        told = f"{comma.join(where)}{colon}{rule}{separator}{labels['remedy']}{colon}{remedy}"
        return f"[{labels[self.level]}] {told}"


class InputError(Exception):
    """Raised when input is wrong; carries every problem that was found.

    Parameters
    ----------
    problems : iterable of Problem
        Errors and warnings.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.render("en") for problem in self.problems))


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that stop a run."""
    return [problem for problem in problems if problem.level == "error"]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that looks most like `word`, or all of them where none does."""
    candidates = sorted(known)
    close = difflib.get_close_matches(word, candidates, n=1, cutoff=0.5)
    return close[0] if close else " | ".join(candidates)
