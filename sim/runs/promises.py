"""Which promises are kept: by dates of projects, or by units finished in step with the work."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import PPM
from sim.plan.portfolio import Portfolio
from sim.plan.rows import Commitment

Ints = NDArray[np.int64]


def watched(portfolio: Portfolio) -> tuple[tuple[int, int], ...]:
    """Return the months and projects whose progress quantity promises ask for, in order."""
    index = _places(portfolio)
    pairs = {
        (month, i)
        for promise in portfolio.plan.commitments
        if promise.kind == "quantity" and (month := _month(portfolio, promise)) >= 0
        for i in map(index.__getitem__, promise.projects)
    }
    return tuple(sorted(pairs))


def fulfilled(
    portfolio: Portfolio, start: Ints, finish: Ints, delivered: Ints, progress: Ints
) -> tuple[Ints, Ints]:
    """Tell which commitments are kept, and the day or quantity that says so.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline; K commitments.
    start, finish, delivered : ndarray of int64, shape (R, P)
        Days.
    progress : ndarray of int64, shape (R, W)
        Share of the work left at day 0 that is done, ppm, in the order of `watched`.

    Returns
    -------
    kept, measure : ndarray of int64, shape (R, K)
        1 where it is kept; the day on which it is fulfilled, or thousandths of units by its
        deadline.
    """
    promises, index = portfolio.plan.commitments, _places(portfolio)
    place = {pair: k for k, pair in enumerate(watched(portfolio))}
    kept, measure = np.zeros((2, len(start), len(promises)), dtype=np.int64)
    for k, promise in enumerate(promises):
        if promise.kind == "outside":
            continue
        members = [index[name] for name in promise.projects]
        deadline = _deadline(portfolio, promise)
        if promise.kind in ("start", "finish"):
            days = start if promise.kind == "start" else delivered
            measure[:, k] = days[:, members].max(axis=1)
            kept[:, k] = measure[:, k] <= deadline
            continue
        # Units are finished one by one, in step with the work, and counted at month-ends; a
        # project whose work is done by the deadline has finished all of its units.
        month = _month(portfolio, promise)
        for i in members:
            quantity = round((portfolio.plan.projects[i].quantity or 0) * 1000)
            done = progress[:, place[month, i]] if month >= 0 else 0
            measure[:, k] += quantity * np.where(finish[:, i] <= deadline, PPM, done) // PPM
        kept[:, k] = measure[:, k] >= round((promise.quantity or 0) * 1000)
    return kept, measure


def _deadline(portfolio: Portfolio, promise: Commitment) -> int:
    assert promise.deadline is not None
    return (promise.deadline - portfolio.origin).days


def _month(portfolio: Portfolio, promise: Commitment) -> int:
    """Return the last month-end on or before the deadline; -1 where there is none."""
    day = _deadline(portfolio, promise)
    return int(np.searchsorted(portfolio.month_ends, day, side="right")) - 1


def _places(portfolio: Portfolio) -> dict[str, int]:
    return {project.id: i for i, project in enumerate(portfolio.plan.projects)}
