"""The records that kernels read and write: what the plan fixes, and what a replication changes."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import Wait

# To the type checker what kernels read out of arrays is anything: it knows neither the fields of
# records nor that a machine number is as good as an integer. The compiler knows, and checks.
Int: Any = np.int64
Record = Any
Records = NDArray[Any]
Ints = NDArray[Any]
Ints32 = NDArray[Any]
Indices = NDArray[Any]

_FLAG, _INDEX, _SHORT, _WHOLE = np.bool_, np.uint32, np.int32, np.int64

CACHE_LINE = 64
"""Bytes that a processor fetches at once."""


def _record(
    wholes: str = "",
    shorts: str = "",
    indices: str = "",
    flags: str = "",
    cold: str = "",
    cold_flags: str = "",
) -> np.dtype[np.void]:
    """Lay out a record: yuan and nano-days in 64 bits; days, shares and positions in 32.

    Narrow records keep the state of a city in the cache of one core; what the months ask for
    stands first, `cold` days, positions and flags last. An index without a sign needs no code for
    places counted from the end.
    """
    kinds = [(wholes, _WHOLE), (shorts, _SHORT), (indices, _INDEX), (flags, _FLAG)]
    kinds += [(cold, _SHORT), (cold_flags, _FLAG)]
    return np.dtype([(name, kind) for names, kind in kinds for name in names.split()], align=True)


def _lines_of_cache(**fields: str) -> np.dtype[np.void]:
    """Lay out a record that begins where a line of the cache begins, in a table that does."""
    record: Any = _record(**fields)
    names = record.names
    return np.dtype(
        {
            "names": names,
            "formats": [record[name] for name in names],
            "offsets": [record.fields[name][1] for name in names],
            "itemsize": -(-record.itemsize // CACHE_LINE) * CACHE_LINE,
        },
        align=True,
    )


PROJECT = _lines_of_cache(
    # What every measuring asks for stands in the first.
    wholes="done approved recognised_limit",
    shorts="prework_weight retention pay_ratio recovery_from recovery_to",
    indices="calendar terms part",
    flags="in_target begun finished abandoned reserve cash_gated joined left",
    cold="tolerance slow_rate fast_rate baseline_start planned_start planned_finish gate_first "
    "gate_end gate_begin tier opening_last",
)
"""A project of the plan. The fields of `Frame`, `Terms` and `Accounts` by the same names, and:
`recognised_limit`, the value up to which growth counts before adjustment; `calendar`, its class;
`terms`, its row in `World.due_run`; `opening_last`, the last run at which any opening claim falls
due."""

FILED = _record("before_year annual_plan opening planned_work")
"""What is seldom asked of a project: `before_year`, `annual_plan` and `planned_work` as in `Frame`;
`opening`, yuan of all opening claims."""

GATE = _record(shorts="weight window places", indices="project")
"""An open gate; `places` of its window, -1 where it never binds or has none."""

ACCOUNT = _record("opening", "rule line_first line_end", flags="debt own bond lapses")
"""An account; its lines are `World.of_account[line_first:line_end]`."""

LINE = _record("due lacking", "share history", "account", "shared own reserved")
"""A funding line, equity before debt; `share`, of this line and those before it, ppm; `shared` on
equity accounts that others draw on too; `own` on owners' funds; `history`, its row of what fell due
by run, or -1 where nobody asks. In a replication: yuan `due` so far, and of them not paid
(`lacking`); `reserved` while anything is earmarked or set aside for it."""

ARRIVAL = _record(shorts="project purse", indices="account")
"""A release; `purse`, where its money goes."""

CHECK = _record(shorts="after", indices="release", flags="idle")
"""A check of a bond release's clock."""

POLICY = _record(
    "days months year_end_month year_end premium adjustment_days adjustment_days_above "
    "revision_day reallocation_days first_debt",
    flags="money_limited starts_block rates_change",
)
"""What is decided for the whole plan; `rates_change` where owners may accelerate; `first_debt`, the
debt account that pays first, or -1."""

SITE = _lines_of_cache(
    # What is read together stands together.
    wholes="value reported entitled retained premium effective target missed gained",
    shorts="since begun rate start dropped finish delivered worked step settled_at applied "
    "last_due stage",
    flags="advance_claimed over",
    cold="next_stop ready gates_missing predecessors_missing may_start_from files_from",
    cold_flags="given_up joined left",
)
"""A project in one replication. `stage` is a `Stage`; `begun`, milli-days of its calendar before
day `since`, up to which its work is counted; `worked`, milli-days when last measured;
`target`, milli-days at which the next stop or the finish comes; `last_due`, the last run at which
anything falls due."""

TOLD = np.dtype(
    [
        *((name, _WHOLE) for name in ["stopped", "year_value", "year_reported", "year_paid"]),
        ("year_arrears", _WHOLE),
        ("waits", _SHORT, (len(Wait),)),
    ],
    align=True,
)
"""What is seldom touched and told in the end: nano-days of stops, what stood at the plan year's
end, days of each wait."""

MONEY = _lines_of_cache(
    wholes="due equity_paid debt_paid",
    shorts="own_share equity_share first debt end own_first own_end pool_first pool_end",
    flags="in_target",
)
"""The money of a project: its lines, those of equity from `first`, those of debt from `debt` to
before `end`; all owners' funds among its equity stand from `own_first` to before `own_end`, all
else from `pool_first` to before `pool_end`, with some of the other between them perhaps, and both
ends are 0 where there is none; the equity's share of what is due, ppm; `in_target` of the project.
In a replication: yuan due so far and paid by class; the share of what is due that its owner has at
once, ppm."""

FILE_STATE = _record(shorts="begin ready taken passed unqueued before_missing")
"""A gate in one replication: days; `before_missing` gates it still waits for."""

PURSE = _record("total", "head tail")
"""Money; its parts, where they matter, are a list of nodes in `State.nodes`."""

NODE = _record("amount", "release next")
"""Part of a purse: yuan of a release (`OPENING` for what came with none)."""

ACCOUNT_STATE = _record(
    "lacking asked wanted paid released spent set_aside lapsed balance unmet",
    "asking",
    flags="goes_round dry received tell_tomorrow",
)
"""An account in one replication. `lacking`, yuan due and not paid on all its lines; `received`
while those who wait are to be told. Of a payment run: whether the pool surely `goes_round`, or is
`dry`; yuan
`asked` for in all, `wanted` of the pool, `asking` lines that share it; yuan `paid`."""

OPENING = -1
NOBODY = -1
"""Ends lists; stands where the number of a project, a window or a node is expected."""


class Agenda(IntEnum):
    """What a day can bring, as columns of `State.by_day`."""

    RECEIPT = 0
    MOVED = 1
    FILE = 2
    REVIEW = 3
    START = 4
    WORK = 5
    DELIVERY = 6
    CHECK = 7


class Book(IntEnum):
    """Counters of a replication, as places in `State.books`."""

    FREE_NODE = 0
    """First of the nodes given back."""
    KNOWN_UNTIL = 1
    """Last day for which work rates are set."""
    REVISED = 2
    """1 once the plan is revised."""
    ACTIVE = 3
    MEASURING = 4
    TRYING = 5
    TELL_TOMORROW = 6
    CALLED = 7
    WAITING = 8
    """Projects that wait for a first instalment."""
    PENDING = 9
    """Projects that may have passed all that they waited for."""
    FRESH_NODE = 10
    """First of the nodes that nobody has had yet."""
    OVER = 11
    """1 once all projects are over and no account goes on receiving."""


class City(IntEnum):
    """Rows of `State.city`; reported value by part of the plan follows."""

    WORK_DONE = 0
    REPORTED = 1
    PAID = 2
    ARREARS = 3
    PARTS = 4


class Stage(IntEnum):
    """What a project waits for."""

    OUT = 0
    """Nothing more can come: finished or given up before day 0."""
    GATES = 1
    """Its gates, or those it follows."""
    DECISION = 2
    """The revision of the plan, which may bring it forward."""
    READY = 3
    """Will be tried on a day that is set."""
    MONEY = 4
    """Will be tried when one of its equity accounts receives money."""
    NEVER = 5
    """Not before the horizon."""
    BUILDING = 6
    ACCEPTANCE = 7
    DELIVERED = 8
    GIVEN_UP = 9


class World(NamedTuple):
    """What is the same in every replication; M months, C calendar classes, K calendar causes.

    Attributes
    ----------
    policy : ndarray of POLICY, shape (1,)
    projects, filed, gates, accounts, money, lines, arrivals, checks
        Records of the plan; money and lines as they stand before the first day.
    line_project : ndarray of uint32, shape (L,)
        Whose a line is.
    month_ends, pay_days, advance_run : ndarray of int64, shape (M,)
    accelerates, year_closes : ndarray of bool, shape (M,)
    knots : ndarray of int32, shape (P, 2, segments + 1)
        Both curves of each project.
    filed_value : ndarray of int64, shape (Y, P)
    due_run, retention_run : ndarray of int64, shape (T, M)
        By terms: each different row once.
    opening_due : ndarray of int64, shape (number of runs to the last of them, P)
    left_to_year_end : ndarray of int64, shape (C, M)
        Planned milli-days from a month-end to the plan year's end.
    planned_losses : ndarray of int64, shape (P, K)
    successor_first, successors : ndarray of int64
        Who waits for each project, as lists one after another.
    predecessor_first, predecessors : ndarray of int64
    before_first, before, later_first, later : ndarray of int64
        Gates that each gate waits for, and those that wait for it.
    of_account : ndarray of uint32, shape (L,)
        Lines, account by account, in order of rank.
    account_order : ndarray of uint32, shape (A,)
        Accounts in the order in which they pay: equity before debt.
    places : ndarray of int64, shape (W,)
        Places of each window; -1 where it never binds.
    watch_first, watched : ndarray of int64
        Projects whose progress is kept, month by month.
    """

    policy: Records
    projects: Records
    filed: Records
    gates: Records
    accounts: Records
    money: Records
    lines: Records
    line_project: Indices
    arrivals: Records
    checks: Records
    month_ends: Ints
    pay_days: Ints
    advance_run: Ints
    accelerates: NDArray[np.bool_]
    year_closes: NDArray[np.bool_]
    knots: Ints32
    filed_value: Ints
    due_run: Ints
    retention_run: Ints
    opening_due: Ints
    left_to_year_end: Ints
    planned_losses: Ints
    successor_first: Ints
    successors: Ints
    predecessor_first: Ints
    predecessors: Ints
    before_first: Ints
    before: Ints
    later_first: Ints
    later: Ints
    of_account: Indices
    account_order: Indices
    places: Ints
    watch_first: Ints
    watched: Ints


class State(NamedTuple):
    """Work space of one replication; what changes in it is written before it is read.

    Attributes
    ----------
    sites, told, money, files, lines, accounts
        Records by project (three), gate, line, account; money and lines with what the plan says.
    due : ndarray of int64, shape (M, P)
        Yuan that fall due at each run.
    history : ndarray of int64, shape (M or 13, H)
        Yuan due so far at each run, of the lines that are asked for it; where a year is enough,
        rows are used again.
    pools, marked, aside : ndarray of PURSE
        By account; by line, and those of releases without one; by line.
    nodes : ndarray of NODE
        Parts of purses; those given back form a list.
    of_pool : ndarray of int64, shape (L,)
        Yuan of the pool among what is set aside for a line.
    release_spent, check_spent : ndarray of int64
    by_day : ndarray of int32, shape (D, 8)
        First of each list of what a day brings, by `Agenda`.
    following : ndarray of int32, shape (8, most of anything)
        The next in the list.
    active, measuring : ndarray of uint32, shape (P,)
        Projects that are not over, and those still measured.
    queue_next, queue_ends, places, called : ndarray of int64
        Files waiting at each window as a list; its first, its last and its length; free places;
        windows to look at today.
    scratch : ndarray of int64, shape (4, most of anything)
        For sorting, asking and sharing.
    trying : ndarray of int64
        Projects to be tried today, a heap by rank.
    waiting : ndarray of int64
        Projects that wait for a first instalment.
    moved : ndarray of int64
        By check: yuan on their way to another use.
    paying : ndarray of uint32
        Projects to be paid in this run by pools that may not go round.
    late : ndarray of uint32
        Lines on the first debt account whose projects share a pool of equity before.
    pending : ndarray of int32
        Projects to `proceed` with.
    available : ndarray of int64, shape (2, C)
        Milli-days of each calendar by the end of the month, and of the last day for which work
        rates are set. All classes are looked up at once: what is waited for overlaps.
    books : ndarray of int64
        Counters, by `Book`.
    city : ndarray of int64, shape (4 + K, M)
        Sums over the projects in the target by month: work done, reported, paid; arrears of all;
        reported by part.
    running : ndarray of int64, shape (4 + K,)
        The same as they stand.
    treasury : ndarray of int64, shape (6, A, M)
        Accounts by month: released, spent, set aside, lapsed, balance, unmet.
    windows : ndarray of int64, shape (3, W, M)
        Files queued, taken, and days that these had waited.
    causes : ndarray of int64, shape (P, 7 + K)
    watch : ndarray of int64
        Progress of those watched, ppm.
    tables : ndarray of int64, shape (6, P, M) or (6, 0, 0)
        Value, reported, paid, arrears, claimed and progress by month, where they are kept.
    """

    sites: Records
    told: Records
    money: Records
    files: Records
    lines: Records
    accounts: Records
    due: Ints
    history: Ints
    pools: Records
    marked: Records
    aside: Records
    nodes: Records
    of_pool: Ints
    release_spent: Ints
    check_spent: Ints
    by_day: Ints32
    following: Ints32
    active: Indices
    measuring: Indices
    queue_next: Ints
    queue_ends: Ints
    places: Ints
    called: Ints
    scratch: Ints
    trying: Ints
    waiting: Ints
    moved: Ints
    paying: Indices
    late: Indices
    pending: Ints32
    available: Ints
    books: Ints
    city: Ints
    running: Ints
    treasury: Ints
    windows: Ints
    causes: Ints
    watch: Ints
    tables: Ints
