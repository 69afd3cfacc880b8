"""The kernels against a second telling in numpy and scipy, and compiled against plain Python."""

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import sim
from sim.plan.configuration import Sampling
from sim.plan.portfolio import Portfolio
from sim.sampling.draw_shared import shared_labels
from sim.sampling.draws import allocate, draw, draw_one, nothing_given, prepare
from sim.sampling.realization import Realization
from sim.sampling.register import address
from sim.sampling.sampler import Sampler, build_sampler
from sim.sampling.streams import key_of, uniform
from tests.cutting import LUOYANG, cut_luoyang
from tests.naive_draws import naive_draw
from tests.worlds import Row, project, small_plans, small_world, write_world

ROOT = Path(__file__).parents[2]
INEXACT = (
    "work", "first_work", "work_saved", "year_end_value", "total", "advance", "release_amount",
)  # fmt: skip
"""What may differ by a unit where the last bits of a float decide between two integers."""

RISKS: Sequence[Row] = (
    {"id": "R1", "name": "r", "probability": 0.6, "at": "uniform(0, 1)", "repeat": "loop",
     "days": "normal(10, 20, -50, 90)", "cost": "triangular(0.8, 1, 1.5)", "scope": "county"},
    {"id": "R2", "name": "r", "probability": 0.3, "at": "land", "days": "uniform(-20, 60)",
     "triggers": "R3:0.4|R4:0.4", "cost": "1.1"},
    {"id": "R3", "name": "r", "probability": 0, "at": "0.4", "days": "pert(5, 9, 40)",
     "parallel": "g", "mitigation_cost": 7},
    {"id": "R4", "name": "r", "probability": 0.2, "at": "", "days": "gamma(2, 9)",
     "parallel": "g", "repeat": "2"},
    {"id": "R5", "name": "r", "probability": 0.1, "at": "permit", "effect": "drop"},
)  # fmt: skip
DRIVERS = """
drivers = [
  ["price", "productivity", 0.7],
  ["overstatement", "understatement", -0.48],
  ["price", "overstatement", -0.2],
]

[price]
title = "p"
distribution = "weibull(9, 1)"
each = "triangular(0.8, 1, 1.3)"
acts_on = "cost"
exposure = { by = "type", default = 1.0, road = 1.7, plant = -0.5 }

[soil]
title = "s"
distribution = "pert(0.7, 1, 2)"
each = "lognormal(median=1, sigma=0.2)"
acts_on = "land"
scope = "county"

[purse]
title = "o"
distribution = "normal(0.9, 0.2, 0, 1.5)"
acts_on = "own"
scope = "county"

[bonds]
title = "b"
distribution = "lognormal(1, 0.3)"
acts_on = "special_bond"
exposure = { by = "tier", default = 1.0, city = 0.5 }

[late]
title = "l"
distribution = "exponential(20)"
acts_on = "bond_delay"
scope = "county"
"""
ACCOUNTS: Sequence[Row] = (
    {"id": "bond", "name": "b", "class": "special_bond", "county": "north", "opening": 5},
    {"id": "bond2", "name": "b", "class": "special_bond", "county": "", "opening": 5},
    {"id": "tax", "name": "t", "class": "general_budget", "county": "", "opening": 0},
)
RELEASES: Sequence[Row] = tuple(
    {"account": account, "available": f"{year}-0{month}-15", "amount": 1_234 * month}
    for account in ("bond", "bond2", "tax")
    for year in (2021, 2022)
    for month in (2, 7)
)
CORRELATIONS: Sequence[Row] = tuple(
    {"variable": variable, "project_a": "P0", "project_b": "P1", "correlation": -0.3}
    for variable in ("duration", "cost")
)
CELLS: Sequence[Row] = (
    {"duration": "pert(0.5, 1, 3)", "cost": "gamma(40, 0.025)"},
    {"duration": "lognormal(1, 0.3, tail=0.1, tail_from=1.4)", "cost": "weibull(4, 1)"},
    {"duration": "days: triangular(30, 90, 400)", "cost": "amount: uniform(1, 900)"},
    {"duration": "discrete(0.5:0.2, 1:0.5, 2:0.3)", "cost": "normal(1, 0.3, 0.2, 3)"},
    {"duration": "days: exponential(300)", "cost": "amount: fixed(500)"},
    {"duration": "normal(1, 0.1, 0, 9)", "cost": "1.2"},
)
"""By project, so that every family is drawn."""


def portfolio_of(folder: Path, *changes: str) -> Portfolio:
    return sim.build_portfolio(sim.load_scenario(folder, changes).plan)


def differences(found: Realization, expected: Realization) -> int:
    """Count integers that differ by one where floats may decide; all else must be the same."""
    ties = 0
    for field in dataclasses.fields(Realization):
        mine, other = getattr(found, field.name), getattr(expected, field.name)
        if field.name == "drivers":
            assert mine.keys() == other.keys()
            np.testing.assert_allclose(list(mine.values()), list(other.values()), rtol=1e-11)
        elif field.name in INEXACT and mine.shape == other.shape:
            apart = np.abs(mine - other)
            assert apart.max(initial=0) <= 1, field.name
            ties += int(apart.sum())
        else:
            assert np.array_equal(mine, other), field.name
    return ties


def ties_of(sampler: Sampler, count: int) -> int:
    pairs = zip(draw(sampler, range(count)), naive_draw(sampler, range(count)), strict=True)
    return sum(differences(found, expected) for found, expected in pairs)


@pytest.mark.parametrize("sampling", ["quasi", "plain"])
@pytest.mark.parametrize("name", ["baseline.toml", "2021-as-it-happened.toml"])
def test_luoyang(name: str, sampling: Sampling) -> None:
    sampler = build_sampler(portfolio_of(LUOYANG / name), 2021, sampling)
    assert ties_of(sampler, 12) <= 2


@pytest.fixture(scope="module", params=["part", pytest.param("whole", marks=pytest.mark.slow)])
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The baseline scenario: of two districts, or of all."""
    if request.param == "whole":
        return LUOYANG / "baseline.toml"
    folder = tmp_path_factory.mktemp("part")
    return cut_luoyang(folder, ("laocheng", "chanhe"), "2024-12-31") / "baseline.toml"


@pytest.mark.parametrize(
    "changes",
    [
        ["uncertainties.all=off"],
        ["uncertainties.dependence=off", "uncertainties.gates=off", "uncertainties.cost=off"],
        ["uncertainties.flood=stress", "uncertainties.slip=off", "uncertainties.duration=off"],
        ["levers.mitigate=all", "uncertainties.acceptance=off"],
    ],
)
def test_luoyang_with_parts_switched(changes: list[str], scenario: Path) -> None:
    sampler = build_sampler(portfolio_of(scenario, *changes), 7)
    assert ties_of(sampler, 3) <= 1


@pytest.mark.parametrize("sampling", ["quasi", "plain"])
@pytest.mark.parametrize("off", ["", "overstatement", "understatement"])
def test_luoyang_with_correlated_drivers(sampling: Sampling, off: str, scenario: Path) -> None:
    changes = [
        'uncertainties.dependence.drivers=[["understatement", "overstatement", -0.48], '
        '["productivity", "understatement", 0.3], ["material_prices", "productivity", 0.6]]',
        *([f"uncertainties.{off}=off"] if off else []),
    ]  # fmt: skip
    sampler = build_sampler(portfolio_of(scenario, *changes), 7, sampling)
    assert len(sampler.ties) == 1
    assert ties_of(sampler, 3) <= 1


@given(rows=small_plans(), seed=st.integers(0, 2**64 - 1), bare=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_small_plans(rows: list[Row], seed: int, bare: bool) -> None:
    folder = small_world(rows)
    try:
        if not bare:
            drivers = (folder / "drivers.toml").read_text(encoding="utf-8") + DRIVERS
            pairs = CORRELATIONS if len(rows) > 1 else ()
            changed = [dict(row) | dict(cells) for row, cells in zip(rows, CELLS, strict=False)]
            write_world(folder, changed, drivers=drivers, risks=RISKS, accounts=ACCOUNTS,
                        releases=RELEASES, correlations=pairs)  # fmt: skip
        try:
            portfolio = portfolio_of(folder)
        except sim.InputError:
            reject()  # a total far from the others is taken for a slip of units
        assert ties_of(build_sampler(portfolio, seed), 6) <= 1
    finally:
        shutil.rmtree(folder)


def digest(folder: str, seed: int, count: int) -> str:
    """Hash everything that is drawn."""
    whole = hashlib.sha256()
    for one in draw(build_sampler(portfolio_of(Path(folder)), seed), range(count)):
        for field in dataclasses.fields(Realization):
            value = getattr(one, field.name)
            whole.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return whole.hexdigest()


WITHOUT = """
import sys
sys.modules["numba"] = None
from sim import jit
from tests.property.test_draws_told_twice import digest
assert not jit.AVAILABLE
print(digest(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


def test_plain_python_gives_the_same_bits(scenario: Path) -> None:
    same_bits_without_a_compiler(scenario, 2)


def test_plain_python_gives_the_same_bits_of_a_small_plan() -> None:
    common = {"county": "north", "gates": "land;permit", "type": "road"}
    rows = [project(f"P{k}", "2021-02-01", "2022-06-30", 1_000, 400, **common, **cells)
            for k, cells in enumerate(CELLS)]  # fmt: skip
    folder = small_world(rows)
    drivers = (folder / "drivers.toml").read_text(encoding="utf-8") + DRIVERS
    write_world(folder, rows, drivers=drivers, risks=RISKS, accounts=ACCOUNTS,
                releases=RELEASES, correlations=CORRELATIONS)  # fmt: skip
    same_bits_without_a_compiler(folder, 20)
    shutil.rmtree(folder)


def same_bits_without_a_compiler(folder: Path, count: int) -> None:
    seed = 2**63 + 11
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT, str(folder), str(seed), str(count)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digest(str(folder), seed, count)


def test_a_shared_uniform_can_be_given() -> None:
    """What is given takes the generator's place; given what it says, nothing changes."""
    # As filed: there no driver is correlated with another.
    sampler = build_sampler(portfolio_of(LUOYANG), 2021)
    model, _ = prepare(sampler)
    labels = shared_labels(sampler)
    seed, number = key_of(2021), np.uint64(5)
    outs = []
    own = np.array([uniform(seed, number, np.uint64(address(*label))) for label in labels])
    other = nothing_given(model)
    moved = labels.index(("productivity", "driver", 0))
    other[moved] = 1 - own[moved]
    for given_ in (nothing_given(model), own, other):
        drawn, room = allocate(model)
        assert draw_one(model, seed, number, given_, room, drawn) == 0
        outs.append(drawn)
    usual, same, different = outs
    for name, array in usual._asdict().items():
        assert np.array_equal(array, getattr(same, name)), name
    assert (usual.projects["work"] != different.projects["work"]).mean() > 0.9
    for name in ("slip", "total", "acceptance"):
        assert np.array_equal(usual.projects[name], different.projects[name])
    assert np.array_equal(usual.calendar, different.calendar)
    assert (usual.drivers != different.drivers).sum() == 1
