"""From frames and realizations to the records of kernels, and room to work in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.engine.compiled.records import (
    ACCOUNT,
    ACCOUNT_STATE,
    ARRIVAL,
    CACHE_LINE,
    CHECK,
    FILE_STATE,
    FILED,
    GATE,
    LINE,
    MONEY,
    NOBODY,
    NODE,
    POLICY,
    PROJECT,
    PURSE,
    SITE,
    TOLD,
    Agenda,
    Book,
    City,
    Indices,
    State,
    World,
)
from sim.engine.rules import PPM, Cause
from sim.sampling.layout import DRAWN, FILE, RELEASE, STOP, Drawn, Still, first_reached
from sim.sampling.realization import AccountRule, Frame, Ints, Realization

_TABLES = 6
_TREASURY = 6
_WINDOWS = 3
_SCRATCH = 4
_YEAR = 12
_GROUPS = 4
"""Of projects that share a pool; there is room for their sums at least."""


def build_world(
    frame: Frame, part: Ints | None = None, watched: Sequence[tuple[int, int]] = ()
) -> World:
    """Lay a plan out for kernels.

    Parameters
    ----------
    frame : Frame
        What is the same in every replication.
    part : ndarray of int64, shape (P,), optional
        By which reported value is summed.
    watched : sequence of (int, int), optional
        Months and projects, in order of month, whose progress is to be kept.
    """
    accounts, terms = frame.accounts, frame.terms
    months, count = len(frame.month_ends), len(frame.done)
    due_run, retention_run, row = _different_terms(terms.due_run, terms.retention_run)
    lines, of_account, account_first = _lines(frame)
    before_first, before = _lists(frame.gate_after)
    later_first, later = _turned(frame.gate_after, len(frame.gate_weight))
    predecessor_first, predecessors = _lists(frame.predecessors)
    successor_first, successors = _turned(frame.predecessors, count)
    watch_first = np.searchsorted([month for month, _ in watched], np.arange(months + 1))
    year_end = int(frame.month_ends[frame.year_end_month])
    left = (
        frame.planned_calendar[:, year_end + 1, None]
        - frame.planned_calendar[:, frame.month_ends + 1]
    )
    return World(
        policy=_policy(frame, year_end),
        projects=_projects(frame, row, part),
        filed=_records(
            FILED, count, before_year=frame.before_year, annual_plan=frame.annual_plan,
            planned_work=frame.planned_work, opening=terms.opening.sum(axis=1),
        ),
        gates=_gates(frame),
        accounts=_records(
            ACCOUNT, len(accounts.rule), rule=accounts.rule, debt=accounts.debt,
            own=accounts.own, bond=accounts.bond, lapses=accounts.lapses, opening=accounts.opening,
            line_first=account_first[:-1], line_end=account_first[1:],
        ),
        money=_money(frame),
        lines=lines,
        line_project=_indices(np.repeat(np.arange(count), np.diff(accounts.line_first))),
        arrivals=_arrivals(frame),
        checks=_records(
            CHECK, len(accounts.check_release), release=accounts.check_release,
            after=accounts.check_after, idle=accounts.check_idle,
        ),
        month_ends=_whole(frame.month_ends),
        pay_days=_whole(terms.pay_days),
        advance_run=_whole(terms.advance_run),
        accelerates=np.ascontiguousarray(frame.policy.accelerates, dtype=np.bool_),
        year_closes=np.ascontiguousarray(accounts.year_closes, dtype=np.bool_),
        knots=np.ascontiguousarray(
            np.stack([frame.first_knots, frame.second_knots], axis=1), dtype=np.int32
        ),
        filed_value=_whole(frame.filed_value.T),
        due_run=due_run,
        retention_run=retention_run,
        opening_due=_whole(terms.opening.T[: _last_run(terms.opening)]),
        left_to_year_end=_whole(left),
        planned_losses=_whole(frame.planned_losses),
        successor_first=successor_first,
        successors=successors,
        predecessor_first=predecessor_first,
        predecessors=predecessors,
        before_first=before_first,
        before=before,
        later_first=later_first,
        later=later,
        of_account=of_account,
        account_order=_indices(np.argsort(accounts.debt, kind="stable")),
        places=_whole(frame.window_places),
        watch_first=_whole(watch_first),
        watched=_whole([project for _, project in watched]),
    )  # fmt: skip


def _whole(values: ArrayLike) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int64)


def _indices(values: ArrayLike) -> Indices:
    return np.ascontiguousarray(values, dtype=np.uint32)


def _records(dtype: np.dtype[np.void], count: int, **fields: ArrayLike) -> NDArray[np.void]:
    table = _aligned(count, dtype)
    for name, values in fields.items():
        table[name] = values
        if (table[name] != values).any():  # records are narrow
            raise OverflowError(f"{name} does not fit {dtype[name]}")
    return table


def _aligned(count: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Return a table of zeros that begins where a line of the cache does."""
    whole = np.zeros(count * dtype.itemsize + CACHE_LINE, dtype=np.uint8)
    first = -whole.ctypes.data % CACHE_LINE
    return whole[first : first + count * dtype.itemsize].view(dtype)


def _copied(table: NDArray[np.void]) -> NDArray[np.void]:
    copy = _aligned(len(table), table.dtype)
    copy[:] = table
    return copy


def _lists(members: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """Lay lists out one after another; return where each begins, and all members."""
    first = np.concatenate([[0], np.cumsum([len(one) for one in members])])
    return _whole(first), _whole([each for one in members for each in one])


def _turned(members: Sequence[Sequence[int]], count: int) -> tuple[Ints, Ints]:
    """Return, for each of `count`, the lists in which it stands."""
    turned: list[list[int]] = [[] for _ in range(count)]
    for position, one in enumerate(members):
        for each in one:
            turned[each].append(position)
    return _lists(turned)


def _different_terms(due: Ints, retention: Ints) -> tuple[Ints, Ints, Ints]:
    """Keep each different pair of rows once; return them and the row of each project."""
    both = np.concatenate([due, retention], axis=1)
    rows, place = np.unique(both, axis=0, return_inverse=True)
    return _whole(rows[:, : due.shape[1]]), _whole(rows[:, due.shape[1] :]), _whole(place.ravel())


def _policy(frame: Frame, year_end: int) -> NDArray[np.void]:
    policy = frame.policy
    return _records(
        POLICY, 1, money_limited=policy.money_limited, starts_block=policy.starts_block,
        rates_change=policy.accelerates.any(), days=frame.days, months=len(frame.month_ends),
        year_end_month=frame.year_end_month, year_end=year_end, premium=policy.premium,
        adjustment_days=policy.adjustment_days, revision_day=policy.revision_day,
        adjustment_days_above=policy.adjustment_days_above,
        reallocation_days=policy.reallocation_days,
        first_debt=np.flatnonzero(frame.accounts.debt)[:1] if frame.accounts.debt.any() else NOBODY,
    )  # fmt: skip


def _last_run(opening: Ints) -> int:
    """Return how many runs there are until the last opening claim has fallen due."""
    return int(np.flatnonzero(opening.any(axis=0)).max(initial=-1)) + 1


def _projects(frame: Frame, terms_row: Ints, part: Ints | None) -> NDArray[np.void]:
    terms, accounts, months = frame.terms, frame.accounts, np.arange(len(frame.month_ends))
    recognised = [int(one) * (PPM + frame.policy.growth_limit) // PPM for one in frame.approved]
    by_name = (
        "begun", "finished", "abandoned", "in_target", "reserve", "cash_gated", "joined", "left",
        "baseline_start", "planned_start", "planned_finish", "done", "approved", "gate_begin",
        "prework_weight",
    )  # fmt: skip
    of_terms = (
        "pay_ratio", "retention", "recovery_from", "recovery_to", "tolerance", "slow_rate",
        "fast_rate",
    )  # fmt: skip
    return _records(
        PROJECT, len(frame.done),
        **{name: getattr(frame, name) for name in by_name},
        **{name: getattr(terms, name) for name in of_terms},
        recognised_limit=recognised, calendar=frame.class_of, terms=terms_row,
        part=0 if part is None else part,
        gate_first=frame.gate_first[:-1], gate_end=frame.gate_first[1:],
        tier=accounts.tier,
        opening_last=np.where(terms.opening != 0, months, -1).max(axis=1, initial=-1),
    )  # fmt: skip


def _money(frame: Frame) -> NDArray[np.void]:
    """Say which lines are whose; those of equity stand first."""
    accounts = frame.accounts
    first, end = accounts.line_first[:-1], accounts.line_first[1:]
    debt, own = accounts.debt[accounts.line_account], accounts.own[accounts.line_account]
    equity = np.append(0, np.cumsum(~debt))
    project = np.repeat(np.arange(len(first)), end - first)
    own_first, own_end = _spans(~debt & own, project, len(first))
    pool_first, pool_end = _spans(~debt & ~own, project, len(first))
    return _records(
        MONEY, len(first), first=first, debt=first + equity[end] - equity[first], end=end,
        own_first=own_first, own_end=own_end, pool_first=pool_first, pool_end=pool_end,
        equity_share=accounts.equity_share, in_target=frame.in_target,
    )  # fmt: skip


def _spans(chosen: NDArray[np.bool_], project: Ints, count: int) -> tuple[Ints, Ints]:
    """Return, for each of `count` projects, the first chosen place and the one after the last."""
    places = np.flatnonzero(chosen)
    first, end = np.full(count, len(chosen)), np.zeros(count, dtype=np.int64)
    np.minimum.at(first, project[places], places)
    np.maximum.at(end, project[places], places + 1)
    return np.minimum(first, end), end


def _gates(frame: Frame) -> NDArray[np.void]:
    counts = np.diff(frame.gate_first)
    places = np.append(frame.window_places, -1)[frame.gate_window]
    return _records(
        GATE, len(frame.gate_weight), project=np.repeat(np.arange(len(counts)), counts),
        weight=frame.gate_weight, window=frame.gate_window, places=places,
    )  # fmt: skip


def _lines(frame: Frame) -> tuple[NDArray[np.void], Indices, Ints]:
    """Lay out funding lines, and by account the lines that draw on it."""
    accounts = frame.accounts
    account = accounts.line_account
    of_account = np.argsort(account, kind="stable")
    remembers = accounts.own | (accounts.rule == AccountRule.FIFO)
    asked = remembers[account] if len(account) else np.zeros(0, dtype=np.bool_)
    shared = (~accounts.debt & ~accounts.own)[account] if len(account) else asked
    lines = _records(
        LINE, len(account), account=account, share=accounts.line_share, shared=shared,
        own=accounts.own[account] if len(account) else asked,
        history=np.where(asked, np.cumsum(asked) - 1, NOBODY),
    )  # fmt: skip
    first = np.searchsorted(account[of_account], np.arange(len(accounts.rule) + 1))
    return lines, _indices(of_account), _whole(first)


def _arrivals(frame: Frame) -> NDArray[np.void]:
    """Lay out releases: the money of a project lies in the purse of its line, or in one apart."""
    accounts = frame.accounts
    pairs = zip(accounts.release_account.tolist(), accounts.release_project.tolist(), strict=True)
    purses: dict[tuple[int, int], int] = {}
    counts = np.diff(accounts.line_first)
    projects = np.repeat(np.arange(len(counts)), counts)
    lines = zip(accounts.line_account.tolist(), projects.tolist(), strict=True)
    for position, pair in enumerate(lines):
        purses[pair] = position
    chosen = [
        NOBODY if project < 0 else purses.setdefault((account, project), len(purses))
        for account, project in pairs
    ]
    return _records(
        ARRIVAL, len(chosen), account=accounts.release_account, project=accounts.release_project,
        purse=chosen,
    )  # fmt: skip


def build_state(world: World, parts: int, tables: bool) -> State:
    """Return work space for one thread.

    Parameters
    ----------
    world : World
        From `build_world`.
    parts : int
        Number of parts by which reported value is summed.
    tables : bool
        Whether everything is to be told by project and month.
    """
    projects, months = len(world.projects), len(world.month_ends)
    gates, lines, accounts = len(world.gates), len(world.lines), len(world.accounts)
    checks, windows = len(world.checks), len(world.places)
    days, causes = int(world.policy["days"][0]), world.planned_losses.shape[1]
    histories = int(world.lines["history"].max(initial=-1)) + 1
    by_age = (world.accounts["rule"] == AccountRule.FIFO).any()
    most = max(projects, gates, len(world.arrivals), checks, lines, _GROUPS)
    marked = max(lines, int(world.arrivals["purse"].max(initial=-1)) + 1)
    # A part is cut in two at most once each time that money moves.
    nodes = len(world.arrivals) + accounts + 4 * lines + checks + 2

    def room(*shape: int, dtype: object = np.int64) -> NDArray[np.generic]:
        return np.zeros(shape, dtype=dtype)  # type: ignore[call-overload]

    return State(
        sites=_aligned(projects, SITE),
        told=room(projects, dtype=TOLD),
        money=_copied(world.money),
        files=room(gates, dtype=FILE_STATE),
        lines=_copied(world.lines),
        accounts=room(accounts, dtype=ACCOUNT_STATE),
        due=room(months, projects),
        # Who pays the oldest first looks at all runs, others no further back than a year.
        history=room(months if by_age else min(months, _YEAR + 1), histories),
        pools=room(accounts, dtype=PURSE),
        marked=room(marked, dtype=PURSE),
        aside=room(lines, dtype=PURSE),
        nodes=room(nodes, dtype=NODE),
        of_pool=room(lines),
        release_spent=room(len(world.arrivals)),
        check_spent=room(checks),
        by_day=room(days, len(Agenda), dtype=np.int32),
        following=room(len(Agenda), most, dtype=np.int32),
        active=room(projects, dtype=np.uint32),
        measuring=room(projects, dtype=np.uint32),
        queue_next=room(gates),
        queue_ends=room(windows, 3),
        places=room(windows),
        called=room(windows),
        scratch=room(_SCRATCH, most),
        trying=room(projects + 1),
        waiting=room(projects + 1),
        moved=room(checks),
        paying=room(projects, dtype=np.uint32),
        late=room(lines, dtype=np.uint32),
        pending=room(2 * projects, dtype=np.int32),
        available=room(2, len(world.left_to_year_end)),
        books=room(len(Book)),
        city=room(City.PARTS + parts, months),
        running=room(City.PARTS + parts),
        treasury=room(_TREASURY, accounts, months),
        windows=room(_WINDOWS, windows, months),
        causes=room(projects, len(Cause) + causes),
        watch=room(len(world.watched)),
        tables=room(_TABLES, projects if tables else 0, months if tables else 0),
    )


def pack_realization(frame: Frame, drawn: Realization) -> tuple[Still, Drawn]:
    """Turn one realization into the records of kernels; its own losses are the ones that stand."""
    fields = {name: getattr(drawn, name) for name in DRAWN.names or () if name[:4] != "stop"}
    stops = _records(STOP, len(drawn.stop_at), at=drawn.stop_at, days=drawn.stop_days)
    classes = len(drawn.calendar)
    still = Still(
        gate_open=np.ascontiguousarray(drawn.gate_open, dtype=np.bool_),
        workdays=_whole(drawn.workdays),
        reached=first_reached(drawn.workdays),
        may_start=np.ascontiguousarray(drawn.may_start, dtype=np.bool_),
        losses=np.ascontiguousarray(np.moveaxis(drawn.calendar_losses, 0, 2), dtype=np.int32),
    )
    return still, Drawn(
        projects=_records(
            DRAWN, len(frame.done), **fields, stop_first=drawn.stop_first[:-1],
            stop_end=drawn.stop_first[1:],
        ),
        files=_records(
            FILE, len(frame.gate_weight), preparation=drawn.gate_preparation,
            review=drawn.gate_review, delay=drawn.gate_delay, dropped=drawn.gate_dropped,
        ),
        stops=stops,
        releases=_records(
            RELEASE, len(drawn.release_day), day=drawn.release_day, amount=drawn.release_amount
        ),
        calendar=np.ascontiguousarray(drawn.calendar, dtype=np.int32),
        hits=np.zeros(classes, dtype=np.int64),
        hit_day=np.zeros((classes, 0), dtype=np.int32),
        hit_loss=np.zeros((classes, 0, len(drawn.calendar_losses)), dtype=np.int32),
        drivers=np.zeros(0),
    )  # fmt: skip
