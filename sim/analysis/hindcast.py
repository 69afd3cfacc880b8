"""Promises of a plan held against what became of them, beside humble forecasts of the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.analysis.scoring import Brier, brier
from sim.plan.outcomes import Outcome, Outcomes
from sim.runs.folder import StoredRun

Floats = NDArray[np.float64]
GROUPS = {"strong": ("must", "plan"), "weak": ("strive", "explore")}
"""Strengths of promises; what a city means to do is not scored together with what it hopes for."""
FORECASTS = ("model", "on_time", "base_rate", "slippage")
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise that the model can keep or break.

    Attributes
    ----------
    id, text, strength, kind, deadline : str
        From commitments.csv of a run.
    model, model_low, model_high : float
        Share of replications that keep it, and the ends of its 95 % interval (sampling error);
        NaN for the ends where one replication tells nothing.
    slippage : float
        The same share where nothing but the types' slips and durations is uncertain.
    kept : bool or None
        What became of it; None where it is unknown.
    source, confidence, note : str
        Of the outcome.
    """

    id: str
    text: str
    strength: str
    kind: str
    deadline: str
    model: float
    model_low: float
    model_high: float
    slippage: float
    kept: bool | None
    source: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of one forecast.

    Attributes
    ----------
    forecast : str
        One of `FORECASTS`.
    brier : float
        Mean of (probability - outcome)^2; 0 is best, 0.25 what "fifty-fifty" always gets.
    tenths : Brier or None
        Score and parts of the forecast rounded to tenths: parts need several cases of one
        probability. score = reliability - resolution + uncertainty. None for a base rate that
        leaves each case out: it gives kept and missed ones different probabilities by its making.
    worse, low, high : float or None
        By how much its score is above the model's (negative: better), and the ends of the 95 %
        interval of that; None for the model itself, the ends also with less than two cases.
    """

    forecast: str
    brier: float
    tenths: Brier | None
    worse: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Promises of one kind of strength.

    Attributes
    ----------
    name : str
        `strong` or `weak`.
    promises : tuple of Promise
        All of them, known and unknown.
    kept, missed, unknown : int
        How many.
    scores : tuple of Score
        Of the known ones; empty where there are none. A forecast that cannot be made (a base rate
        without a second case) is left out.
    probabilities : mapping of str to tuple of float
        By forecast, for the known promises in order.
    """

    name: str
    promises: tuple[Promise, ...]
    kept: int
    missed: int
    unknown: int
    scores: tuple[Score, ...]
    probabilities: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan's promises held against what became of them.

    Attributes
    ----------
    plan, status_date : str
        What was forecast, and when.
    replications, seed : int
        How.
    run, run_of_slippage : str
        Fingerprints of both runs.
    outcomes_sha256 : str
        Hash of the table of outcomes.
    base_rate : float or None
        As given; None where it comes from the outcomes.
    outside : int
        Promises of which the model says nothing.
    groups : tuple of Group
        Strong, then weak.
    """

    plan: str
    status_date: str
    replications: int
    seed: int
    run: str
    run_of_slippage: str
    outcomes_sha256: str
    base_rate: float | None
    outside: int
    groups: tuple[Group, ...]


def held_against(
    stored: StoredRun, slipping: StoredRun, outcomes: Outcomes, base_rate: float | None
) -> Judged:
    """Hold the promises of a run against what became of them.

    Parameters
    ----------
    stored, slipping : StoredRun
        The run, and the one in which types' slips and durations alone are uncertain.
    outcomes : Outcomes
        From `read_outcomes`.
    base_rate : float or None
        As in `score_groups`.
    """
    rows, about = stored.table("commitments"), stored.manifest
    promises = promises_of(rows, slipping.table("commitments"), outcomes.by_commitment)
    return Judged(
        plan=about["plan"],
        status_date=about["status_date"],
        replications=about["replications"],
        seed=about["seed"],
        run=about["fingerprint"],
        run_of_slippage=slipping.manifest["fingerprint"],
        outcomes_sha256=outcomes.sha256,
        base_rate=base_rate,
        outside=len(rows) - len(promises),
        groups=score_groups(promises, base_rate),
    )


def promises_of(
    rows: Sequence[Mapping[str, str]],
    slipping: Sequence[Mapping[str, str]],
    outcomes: Mapping[str, Outcome],
) -> tuple[Promise, ...]:
    """Join the promises that were judged in two runs with what became of them.

    Parameters
    ----------
    rows, slipping : sequence of rows
        commitments.csv of the run and of the run in which types' slips and durations alone are
        uncertain. Promises outside construction have no probability and are left out.
    outcomes : mapping of str to Outcome
        By promise; what is absent is unknown.
    """
    other = {row["id"]: row for row in slipping}
    found = []
    for row in rows:
        if not row["p_kept"]:
            continue
        one = outcomes.get(row["id"])
        found.append(
            Promise(
                id=row["id"],
                text=row["text"],
                strength=row["strength"],
                kind=row["kind"],
                deadline=row["deadline"],
                model=float(row["p_kept"]),
                model_low=float(row["p_kept_low"] or "nan"),
                model_high=float(row["p_kept_high"] or "nan"),
                slippage=float(other[row["id"]]["p_kept"]),
                kept=None if one is None else one.kept,
                source="" if one is None else one.source,
                confidence="" if one is None else one.confidence,
                note="" if one is None else one.note,
            )
        )
    return tuple(found)


def score_groups(promises: Sequence[Promise], base_rate: float | None = None) -> tuple[Group, ...]:
    """Score strong and weak promises apart.

    Parameters
    ----------
    promises : sequence of Promise
        From `promises_of`.
    base_rate : float or None
        Probability that the humble forecast gives every promise; None: to each the share kept
        among the other known promises of its group (leave one out), which uses later knowledge.
    """
    return tuple(
        _group(name, [one for one in promises if one.strength in strengths], base_rate)
        for name, strengths in GROUPS.items()
    )


def _group(name: str, promises: Sequence[Promise], base_rate: float | None) -> Group:
    known = [one for one in promises if one.kept is not None]
    came = np.array([bool(one.kept) for one in known], dtype=np.float64)
    given = _forecasts(known, came, base_rate)
    return Group(
        name=name,
        promises=tuple(promises),
        kept=int(came.sum()),
        missed=int(len(came) - came.sum()),
        unknown=len(promises) - len(known),
        scores=tuple(
            _score(forecast, probabilities, given["model"], came, base_rate)
            for forecast, probabilities in given.items()
            if known
        ),
        probabilities={key: tuple(values.tolist()) for key, values in given.items()},
    )


def _forecasts(
    known: Sequence[Promise], came: Floats, base_rate: float | None
) -> dict[str, Floats]:
    count = len(known)
    given = {
        "model": np.array([one.model for one in known]),
        "on_time": np.ones(count),
        "base_rate": np.full(count, np.nan if base_rate is None else base_rate),
        "slippage": np.array([one.slippage for one in known]),
    }
    if base_rate is None:
        if count < 2:
            del given["base_rate"]
        else:
            given["base_rate"] = (came.sum() - came) / (count - 1)
    return given


def _score(
    forecast: str, probabilities: Floats, model: Floats, came: Floats, base_rate: float | None
) -> Score:
    left_out = forecast == "base_rate" and base_rate is None
    worse = low = high = None
    if forecast != "model":
        gaps = (probabilities - came) ** 2 - (model - came) ** 2
        worse = float(gaps.mean())
        low, high = _interval(gaps)
    return Score(
        forecast=forecast,
        brier=brier(probabilities, came).score,
        tenths=None if left_out else brier(np.round(probabilities, 1), came),
        worse=worse,
        low=low,
        high=high,
    )


def _interval(gaps: Floats) -> tuple[float | None, float | None]:
    """Return the ends of Student's t interval of a mean, from cases taken as independent."""
    from scipy import stats

    count = len(gaps)
    if count < 2:
        return None, None
    reach = float(stats.t.ppf(0.5 + _LEVEL / 2, count - 1)) * float(gaps.std(ddof=1))
    reach /= math.sqrt(count)
    return float(gaps.mean()) - reach, float(gaps.mean()) + reach
