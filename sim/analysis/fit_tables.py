"""What fitting gives, as rows: of fit.csv, of the new types.csv, and of the table on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.analysis.families import Candidate, candidates
from sim.analysis.fitting import Records, Shrunk, log_likelihood, percentile, shrink
from sim.plan.history import FEWEST, Group
from sim.plan.language import Distribution, as_written

Row = dict[str, Any]
_SHOWN = (50, 80, 95)


@dataclass(frozen=True, slots=True)
class Fitted:
    """One type and measure.

    Attributes
    ----------
    group : Group
        Its records and its reference.
    records : Records
        The same as arrays.
    candidates : tuple of Candidate
        Families fitted to the records alone, the lognormal first; none where they are too few.
    written : Shrunk or None
        What is written; None where the cell stays as it is.
    """

    group: Group
    records: Records
    candidates: tuple[Candidate, ...]
    written: Shrunk | None


def fit_groups(groups: Iterable[Group], prior: float) -> tuple[Fitted, ...]:
    """Fit every group.

    Parameters
    ----------
    groups : iterable of Group
        From `read_history`.
    prior : float
        How many records a reference class counts as.
    """
    return tuple(_fit(group, prior) for group in groups)


def _fit(group: Group, prior: float) -> Fitted:
    records = Records.of(group.finished, group.running)
    leaning = group.reference is not None and prior > 0
    written = None
    if group.finished and (leaning or len(group.finished) >= FEWEST):
        written = shrink(records, group.reference, prior)
    return Fitted(group, records, candidates(records), written)


def fit_rows(fitted: Iterable[Fitted]) -> Iterable[Row]:
    """Yield the rows of fit.csv: reference, candidates and what is written, for each group."""
    for one in fitted:
        if one.group.reference is not None:
            yield _row(one, "reference", one.group.reference)
        for found in one.candidates:
            yield _row(one, "candidate", found.law, found)
        if one.written is not None:
            yield _row(one, "written", one.written.law)


def _row(one: Fitted, role: str, law: Distribution, found: Candidate | None = None) -> Row:
    likelihood = log_likelihood(one.records, law) if found is None else found.log_likelihood
    written = one.written if role == "written" else None
    return {
        "type": one.group.type,
        "measure": one.group.measure,
        "finished": len(one.records.finished),
        "running": len(one.records.running),
        "role": role,
        "family": law.name,
        "distribution": as_written(law),
        "log_likelihood": likelihood,
        "aic": found.aic if found else None,
        "aicc": found.aicc if found else None,
        "distance": found.distance if found else None,
        "p_value": found.p_value if found else None,
        "own_weight": written.weight if written else None,
        "in_tail": written.in_tail if written else None,
        **{f"p{percent}": percentile(law, percent / 100) for percent in _SHOWN},
    }


def type_rows(
    types: Sequence[Mapping[str, str]], fitted: Iterable[Fitted], prior: float
) -> list[dict[str, str]]:
    """Return the rows of the new types.csv: what was fitted replaced, `source` telling of it."""
    rows = {row["type"]: dict(row) for row in types}
    for one in fitted:
        if one.written is None:
            continue
        row, group = rows[one.group.type], one.group
        row[group.measure] = as_written(one.written.law)
        told = (
            f"{group.measure} fitted to {len(group.finished)} finished and {len(group.running)} "
            f"running own records, weight {one.written.weight:.2f}"
        )
        if one.written.weight < 1:
            told += f" beside a reference of {prior:g}: {group.given}"
        row["source"] = f"{told}; {row['source']}" if row["source"] else told
    return list(rows.values())
