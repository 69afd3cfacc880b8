"""Run folders: they appear whole or not at all, and are read back."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.plan.residuals import in_force
from sim.runs import cause_tables, correlation_tables, money_tables, summary, tables
from sim.runs.batches import to_disk
from sim.runs.csvfiles import read_csv, write_csv
from sim.runs.provenance import fingerprint, plain, resolved, source_hash, versions
from sim.runs.simulate import Run
from sim.runs.unused import changes_without_effect, unused_inputs

MANIFEST, SUMMARY, SAMPLES = "manifest.json", "summary.json", "samples.parquet"
LATEST = "latest"
_PARTIAL, _WRITING = ".partial-", ".writing-"
_TABLES = {
    "projects.csv": tables.project_rows,
    "groups.csv": tables.group_rows,
    "months.csv": tables.month_rows,
    "stages.csv": tables.stage_rows,
    "commitments.csv": tables.commitment_rows,
    "accounts.csv": money_tables.account_rows,
    "bonds.csv": money_tables.bond_rows,
    "queues.csv": cause_tables.queue_rows,
    "causes.csv": cause_tables.cause_rows,
    "correlation.csv": correlation_tables.correlation_rows,
}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as read from its folder.

    Attributes
    ----------
    folder : Path
        Where it stands.
    summary, manifest : dict
        The headline, and where it comes from.
    """

    folder: Path
    summary: Mapping[str, Any]
    manifest: Mapping[str, Any]

    def table(self, name: str) -> list[dict[str, str]]:
        """Read one of the CSV tables, as text; a table without rows has no file."""
        path = self.folder / f"{name}.csv"
        return read_csv(path) if path.is_file() else []

    def samples(self) -> Any:
        """Read the samples table as a polars frame."""
        import polars

        return polars.read_parquet(self.folder / SAMPLES)


def run_folder(out: Path, run_name: str, mark: str) -> Path:
    """Return the folder of a run."""
    return out / run_name / mark


def partial_folder(folder: Path) -> Path:
    """Return where the finished batches of a run are kept until its folder stands.

    Parameters
    ----------
    folder : Path
        From `run_folder`.
    """
    return folder.parent / f"{_PARTIAL}{folder.name}"


def clear_away(folder: Path) -> None:
    """Remove what earlier attempts left beside a run folder that now stands.

    What cannot be removed stays; an equal run that is still under way bears it.
    """
    left = folder.parent.glob(f"{_WRITING}{folder.name}-*")
    for place in (partial_folder(folder), *left):
        shutil.rmtree(place, ignore_errors=True)


def find_run(folder: Path) -> StoredRun | None:
    """Read a run folder; None where there is no finished run in it."""
    if not (folder / MANIFEST).is_file():
        return None
    return StoredRun(
        folder,
        json.loads((folder / SUMMARY).read_text(encoding="utf-8")),
        json.loads((folder / MANIFEST).read_text(encoding="utf-8")),
    )


def probe(folder: Path) -> None:
    """Raise OSError where a run folder cannot be written, as far as shows; leave no trace.

    Parameters
    ----------
    folder : Path
        From `run_folder`.
    """
    for place in (folder, folder.parent / LATEST):
        if place.exists() and place.is_dir() != (place == folder):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    for place in folder.parents:
        try:
            place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        # What stands must take a new entry; what does not stand yet is made inside it.
        try:
            with tempfile.TemporaryDirectory(prefix=".probe-", dir=place):
                return
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(place)) from None


def write_run(
    run: Run,
    out: Path,
    add: Callable[[StoredRun], None] | None = None,
    mark: str | None = None,
) -> StoredRun:
    """Write the folder of a run, whole or not at all.

    Parameters
    ----------
    run : Run
        What to write.
    out : Path
        Folder of all runs.
    add : callable, optional
        Adds to the folder (charts, say) before it appears under its name.
    mark : str, optional
        The fingerprint of the run, where it is known already.

    Returns
    -------
    StoredRun
        The run as it now stands on disk; what earlier attempts at it left is removed.

    Raises
    ------
    OSError
        If it cannot be written; `filename` tells where.
    """
    if mark is None:
        asked = run.scenario.options.replications
        mark = fingerprint(run.scenario, run.seed, asked, run.sampling, run.engine)
    folder = run_folder(out, run.scenario.name, mark)
    folder.parent.mkdir(parents=True, exist_ok=True)
    writing = Path(tempfile.mkdtemp(prefix=f"{_WRITING}{mark}-", dir=folder.parent))
    try:
        writing.chmod(0o755)
        _write_files(run, writing, mark)
        stored = find_run(writing)
        assert stored is not None
        if add is not None:
            add(stored)
        _to_disk(writing)
        if find_run(folder) is not None:  # another process was quicker; equal runs are equal
            shutil.rmtree(writing)
        else:
            if folder.exists() and find_run(folder) is None:  # what a broken disk or a hand left
                shutil.rmtree(folder)
            os.replace(writing, folder)
            to_disk(folder.parent)
    except BaseException as error:
        shutil.rmtree(writing, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        # An equal run that was quicker has cleared away what this one was writing.
        if find_run(folder) is None:
            raise OSError(error.errno, error.strerror or str(error), str(folder)) from error
    point_to(folder)
    clear_away(folder)
    found = find_run(folder)
    assert found is not None
    return found


def _write_files(run: Run, folder: Path, mark: str) -> None:
    _write_json(folder / SUMMARY, summary.summarise(run))
    for name, build in _TABLES.items():
        if rows := list(build(run)):
            write_csv(folder / name, rows)
    import polars

    samples = io.BytesIO()  # a full disk is told in Python's words, not in those of the library
    polars.DataFrame(run.samples).write_parquet(samples)
    (folder / SAMPLES).write_bytes(samples.getbuffer())
    _write_json(folder / MANIFEST, _manifest(run, mark))


def _manifest(run: Run, mark: str) -> dict[str, Any]:
    plan = run.scenario.plan
    return {
        "fingerprint": mark,
        "scenario": run.scenario.name,
        "plan": plan.name,
        "status_date": str(plan.status_date),
        "plan_year": plan.plan_year,
        "horizon": str(plan.horizon),
        "seed": run.seed,
        "replications": run.replications,
        "sampling": run.sampling,
        "engine": run.engine,
        "precision": _precision(run),
        "cross_check": _cross_check(run),
        "correlation_repair": [one.told() for one in run.repairs],
        "changes": [
            {"path": path, "old": old, "new": new} for path, old, new in run.scenario.changes
        ],
        # Workers are no part of what a run is.
        "overrides": sorted(run.scenario.overridden - {"run.workers"}),
        "resolved": resolved(run.scenario),
        "residuals": {
            name: round(factor, 6)
            for name, factor in plain(in_force(plan.deflation, plan.states)).items()
        },
        "cause_titles": cause_tables.calendar_titles(run.portfolio),
        "without_effect": unused_inputs(plan, run.risks),
        "changes_without_effect": changes_without_effect(run.scenario),
        "inputs_sha256": dict(run.scenario.inputs),
        "model_sha256": source_hash(),
        "versions": versions(),
        "timing": {"seconds": round(run.seconds, 3), "workers": run.workers},
    }


def _cross_check(run: Run) -> dict[str, Any] | None:
    """Tell what came of telling replications again; None for the reference engine's own runs."""
    if (found := run.cross_check) is None:
        return None
    return {
        "engine": "reference",
        "replications": list(found.replications),
        "agree": not found.differs,
        "differences": list(found.differs),
    }


def _precision(run: Run) -> dict[str, Any] | None:
    """Tell where a run stopped for its precision; None where none was asked for."""
    if (found := run.precision) is None:
        return None
    return {
        "measure": found.asked.measure,
        "unit": found.asked.unit,
        "half_width_asked": round(found.wanted, 10) if math.isfinite(found.wanted) else None,
        "half_width": round(found.half_width, 10) if math.isfinite(found.half_width) else None,
        "reached": found.enough,
        "most_replications": run.scenario.options.replications,
    }


def json_bytes(values: Mapping[str, Any]) -> bytes:
    """Return the content of a JSON file for people: indented, in UTF-8."""
    text = json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False)
    return f"{text}\n".encode()


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_bytes(json_bytes(values))


def _to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
        else:
            to_disk(path)
    to_disk(folder)


def point_to(folder: Path) -> None:
    """Let `latest` name a run folder, replacing the pointer in one step."""
    pointer = folder.parent / LATEST
    # Opened as any file is, so that whoever may read the runs may read it too.
    fresh = folder.parent / f".latest-{folder.name}-{os.getpid()}"
    try:
        with fresh.open("w", encoding="utf-8") as stream:
            stream.write(folder.name + "\n")
        os.replace(fresh, pointer)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(pointer)) from error
