"""Small plans for tests: written as folders and read back through the ordinary door."""

from __future__ import annotations

import csv
import datetime
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import sim
from sim.engine.agreement import first_difference
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.engine.trajectory import Event, Trajectory
from sim.plan.portfolio import Portfolio
from sim.plan.scenario import Scenario
from sim.runs.folder import StoredRun
from sim.runs.simulate import without_uncertainty
from sim.sampling.draws import draw
from sim.sampling.realization import Frame, Realization
from sim.sampling.sampler import build_sampler

Row = Mapping[str, Any]

STATUS = datetime.date(2020, 12, 31)


def write_world(
    folder: Path,
    projects: Sequence[Row],
    settings: str = "",
    drivers: str = "",
    **tables: Sequence[Row],
) -> Path:
    """Write a plan folder; `settings` goes to plan.toml, `drivers` to drivers.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = {"name": '"small"', "status_date": "2020-12-31", "plan_year": "2021", "target": "1"}
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        frame[key.strip()] = value.strip()
    text = "".join(f"{key} = {value}\n" for key, value in frame.items() if key)
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    if drivers:
        (folder / "drivers.toml").write_text(drivers, encoding="utf-8")
    for name, rows in {"projects": projects, **tables}.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def project(name: str, start: str, finish: str, total: int, plan: int, **more: Any) -> Row:
    """Return a row of projects.csv."""
    return {
        "id": name, "name": name, "total": total, "annual_plan": plan,
        "planned_start": start, "planned_finish": finish, **more,
    }  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """One replication of a small plan, with everything that led to it."""

    scenario: Scenario
    portfolio: Portfolio
    frame: Frame
    drawn: Realization
    trajectory: Trajectory
    events: list[Event]

    def position(self, name: str) -> int:
        """Return the position of a project."""
        return [one.id for one in self.portfolio.plan.projects].index(name)

    def date(self, day: int) -> datetime.date:
        """Return the date of a day."""
        return self.portfolio.origin + datetime.timedelta(days=int(day))

    def month(self, text: str) -> int:
        """Return the position of a month-end, given as YYYY-MM."""
        ends = [f"{self.date(day):%Y-%m}" for day in self.portfolio.month_ends.tolist()]
        return ends.index(text)


def live(
    folder: Path, replication: int = 0, seed: int = 2021, changes: Sequence[str] = ()
) -> Lived:
    """Simulate one replication of a plan folder, by both engines, which must agree."""
    scenario = sim.load_scenario(folder, changes)
    portfolio = sim.build_portfolio(scenario.plan)
    sampler = build_sampler(portfolio, seed)
    drawn = next(draw(sampler, [replication]))
    events: list[Event] = []
    trajectory = run_reference(sampler.frame, drawn, events)
    told_again = run_compiled(sampler.frame, drawn)
    difference = first_difference(sampler.frame, trajectory, told_again)
    assert difference == "", difference
    return Lived(scenario, portfolio, sampler.frame, drawn, trajectory, events)


def luck(folder: Path, replications: int) -> list[Realization]:
    """Draw many replications of a plan folder without simulating them."""
    portfolio = sim.build_portfolio(sim.load_scenario(folder).plan)
    return list(draw(build_sampler(portfolio, 2021), range(replications)))


def live_as_planned(folder: Path) -> Lived:
    """Simulate a plan folder with every uncertainty off."""
    return live(folder, changes=["uncertainties.all=off"])


def stored(
    folder: Path, out: Path, replications: int = 1, seed: int = 2021, changes: Sequence[str] = ()
) -> StoredRun:
    """Run a plan folder and return the run as its folder holds it."""
    scenario = sim.load_scenario(folder, changes)
    return sim.write_run(sim.simulate(scenario, replications=replications, seed=seed), out)


CALENDAR: tuple[Row, ...] = (
    {"season": "site", "from": "02-04", "to": "02-28", "availability": 0.1, "cause": "festival"},
    {"season": "site", "from": "11-15", "to": "03-15", "availability": 0.7, "cause": "winter"},
    {"season": "site", "from": "2021-07-01", "to": "2021-07-09", "cause": "dead"},
    {"season": "site", "from": "01-20", "to": "02-10", "cause": "no_start"},
)  # fmt: skip
GATES: tuple[Row, ...] = (
    {"procedure": "approval", "gate": "land", "preparation": "triangular(5, 15, 40)",
     "review": "lognormal(median=20, sigma=0.8)", "cushion": 1.2},
    {"procedure": "approval", "gate": "environment", "preparation": "uniform(2, 30)",
     "review": "fixed(10)", "cushion": 1.2},
    {"procedure": "approval", "gate": "permit", "after": "land;environment",
     "preparation": "fixed(3)", "review": "triangular(1, 3, 9)", "cushion": 1.2},
)  # fmt: skip
TYPES: tuple[Row, ...] = (
    {"type": "plain"},
    {"type": "road", "season": "site", "duration": "lognormal(median=1.1, sigma=0.3)",
     "cost": "triangular(0.9, 1.0, 1.4)", "duration_cost_correlation": 0.5,
     "slip": "chance(0.4, uniform(5, 90))", "no_start": 0.1,
     "acceptance_days": "triangular(0, 10, 30)", "curve_a": 2.0, "curve_b": 1.7,
     "early_share": 0.1, "pay_ratio": 0.75, "pay_lag_days": 45},
    {"type": "plant", "season": "inside", "duration": "uniform(0, 1.5)", "curve_a": 1.5,
     "curve_b": 3, "pay_ratio": 0.6, "pay_lag_days": 30, "slip": "fixed(20)"},
)  # fmt: skip
DRIVERS = """
[productivity]
title = "p"
distribution = "lognormal(median=1, sigma=0.1)"
acts_on = "duration"

[overstatement]
title = "o"
distribution = "uniform(0, 0.3)"
acts_on = "report"

[understatement]
title = "u"
distribution = "uniform(0, 0.2)"
each = "normal(0, 0.3, -0.9, 0.9)"
acts_on = "intent"

[festival]
title = "f"
distribution = "triangular(10, 25, 40)"
acts_on = "calendar"
cause = "festival"

[flood]
title = "flood"
distribution = "triangular(2, 5, 30)"
acts_on = "calendar"
scope = "county"
window = ["06-25", "08-25"]
probability = 0.5

[dependence]
city = 0.2
"""


@st.composite
def small_plans(draw: st.DrawFn) -> list[Row]:
    """Draw the projects of a small plan: every stage, forced ties, chains and diamonds."""
    rows: list[Row] = []
    for k in range(draw(st.integers(1, 6))):
        start = draw(st.integers(-400, 500))
        length = draw(st.sampled_from([1, 2, 30, 200, 365, 700]))
        finish = max(start + length - 1, draw(st.integers(0, 60)))
        total = draw(st.sampled_from([0, 1, 7, 1_000, 123_457]))
        begun = start < 0 and draw(st.booleans())
        done = draw(st.integers(0, total)) if begun else 0
        gates = draw(st.sampled_from(["none", "permit", "land;permit", "land;environment;permit"]))
        plan = draw(st.integers(0, total - done))
        if start > 364 and gates == "none":
            plan = 0
        earlier = [str(row["id"]) for row in rows]
        rows.append(
            project(
                f"P{k}",
                str(STATUS + datetime.timedelta(days=start + 1)),
                str(STATUS + datetime.timedelta(days=finish + 1)),
                total,
                plan,
                done_before_year=done,
                stage="continuing" if begun else "pre_work" if start > 364 else "new",
                type=draw(st.sampled_from(["plain", "road", "plant"])),
                county=draw(st.sampled_from(["north", "south"])),
                gates=gates,
                rank=100 - k,
                predecessors=";".join(draw(st.sets(st.sampled_from(earlier), max_size=2)))
                if earlier
                else "",
            )
        )
    return rows


def small_folder() -> Path:
    """Make a folder of its own for a drawn plan; the test removes it."""
    return Path(tempfile.mkdtemp(prefix="world-"))


def small_world(rows: Sequence[Row], settings: str = "") -> Path:
    """Write a drawn plan with the common tables into a folder of its own."""
    return write_world(
        small_folder(), rows, settings, DRIVERS, calendar=CALENDAR, gates=GATES, types=TYPES
    )


__all__ = [
    "CALENDAR", "DRIVERS", "GATES", "STATUS", "TYPES", "Lived", "live", "live_as_planned",
    "luck", "project", "small_folder", "small_plans", "small_world", "stored",
    "without_uncertainty", "write_world",
]  # fmt: skip
