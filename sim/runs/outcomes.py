"""What is told of each replication of a batch, before it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER, PPM
from sim.engine.trajectory import Trajectory
from sim.plan.portfolio import Portfolio
from sim.plan.rows import Commitment
from sim.sampling.realization import Frame, Realization

Ints = NDArray[np.int64]

MEASURES = ("work_done", "reported", "paid")
STAGES = ("completing", "continuing", "new", "pre_work")
ACCOUNT_MEASURES = ("released", "spent", "set_aside", "lapsed", "balance", "unmet")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Arrays over the replications of one batch (first axis).

    Attributes
    ----------
    replications : ndarray of int64, shape (N,)
        Numbers.
    start, finish, delivered : ndarray of int64, shape (N, P)
        Days; `NEVER` beyond the horizon.
    dropped : ndarray of int64, shape (N, P)
        Days on which projects were given up; `NEVER` for most.
    waits : ndarray of int64, shape (N, P, 6)
        Days by which each cause of `rules.Wait` moved the start.
    causes : ndarray of int64, shape (N, P, 7 + K)
        Billionths of a day by which each later cause moved the finish.
    joined, left : ndarray of bool, shape (N, P)
        Whether decisions brought a project into the revised plan, or took it out.
    year_end : ndarray of int64, shape (N, 3, P)
        Yuan of the plan year by measure, in the order of `MEASURES`.
    months : ndarray of int64, shape (N, 3, M)
        The same summed over the projects in the target, cumulative at each month-end.
    net_of_growth : ndarray of int64, shape (N, 2)
        Work done and reported at year-end at approved prices, over the projects in the target.
    stage_months : ndarray of int64, shape (N, S, M)
        Reported value of the year by stage, in the order of `STAGES`.
    arrears : ndarray of int64, shape (N, P)
        Yuan due and unpaid at the plan year's end.
    arrears_months : ndarray of int64, shape (N, M)
        The same of all projects at each month-end.
    final_cost : ndarray of int64, shape (N, P)
        Yuan of realised total cost, premiums for acceleration included.
    accounts : ndarray of int64, shape (N, 6, A, M)
        Yuan of each account at each month-end, in the order of `ACCOUNT_MEASURES`.
    queues : ndarray of int64, shape (N, 3, W, M)
        Of each window and month: files waiting at its end, files taken, days these had waited.
    check_spent, check_amount : ndarray of int64, shape (N, Q)
        Yuan spent of a bond release by each check of its clock (-1 beyond the horizon), and
        yuan of the release.
    kept : ndarray of int64, shape (N, K)
        1 where a commitment is kept, by its position in the plan.
    kept_measure : ndarray of int64, shape (N, K)
        Day on which it is fulfilled, or thousandths of units by its deadline.
    drivers : dict of str to ndarray of float64, shape (N,)
        What the shared drivers drew.
    """

    replications: Ints
    start: Ints
    finish: Ints
    delivered: Ints
    dropped: Ints
    waits: Ints
    causes: Ints
    joined: NDArray[np.bool_]
    left: NDArray[np.bool_]
    year_end: Ints
    months: Ints
    net_of_growth: Ints
    stage_months: Ints
    arrears: Ints
    arrears_months: Ints
    final_cost: Ints
    accounts: Ints
    queues: Ints
    check_spent: Ints
    check_amount: Ints
    kept: Ints
    kept_measure: Ints
    drivers: dict[str, NDArray[np.float64]]

    @property
    def makespan(self) -> Ints:
        """Days from the status date to the last finish, shape (N,); `NEVER` beyond the horizon."""
        last = self.finish.max(axis=1)
        return np.where(last == NEVER, NEVER, last + 1)


def collect(
    portfolio: Portfolio, frame: Frame, pairs: Sequence[tuple[Realization, Trajectory]]
) -> Outcomes:
    """Keep what is needed of a batch.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    frame : Frame
        What engines were given beside each realization.
    pairs : sequence of (Realization, Trajectory)
        What was drawn and what followed.
    """
    month = portfolio.year_end_month
    target = portfolio.in_target
    stages = np.array([one.stage for one in portfolio.plan.projects])
    masks = [(stages == stage) & target for stage in STAGES]
    year_end, months, net, stage_months, kept = [], [], [], [], []
    for drawn, one in pairs:
        of_year = {
            "work_done": one.value - portfolio.before_year[:, None],
            "reported": one.reported - portfolio.before_year[:, None],
            "paid": one.paid,
        }
        year_end.append(np.stack([of_year[measure][:, month] for measure in MEASURES]))
        months.append(np.stack([of_year[measure][target].sum(axis=0) for measure in MEASURES]))
        at_approved_prices = [
            _net_of_growth(portfolio, drawn.total, values[:, month])[target].sum()
            for values in (one.value, one.reported)
        ]
        net.append(np.array(at_approved_prices, dtype=np.int64))
        stage_months.append(np.stack([of_year["reported"][mask].sum(axis=0) for mask in masks]))
        kept.append([_fulfilled(portfolio, one, promise) for promise in portfolio.plan.commitments])
    fulfilled = np.array(kept, dtype=np.int64).reshape(len(pairs), -1, 2)
    names = sorted({name for drawn, _ in pairs for name in drawn.drivers})
    return Outcomes(
        replications=np.array([one.replication for _, one in pairs], dtype=np.int64),
        start=np.stack([one.start for _, one in pairs]),
        finish=np.stack([one.finish for _, one in pairs]),
        delivered=np.stack([one.delivered for _, one in pairs]),
        dropped=np.stack([one.dropped for _, one in pairs]),
        waits=np.stack([one.waits for _, one in pairs]),
        causes=np.stack([one.causes for _, one in pairs]),
        joined=np.stack([one.joined for _, one in pairs]),
        left=np.stack([one.left for _, one in pairs]),
        year_end=np.stack(year_end),
        months=np.stack(months),
        net_of_growth=np.stack(net),
        stage_months=np.stack(stage_months),
        arrears=np.stack([one.arrears[:, month] for _, one in pairs]),
        arrears_months=np.stack([one.arrears.sum(axis=0) for _, one in pairs]),
        final_cost=np.stack([drawn.total + one.premium for drawn, one in pairs]),
        accounts=np.stack(
            [np.stack([getattr(one, name) for name in ACCOUNT_MEASURES]) for _, one in pairs]
        ),
        queues=np.stack([np.stack([one.queued, one.taken, one.waited]) for _, one in pairs]),
        check_spent=np.stack([one.check_spent for _, one in pairs]),
        check_amount=np.stack(
            [drawn.release_amount[frame.accounts.check_release] for drawn, _ in pairs]
        ),
        kept=fulfilled[:, :, 0],
        kept_measure=fulfilled[:, :, 1],
        drivers={name: np.array([drawn.drivers[name] for drawn, _ in pairs]) for name in names},
    )


def _net_of_growth(portfolio: Portfolio, total: Ints, value: Ints) -> Ints:
    """Return value since the year began at approved prices: what grew is taken in proportion."""
    left = np.maximum(total - portfolio.done, 1)
    ratio = np.minimum((portfolio.total - portfolio.done) * PPM // left, PPM)
    grown = (value - portfolio.done) * ratio // PPM
    return np.asarray(portfolio.done - portfolio.before_year + grown, dtype=np.int64)


def _fulfilled(portfolio: Portfolio, one: Trajectory, promise: Commitment) -> tuple[int, int]:
    """Tell whether a commitment is kept, and the day or quantity that says so."""
    if promise.kind == "outside":
        return 0, 0
    assert promise.deadline is not None
    index = {project.id: i for i, project in enumerate(portfolio.plan.projects)}
    members = [index[name] for name in promise.projects]
    deadline = (promise.deadline - portfolio.origin).days
    if promise.kind in ("start", "finish"):
        days = one.start if promise.kind == "start" else one.delivered
        last = int(days[members].max())
        return int(last <= deadline), last
    # Units are finished one by one, in step with the work, and counted at month-ends; a project
    # whose work is done by the deadline has finished all of its units.
    month = int(np.searchsorted(portfolio.month_ends, deadline, side="right")) - 1
    units = 0
    for i in members:
        quantity = round((portfolio.plan.projects[i].quantity or 0) * 1000)
        done = int(one.progress[i, month]) if month >= 0 else 0
        units += quantity * (PPM if one.finish[i] <= deadline else done) // PPM
    return int(units >= round((promise.quantity or 0) * 1000)), units
