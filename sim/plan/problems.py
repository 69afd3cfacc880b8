"""Problems found in input: collected, all of them, and told in Chinese and English."""

from __future__ import annotations

import bisect
import difflib
import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Level = Literal["error", "warning"]
Language = Literal["zh", "en"]

_LONGEST_VALUE = 60
_LONGEST_DETAIL = 400
_NEIGHBOURS = 200
"""Of a long list, only so many words on either side in the alphabet are compared."""

_LABELS = {
    "zh": {
        "error": "错误", "warning": "提醒", "row": "第{}行", "column": "列“{}”",
        "value": "值“{}”", "remedy": "处理", "nearest": "，最接近的是“{}”",
        "known": "；可用：{}",
    },
    "en": {
        "error": "error", "warning": "warning", "row": "row {}", "column": "column '{}'",
        "value": "value '{}'", "remedy": "remedy", "nearest": "; the nearest is '{}'",
        "known": "; there are: {}",
    },
}  # fmt: skip


class Told(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return rule and remedy of every code, in both languages."""
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
        Values that the message names; a `Told` where they differ between the languages. Of
        `nearest` (the name that may be meant) and `known` (all names) nothing is said where empty.
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
        labels, entry = _LABELS[language], catalogue()[self.code]
        where = [self.file]
        if self.row is not None:
            where.append(labels["row"].format(self.row))
        if self.column:
            where.append(labels["column"].format(_cut(self.column, _LONGEST_VALUE)))
        if self.value:
            where.append(labels["value"].format(_cut(self.value, _LONGEST_VALUE)))
        details = {name: _detail(value, language) for name, value in self.details.items()}
        for name in ("nearest", "known"):
            if value := details.get(name):
                details[name] = labels[name].format(value)
        rule = entry[f"rule_{language}"].format_map(details)
        remedy = entry[f"remedy_{language}"].format_map(details)
        comma, colon = ("，", "：") if language == "zh" else (", ", ": ")
        separator = "；" if language == "zh" else "; "
        told = f"{comma.join(where)}{colon}{rule}{separator}{labels['remedy']}{colon}{remedy}"
        return _one_line(f"[{labels[self.level]}] {told}")


def _detail(value: object, language: Language) -> str:
    text = getattr(value, language) if isinstance(value, Told) else str(value)
    return _cut(text, _LONGEST_DETAIL)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _one_line(text: str) -> str:
    """Spell out what a terminal would obey or hide: line breaks, escapes, odd blanks."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


class InputError(Exception):
    """Raised when input is wrong; carries every problem that was found.

    Parameters
    ----------
    problems : iterable of Problem
        Errors and warnings.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        # The argument stays what it was, so that the error survives the way between processes.
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(problem.render("en") for problem in self.problems)


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that stop a run."""
    return [problem for problem in problems if problem.level == "error"]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that looks most like `word`; empty where none does."""
    words = sorted(set(known))
    place = bisect.bisect(words, word)
    around = words[max(place - _NEIGHBOURS, 0) : place + _NEIGHBOURS]
    return next(iter(difflib.get_close_matches(word[:_NEIGHBOURS], around, n=1, cutoff=0.5)), "")


def meant(word: str, known: Iterable[str]) -> dict[str, object]:
    """Return details that name the nearest word, or all that are known where none is near."""
    words = sorted(known)
    near = nearest(word, words)
    return {"nearest": near, "known": "" if near else ", ".join(words)}


def nearest_place(path: Path) -> str:
    """Return the path that is there and looks most like one that is not; empty where none does."""
    try:
        for folder in path.parents:
            if folder.is_dir():
                missing = path.parts[len(folder.parts)]
                near = nearest(missing, {one.name for one in folder.iterdir()} - {missing})
                return str(folder / near) if near else ""
    except (OSError, ValueError):  # what cannot be looked into has nothing to name
        pass
    return ""
