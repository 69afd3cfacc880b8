"""The run that somebody names: its folder, or the folder of its scenario, whose newest is meant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.plan.problems import InputError, Problem, nearest_place
from sim.runs.folder import LATEST, MANIFEST, SUMMARY, StoredRun, find_run

_MANIFEST_KEYS = (
    "fingerprint", "scenario", "plan", "status_date", "plan_year", "horizon", "seed",
    "replications", "sampling", "engine", "precision", "cross_check", "changes", "resolved",
    "residuals", "without_effect", "changes_without_effect", "inputs_sha256",
    "model_sha256", "versions", "timing",
)  # fmt: skip
_SUMMARY_KEYS = ("title", "plan", "target_yuan", "annual_plan_yuan", "year_end", "projects")
_LONGEST_NAME = 255


def named_run(place: Path) -> StoredRun:
    """Read the run that a path names.

    Parameters
    ----------
    place : Path
        A run folder, or the folder above it, in which `latest` names the newest; or `latest`.

    Returns
    -------
    StoredRun
        With a summary and a manifest that have the keys of the contract.

    Raises
    ------
    InputError
        If there is no finished run, or what stands there cannot be read as one.
    """
    if (place / MANIFEST).is_file():
        folder: Path | None = place
    else:
        folder = _newest(place.parent if place.name == LATEST and place.is_file() else place)
    try:
        stored = None if folder is None else find_run(folder)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem("run_unreadable", str(folder), details={"reason": reason})
        raise InputError([problem]) from error
    if stored is None:
        near = "" if place.exists() else nearest_place(place)
        raise InputError([Problem("no_run", str(place), details={"nearest": near})])
    problems = [
        *_missing(stored.folder / MANIFEST, stored.manifest, _MANIFEST_KEYS),
        *_missing(stored.folder / SUMMARY, stored.summary, _SUMMARY_KEYS),
    ]
    if problems:
        raise InputError(problems)
    return stored


def _newest(place: Path) -> Path | None:
    """Return the folder that `latest` names; None where it names none beside itself."""
    try:
        with (place / LATEST).open(encoding="utf-8") as stream:
            name = stream.read(_LONGEST_NAME).strip()
    except (OSError, ValueError):
        return None
    return place / name if name and Path(name).name == name else None


def _missing(path: Path, found: Mapping[str, Any], keys: Sequence[str]) -> list[Problem]:
    known = found if isinstance(found, dict) else {}
    absent = [key for key in keys if key not in known]
    if not absent:
        return []
    return [Problem("run_lacks", str(path), details={"keys": json.dumps(absent)[1:-1]})]
