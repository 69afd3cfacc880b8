"""What is told of each replication of a batch, before it is counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER, PPM
from sim.engine.trajectory import Trajectory
from sim.plan.portfolio import Portfolio
from sim.runs.parts import Parts, by_stage
from sim.runs.promises import fulfilled, watched
from sim.sampling.realization import Frame, Realization

Ints = NDArray[np.int64]

MEASURES = ("work_done", "reported", "paid")
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
    part_months : ndarray of int64, shape (N, K, M)
        Reported value of the year by part of the plan: by stage, in the order of `parts.STAGES`,
        where nothing else was asked for.
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
    part_months: Ints
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

    def part(self, rows: slice | Sequence[int] | Ints) -> Outcomes:
        """Return some of the replications; of a slice, as views."""
        kept = {
            field.name: getattr(self, field.name)[rows]
            for field in dataclasses.fields(self)
            if field.name != "drivers"
        }
        drivers = {name: values[rows] for name, values in self.drivers.items()}
        return Outcomes(**kept, drivers=drivers)

    @property
    def makespan(self) -> Ints:
        """Days from the status date to the last finish, shape (N,); `NEVER` beyond the horizon."""
        last = self.finish.max(axis=1)
        return np.where(last == NEVER, NEVER, last + 1)


def collect(
    portfolio: Portfolio,
    frame: Frame,
    pairs: Sequence[tuple[Realization, Trajectory]],
    parts: Parts | None = None,
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
    parts : Parts, optional
        Whose reported value is summed month by month; the stages where not given.
    """
    month = portfolio.year_end_month
    target = portfolio.in_target
    summed = by_stage(portfolio) if parts is None else parts
    masks = [(summed.of_project == part) & target for part in range(summed.count)]
    year_end, months, net, part_months = [], [], [], []
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
        part_months.append(np.stack([of_year["reported"][mask].sum(axis=0) for mask in masks]))
    start, finish, delivered = (
        np.stack([getattr(one, name) for _, one in pairs])
        for name in ("start", "finish", "delivered")
    )
    progress = np.array(
        [[one.progress[i, month] for month, i in watched(portfolio)] for _, one in pairs],
        dtype=np.int64,
    )
    kept, kept_measure = fulfilled(portfolio, start, finish, delivered, progress)
    names = sorted({name for drawn, _ in pairs for name in drawn.drivers})
    return Outcomes(
        replications=np.array([one.replication for _, one in pairs], dtype=np.int64),
        start=start,
        finish=finish,
        delivered=delivered,
        dropped=np.stack([one.dropped for _, one in pairs]),
        waits=np.stack([one.waits for _, one in pairs]),
        causes=np.stack([one.causes for _, one in pairs]),
        joined=np.stack([one.joined for _, one in pairs]),
        left=np.stack([one.left for _, one in pairs]),
        year_end=np.stack(year_end),
        months=np.stack(months),
        net_of_growth=np.stack(net),
        part_months=np.stack(part_months),
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
        kept=kept,
        kept_measure=kept_measure,
        drivers={name: np.array([drawn.drivers[name] for drawn, _ in pairs]) for name in names},
    )


def _net_of_growth(portfolio: Portfolio, total: Ints, value: Ints) -> Ints:
    """Return value since the year began at approved prices: what grew is taken in proportion."""
    left = np.maximum(total - portfolio.done, 1)
    ratio = np.minimum((portfolio.total - portfolio.done) * PPM // left, PPM)
    grown = (value - portfolio.done) * ratio // PPM
    return np.asarray(portfolio.done - portfolio.before_year + grown, dtype=np.int64)
