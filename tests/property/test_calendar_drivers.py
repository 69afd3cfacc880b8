"""Stops of the calendar as the contract tells them, read off the day on which one project ends."""

import datetime
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worlds import Row, live, project, stored, write_world

TYPES: list[Row] = [{"type": name, "season": name} for name in ("open", "half", "inside", "more")]
PLANNED_SPELL = 21
LOSS = 0.8
FESTIVAL: Row = {"season": "*", "from": "02-04", "to": "02-24", "availability": 1 - LOSS,
                 "cause": "festival"}  # fmt: skip
EXPOSURES: Mapping[str, float] = {"open": 1, "half": 0.5, "inside": 0, "more": 1.25}


def spell_driver(distribution: str, exposure: str = "", more: str = "") -> str:
    """Return a driver that draws the festival's length anew."""
    text = f'[festival]\ntitle = "f"\ndistribution = "{distribution}"\nacts_on = "calendar"\n'
    text += f'cause = "festival"\n{more}\n'
    return text + (f"exposure = {exposure}\n" if exposure else "")


def window_driver(days: int, more: str = "") -> str:
    """Return a driver that stops all work for some days of every summer."""
    text = f'[flood]\ntitle = "f"\ndistribution = "fixed({days})"\nacts_on = "calendar"\n'
    return text + f'window = ["06-25", "08-25"]\n{more}\n'


def last_days(folder: Path, rows: Sequence[Row], drivers: str, count: int = 1) -> NDArray[np.int64]:
    """Days from the status date to the last finish, replication by replication."""
    world = write_world(folder / "plan", rows, drivers=drivers, types=TYPES, calendar=[FESTIVAL])
    samples = stored(world, folder / "runs", count).samples()
    return np.array(samples["makespan_days"].to_list())


def days_needed(work: float, stop: float, exposure: float = 1) -> int:
    """Days until a work is done that spells of so many days in all interrupt."""
    return math.ceil(work + stop * exposure * LOSS)


@pytest.mark.parametrize("by", ["season", "county"])
def test_a_spell_takes_what_its_exposure_says(tmp_path: Path, by: str) -> None:
    """A day of the spell keeps 1 - e (1 - availability), in the plan year and in later ones."""
    factors = ", ".join(f"{name} = {e}" for name, e in EXPOSURES.items() if e != 1)
    driver = spell_driver("fixed(11)", f'{{ by = "{by}", default = 1.0, {factors} }}')
    rows = [
        project(f"{who} {year}", f"{year}-01-01", f"{year}-12-31", 100, 0,
                type=who if by == "season" else "open",
                county=who if by == "county" else "open")
        for who in EXPOSURES
        for year in (2021, 2022, 2023)
    ]  # fmt: skip
    world = write_world(tmp_path / "plan", rows, drivers=driver, types=TYPES, calendar=[FESTIVAL])
    table = stored(world, tmp_path / "runs").table("projects")
    # What the plan holds: a year less four fifths of each of the planned spell's days.
    work = 365 - PLANNED_SPELL * LOSS
    for row in table:
        who, year = row["id"].split()
        days = datetime.date.fromisoformat(row["finish_p50"]) - datetime.date(int(year) - 1, 12, 31)
        assert days.days == days_needed(work, 11, EXPOSURES[who]), row["id"]


def test_a_spell_happens_with_its_probability_each_year_anew(tmp_path: Path) -> None:
    """Three festivals of eleven days, each with probability a half, delay by 8.8 days each."""
    row = project("A", "2021-01-01", "2023-12-31", 100, 30, type="open")
    found = last_days(tmp_path, [row], spell_driver("fixed(11)", more="probability = 0.5"), 400)
    work = 3 * (365 - PLANNED_SPELL * LOSS)
    assert_binomial(found, {k: days_needed(work, 11 * k) for k in range(4)})


def test_stops_strike_in_every_year_of_the_building(tmp_path: Path) -> None:
    """One stop of ten days for each summer from start to finish, the plan year's or a later."""
    expected = {
        ("2021-01-01", "2021-12-31"): 365 + 10,
        ("2022-01-01", "2022-12-31"): 730 + 10,
        ("2022-01-01", "2023-12-31"): 1095 + 20,
        ("2021-01-01", "2023-12-31"): 1095 + 30,
        ("2021-09-01", "2022-05-31"): 365 + 151,
        ("2023-09-01", "2024-12-11"): 1095 + 366 - 20 + 10,
    }
    for k, ((start, finish), days) in enumerate(expected.items()):
        row = project("A", start, finish, 100, 0)
        assert last_days(tmp_path / str(k), [row], window_driver(10)).tolist() == [days], start


def test_each_year_draws_its_own_stop(tmp_path: Path) -> None:
    row = project("A", "2021-01-01", "2023-12-31", 100, 30)
    found = last_days(tmp_path, [row], window_driver(10, "probability = 0.5"), 400)
    assert_binomial(found, {k: 1095 + 10 * k for k in range(4)})


def assert_binomial(found: NDArray[np.int64], days: Mapping[int, int]) -> None:
    """Of three independent coins so many fall: 1, 3, 3 and 1 in eight."""
    assert set(found.tolist()) <= set(days.values())
    for heads, day in days.items():
        expected = math.comb(3, heads) / 8
        error = math.sqrt(expected * (1 - expected) / len(found))
        assert abs((found == day).mean() - expected) <= 4 * error, heads


def test_by_scope_counties_share_a_spell_or_have_their_own(tmp_path: Path) -> None:
    """Spells last 10 or 30 days; two counties agree always, or in half of the years."""
    rows = [
        project(name, "2021-01-01", "2021-12-31", 100, 100, type="open", county=name)
        for name in ("north", "south")
    ]
    counts = {}
    for scope in ("city", "county"):
        driver = spell_driver("discrete(10: 0.5, 30: 0.5)", more=f'scope = "{scope}"')
        # The later of the two: 30 days with a half where they agree, else with three quarters.
        found = last_days(tmp_path / scope, rows, driver, 400)
        work = 365 - PLANNED_SPELL * LOSS
        assert set(found.tolist()) == {days_needed(work, days) for days in (10, 30)}
        counts[scope] = (found == days_needed(work, 30)).mean()
    for scope, expected in (("city", 0.5), ("county", 0.75)):
        error = math.sqrt(expected * (1 - expected) / 400)
        assert abs(counts[scope] - expected) <= 4 * error, scope


def test_key_works_are_struck_less(tmp_path: Path) -> None:
    """A stop of availability 0.2 takes 0.8 of a day, of key works half of that."""
    rows = [
        project("key", "2021-01-01", "2021-12-31", 1, 1, type="site", tags="key"),
        project("province", "2021-01-01", "2021-12-31", 1, 1, type="site", tier="province"),
        project("other", "2021-01-01", "2021-12-31", 1, 1, type="site"),
    ]
    driver = '[dust]\ntitle = "d"\ndistribution = "fixed(10)"\nacts_on = "calendar"\n'
    driver += 'window = ["03-01", "04-30"]\navailability = 0.2\nkey_works = 0.5\n'
    calendar = [{"season": "site", "from": "12-30", "to": "12-31", "availability": 1, "cause": "x"}]
    types = [{"type": "site", "season": "site"}]
    lived = live(write_world(tmp_path, rows, drivers=driver, calendar=calendar, types=types))
    taken = {
        one.id: 365_000 - int(lived.drawn.calendar[lived.portfolio.class_of[i], 365])
        for i, one in enumerate(lived.portfolio.plan.projects)
    }
    assert taken == {"other": 8_000, "key": 4_000, "province": 4_000}
