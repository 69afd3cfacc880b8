"""A STRESS-DES sheet of a stored run, as Markdown, in two languages; computes nothing.

The items are those of the checklist of Monks and others (Journal of Simulation, 2019); their texts
stand in `sheet.toml`, their numbers in the run's manifest and summary.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.figures.amounts import Language, Scale, scale_for
from sim.figures.style import nothing_is_random, odds
from sim.runs.folder import StoredRun

Words = Mapping[str, str]

_MEASURES = ("reported", "work_done", "paid")
_PERCENTS = (5, 20, 50, 80, 95)
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*<>|"})


@functools.cache
def checklist() -> Mapping[str, Any]:
    """Return sections, items and words of the sheet, in both languages."""
    with (Path(__file__).parent / "sheet.toml").open("rb") as stream:
        return tomllib.load(stream)


def sheet(stored: StoredRun, language: Language = "zh") -> str:
    """Return the sheet of a run.

    Parameters
    ----------
    stored : StoredRun
        The run.
    language : {"zh", "en"}
        Language.

    Returns
    -------
    str
        Markdown; what the run itself says is escaped.
    """
    words = {
        name.removesuffix(f"_{language}"): text
        for name, text in checklist()["words"].items()
        if name.endswith(f"_{language}")
    }
    scale = scale_for(stored.summary["target_yuan"])
    facts = _facts(stored, words, scale, language)
    lines = [f"# {words['heading'].format(**facts)}", "", words["about"].format(**facts), ""]
    for section in checklist()["sections"]:
        lines += [f"## {section['number']} {section[f'title_{language}']}", ""]
        for item in section["items"]:
            lines += [f"### {item['number']} {item[f'title_{language}']}", ""]
            lines += [item[language].strip().replace("\n", "\n\n").format(**facts), ""]
            for table in _tables(item["number"], stored, words, scale):
                lines += [*table, ""]
    return "\n".join(lines).rstrip() + "\n"


def plain(value: object) -> str:
    """Write what a run says so that it stays text: no markup, nothing that a terminal obeys."""
    shown = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in str(value)
    )
    return shown.translate(_MARKS).replace("](", "]\\(")


def _facts(
    stored: StoredRun, words: Words, scale: Scale, language: Language
) -> Mapping[str, Any]:  # fmt: skip
    """Return what the texts name."""
    manifest, summary = stored.manifest, stored.summary
    about, versions = manifest["resolved"]["about"], manifest["versions"]
    unused = [*manifest["without_effect"], *manifest["changes_without_effect"]]
    texts = {
        "title": summary["title"], "question": about["question"] or words["none"],
        "unused": ", ".join(unused) or words["none"],
        "platform": versions["platform"], "python": versions["python"], "sim": versions["sim"],
        "seconds": manifest["timing"]["seconds"], "workers": manifest["timing"]["workers"],
    } | {
        name: manifest[name]
        for name in ("plan", "status_date", "plan_year", "horizon", "seed", "sampling", "engine",
                     "fingerprint", "model_sha256")
    }  # fmt: skip
    return {name: plain(value) for name, value in texts.items()} | {
        "replications": manifest["replications"],
        "changes": sum(not one["path"].startswith("run.") for one in manifest["changes"]),
        "count": summary["projects"]["count"],
        "synthetic": summary["projects"]["synthetic"],
        "target": scale.show(summary["target_yuan"]),
        "annual": scale.show(summary["annual_plan_yuan"]),
        "unit": scale.name(language),
        "scored": words["yes" if about["scored"] else "no"],
        "cross_check": _cross_check(manifest["cross_check"], words),
        "precision": _precision(manifest["precision"], manifest["replications"], words),
    }


def _cross_check(found: Mapping[str, Any] | None, words: Words) -> str:
    if found is None:
        return words["reference"]
    numbers = ", ".join(map(str, found["replications"]))
    return words["agree" if found["agree"] else "differ"].format(numbers=numbers)


def _precision(found: Mapping[str, Any] | None, replications: int, words: Words) -> str:
    if found is None:
        return words["unasked"]
    return words["reached" if found["reached"] else "missed"].format(
        measure=plain(found["measure"]),
        unit=plain(found["unit"]),
        asked=_number(found["half_width_asked"]),
        half=_number(found["half_width"]),
        replications=replications,
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.10g}"


def _tables(
    number: str, stored: StoredRun, words: Words, scale: Scale
) -> Iterator[list[str]]:  # fmt: skip
    """Yield the tables of an item."""
    manifest, resolved = stored.manifest, stored.manifest["resolved"]
    match number:
        case "1.2":
            yield _year_end(stored, words, scale)
        case "2.3":
            changes = [[one["path"], one["old"], one["new"]] for one in manifest["changes"]]
            yield _table([words["path"], words["old"], words["new"]], changes, words)
            levers = [[name, value] for name, value in resolved["levers"].items()]
            yield _table([words["lever"], words["value"]], levers, words)
        case "3.1":
            files = [[name, mark] for name, mark in manifest["inputs_sha256"].items()]
            yield _table([words["input"], "SHA-256"], files, words)
        case "3.2":
            left = [[name, value] for name, value in manifest["residuals"].items()]
            yield _table([words["factor"], words["value"]], left, words)
        case "3.3":
            yield _uncertainties(resolved["uncertainties"], words)
        case "4.3":
            yield _errors(stored, words, scale)
        case "5.1":
            versions = [[name, value] for name, value in manifest["versions"].items()]
            yield _table([words["library"], words["version"]], versions, words)


def _uncertainties(found: Mapping[str, Any], words: Words) -> list[str]:
    """Return states, distributions as they are in force, and sources."""
    rows = []
    for name, one in found.items():
        active = "stress" if one["state"] == "stress" else "distribution"
        law = one.get(active) or one.get("distribution") or "–"
        rows.append([name, one["state"], law, one.get("source") or "–"])
    heads = [words[key] for key in ("uncertainty", "state", "distribution", "source")]
    return _table(heads, rows, words)


def _year_end(stored: StoredRun, words: Words, scale: Scale) -> list[str]:
    heads = [words["measure"], words["mean"], *(f"P{one}" for one in _PERCENTS), words["met"]]
    rows = []
    for name in _MEASURES:
        found = stored.summary["year_end"][name]
        keys = ("mean", *(f"p{one}" for one in _PERCENTS))
        met = odds(found["probability_target_met"], nothing_is_random(stored))
        rows.append([words[name], *(scale.show(found[key]) for key in keys), met])
    return _table(heads, rows, words)


def _errors(stored: StoredRun, words: Words, scale: Scale) -> list[str]:
    heads = [words["measure"], words["mean"], *(f"P{one}" for one in _PERCENTS)]
    rows = []
    for name in _MEASURES:
        found = stored.summary["year_end"][name]
        errors = [found[f"{key}_se"] for key in ("mean", *(f"p{one}" for one in _PERCENTS))]
        shown = ["–" if one is None else f"{one / scale.yuan:,.2f}" for one in errors]
        rows.append([words[name], *shown])
    return _table(heads, rows, words)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]], words: Words) -> list[str]:
    """Return a table in Markdown; of nothing, that there is none."""
    if not rows:
        return [f"{heads[0]}: {words['none']}"]
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(plain(value) for value in row)} |" for row in rows),
    ]
