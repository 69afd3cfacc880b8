"""A plan as typed, frozen rows. Column names, defaults and meanings stand in `fields.csv`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from sim.plan.language import Distribution

Funding = tuple[tuple[str, Fraction], ...]
MonthDay = tuple[int, int]

EVERY_RISK = "all"
"""Stands for all risks in the lever `mitigate`."""
Alternatives = tuple[tuple[str, float], ...]
"""Risks of which one at most is triggered, each with its probability."""


@dataclass(frozen=True, slots=True)
class Project:
    """A row of projects.csv; amounts in whole yuan."""

    id: str
    name: str
    project_code: str
    system: str
    programme: str
    county: str
    type: str
    tier: str
    owner: str
    investor: str
    procedure: str
    stage: str
    rank: int
    total: int
    done_before_year: int
    done_this_year: int
    annual_plan: int
    planned_start: datetime.date
    planned_finish: datetime.date
    gates: tuple[str, ...]
    funding: Funding
    arrears: int
    predecessors: tuple[str, ...]
    duration: Distribution
    cost: Distribution
    quantity: float | None
    unit: str
    tags: tuple[str, ...]
    provenance: str
    source: str
    note: str

    @property
    def done(self) -> int:
        """Value completed up to the status date, in yuan."""
        return self.done_before_year + self.done_this_year


@dataclass(frozen=True, slots=True)
class Account:
    """A row of accounts.csv; amounts in whole yuan."""

    id: str
    name: str
    class_: str
    county: str
    opening: int
    budget: int
    rule: str
    year_end: str
    equity: str
    provenance: str
    source: str


@dataclass(frozen=True, slots=True)
class Release:
    """A row of releases.csv; amounts in whole yuan."""

    account: str
    batch: str
    issued: datetime.date | None
    available: datetime.date
    amount: int
    project: str
    provenance: str
    source: str


@dataclass(frozen=True, slots=True)
class ProjectType:
    """A row of types.csv."""

    type: str
    duration: Distribution
    cost: Distribution
    duration_cost_correlation: float
    slip: Distribution
    no_start: float
    acceptance_days: Distribution
    curve_a: float
    curve_b: float
    season: str
    advance: float
    advance_recovery: tuple[float, float]
    early_share: float
    pay_ratio: float
    pay_lag_days: int
    retention: float
    retention_days: int
    arrears_tolerance: float
    slow_rate: float
    acceleration: float
    funding: Funding
    source: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A row of gates.csv; times in working days."""

    procedure: str
    gate: str
    name: str
    after: tuple[str, ...]
    preparation: Distribution
    review: Distribution
    window: str
    cushion: float
    source: str


@dataclass(frozen=True, slots=True)
class Window:
    """A row of windows.csv."""

    window: str
    name: str
    places: int | None
    outside_load: float
    source: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A row of calendar.csv: a season class is available for a share of each day of a spell."""

    season: str
    county: str
    from_: datetime.date | MonthDay
    to: datetime.date | MonthDay
    availability: float
    cause: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a filter on projects: a column has (or, excluding, has not) one of values."""

    column: str
    values: tuple[str, ...]
    excludes: bool


@dataclass(frozen=True, slots=True)
class Repetition:
    """How often a risk may strike: so many times independently, or in a loop up to so many."""

    most: int
    loop: bool


@dataclass(frozen=True, slots=True)
class Risk:
    """A row of risks.csv; `at` is the code of a gate or a share of the whole work."""

    id: str
    name: str
    applies_to: tuple[Condition, ...]
    probability: float
    at: str | Distribution
    days: Distribution
    cost: Distribution
    repeat: Repetition
    scope: str
    triggers: tuple[Alternatives, ...]
    parallel: str
    effect: str
    mitigation: str
    mitigation_cost: int
    mitigated_probability: float | None
    mitigated_days: Distribution | None
    source: str


@dataclass(frozen=True, slots=True)
class BondFloor:
    """A row of bond_floors.csv: what share of a bond release must be spent so many months on."""

    county: str
    issued_from: datetime.date | None
    issued_to: datetime.date | None
    smallest: int
    months: int
    share: float
    source: str


@dataclass(frozen=True, slots=True)
class Levers:
    """What the city decides; the defaults change nothing.

    Attributes
    ----------
    start_rule : {"wait", "block"}
        Whether a project that waits for money lets others pass.
    acceleration : {"on", "off"}
        Whether owners may accelerate from August to November.
    december_cut_off : (month, day) or None
        Last payment day of the year, where it is not the plan's own.
    payment_rule : {"tier", "pro_rata", "fifo"} or None
        Rule of all accounts, where it is not their own.
    bond_delay_days : int
        Days by which special bonds are issued and usable later.
    bond_reallocation_days : int or None
        Days from withdrawing bond money idle at six months to its new use.
    drop, postpone, pull_forward : tuple of str
        Projects that leave the plan, wait for the next year, or come out of the reserve.
    revision_date : datetime.date or None
        Day on which the plan is revised.
    mitigate : tuple of str
        Risks that are mitigated.
    """

    start_rule: str = "wait"
    acceleration: str = "on"
    december_cut_off: MonthDay | None = None
    payment_rule: str | None = None
    bond_delay_days: int = 0
    bond_reallocation_days: int | None = None
    drop: tuple[str, ...] = ()
    postpone: tuple[str, ...] = ()
    pull_forward: tuple[str, ...] = ()
    revision_date: datetime.date | None = None
    mitigate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commitment:
    """A row of commitments.csv."""

    id: str
    key_task: int | None
    text: str
    strength: str
    kind: str
    projects: tuple[str, ...]
    quantity: float | None
    unit: str
    deadline: datetime.date | None
    why_outside: str


@dataclass(frozen=True, slots=True)
class Correlation:
    """A row of correlations.csv."""

    variable: str
    project_a: str
    project_b: str
    correlation: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """How strongly a driver acts: a factor by the value of one column, with a default."""

    by: str
    default: float
    factors: Mapping[str, float]

    def of(self, value: str) -> float:
        """Return the factor for a value of the column."""
        return self.factors.get(value, self.default)


@dataclass(frozen=True, slots=True)
class Driver:
    """A table of drivers.toml: one uncertain cause shared by many projects.

    `each` is what every project draws for itself beside what is shared; None for nothing.

    A calendar driver strikes key works (tier `province`, or tag `key`) with `key_works` times the
    strength that it has for others.
    """

    name: str
    title: str
    title_en: str
    distribution: Distribution
    stress: Distribution
    scope: str
    acts_on: str
    exposure: Exposure
    known_by: datetime.date | None
    source: str
    state: str
    cause: str
    window: tuple[MonthDay, MonthDay] | tuple[datetime.date, datetime.date] | None
    probability: float
    stress_probability: float
    availability: float
    episodes: int
    key_works: float
    each: Distribution | None = None

    @property
    def active(self) -> Distribution:
        """The distribution of the state that is switched on."""
        return self.stress if self.state == "stress" else self.distribution


@dataclass(frozen=True, slots=True)
class DriverCorrelation:
    """Correlation of the normal scores of two drivers, named in alphabetical order."""

    driver_a: str
    driver_b: str
    correlation: float


@dataclass(frozen=True, slots=True)
class Dependence:
    """What is drawn together: common factors of durations and costs, and correlated drivers.

    Attributes
    ----------
    city, type, programme, funding : float
        Share of the variance that all projects, those of a type, of a programme and of a
        funding class (investor) have in common.
    enterprise : float
        Factor on the city's share for enterprise projects.
    repair : bool
        Whether given correlations that contradict each other give way to the nearest that do not,
        or are refused.
    drivers : tuple of DriverCorrelation
        Correlations of drivers, in the order of their names.
    """

    city: float = 0.0
    type: float = 0.0
    programme: float = 0.0
    funding: float = 0.0
    enterprise: float = 1.0
    repair: bool = False
    drivers: tuple[DriverCorrelation, ...] = ()


@dataclass(frozen=True, slots=True)
class Deflation:
    """What a cause that is simulated leaves of the residuals of types.csv, each above 0, to 1.

    Attributes
    ----------
    duration_excess, cost_excess : float
        Factor on what the median of the multiplier has beyond 1.
    duration_spread, cost_spread : float
        Factor on the spread about the median.
    slip : float
        Factor on the probability of a slip; on its days where it has no probability.
    no_start : float
        Factor on the probability that a planned start misses the year.
    """

    duration_excess: float = 1.0
    duration_spread: float = 1.0
    cost_excess: float = 1.0
    cost_spread: float = 1.0
    slip: float = 1.0
    no_start: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked plan: everything the city filed, as frozen rows.

    Attributes
    ----------
    folder : Path
        Where it was read.
    name : str
        Name of the plan.
    status_date, horizon : datetime.date
        Day 0 is the first day after the status date; the horizon is the last day simulated.
    plan_year : int
        Year of the annual plan.
    target : int
        Investment that the year is to bring, yuan.
    december_cut_off : (month, day)
        The treasury's last payment day of the year.
    acceleration_premium : float
        Extra cost of accelerated value, as a share of it.
    adjustment_days, adjustment_days_above : int
        Days that an adjustment of the approved estimate takes, up to 10 % and above.
    calendar : {"site", "continuous"}
        Whether seasons and causes bind, or every day is a full working day.
    labels : mapping
        Readable names of the codes of systems, programmes, counties, types and calendar causes.
    projects : tuple of Project
        In order of rank, whatever the order of rows.
    types : mapping of str to ProjectType
        Their durations, costs, slips and no-starts are what the causes that are on have left of
        them (`sim.plan.residuals`); a project's blank cells are filled from these.
    deflation : mapping of str to Deflation
        What each cause leaves of the residuals, as filed, whether it is on or off.
    states : mapping of str
        State of each uncertainty: off, on or stress.
    """

    folder: Path
    name: str
    status_date: datetime.date
    plan_year: int
    horizon: datetime.date
    target: int
    amount_unit: str
    calendar: str
    december_cut_off: MonthDay
    acceleration_premium: float
    adjustment_days: int
    adjustment_days_above: int
    labels: Mapping[str, Mapping[str, str]]
    projects: tuple[Project, ...]
    accounts: tuple[Account, ...]
    releases: tuple[Release, ...]
    types: Mapping[str, ProjectType]
    gates: Mapping[tuple[str, str], Gate]
    windows: tuple[Window, ...]
    calendar_rows: tuple[CalendarRow, ...]
    drivers: tuple[Driver, ...]
    dependence: Dependence
    risks: tuple[Risk, ...]
    bond_floors: tuple[BondFloor, ...]
    commitments: tuple[Commitment, ...]
    correlations: tuple[Correlation, ...]
    levers: Levers
    deflation: Mapping[str, Deflation]
    states: Mapping[str, str]

    @property
    def year_end(self) -> datetime.date:
        """Last day of the plan year."""
        return datetime.date(self.plan_year, 12, 31)
