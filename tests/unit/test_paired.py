"""Paired differences and spreads: the rows of a run, and samples made by hand."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.analysis.scopes import scope_ratios
from sim.plan.evidence import PlaceYear
from sim.runs.paired import Years, difference, simulate_years, spread
from tests.cutting import cut_luoyang


def years(values: list[int]) -> Years:
    sample = np.array(values, dtype=np.int64)
    return Years({"paid": sample}, sample[:, None], {}, {"all": 1})


class TestEstimates:
    def test_a_difference_is_of_pairs(self) -> None:
        luck = np.random.default_rng(3).integers(0, 10**12, 200)
        before, after = years(luck.tolist()), years((luck + 5).tolist())
        found = difference(after, before, "paid")
        assert (found.value, found.error) == (5.0, 0.0)

    def test_errors_are_those_of_blocks(self) -> None:
        gaps = np.random.default_rng(4).normal(10, 3, 400).round().astype(int)
        found = difference(years(gaps.tolist()), years([0] * 400), "paid")
        blocks = gaps.reshape(20, 20).mean(axis=0)  # replication r belongs to block r modulo 20
        assert found.value == pytest.approx(gaps.mean())
        assert found.error == pytest.approx(blocks.std(ddof=1) / math.sqrt(20))

    def test_a_deviation_and_its_error(self) -> None:
        """Of a normal sample the error of the deviation is about sd / sqrt(2 n)."""
        generator = np.random.default_rng(5)
        found = [
            spread(years(generator.normal(0, 1e6, 400).round().astype(int).tolist()), "paid")
            for _ in range(200)
        ]
        values = np.array([one.value for one in found])
        told = np.mean([one.error for one in found])
        # The mean of 200 deviations of 400 values each strays by 1 / sqrt(2 x 400 x 200), a fourth
        # of a per cent; four times that is allowed.
        assert values.mean() / 1e6 == pytest.approx(1, abs=0.01)
        assert told == pytest.approx(values.std(ddof=1), rel=0.2)
        assert spread(years([7, 7, 7]), "paid").value == 0
        assert math.isnan(spread(years([7]), "paid").value)


def test_the_same_as_a_run(tmp_path: Path) -> None:
    plan = cut_luoyang(tmp_path, ("laocheng", "chanhe")) / "baseline.toml"
    scenario = sim.load_scenario(plan)
    found = simulate_years(scenario, 30, 2)
    run = sim.simulate(scenario, replications=30)
    for name, values in found.year_end.items():
        assert np.array_equal(values, run.samples[f"{name}_yuan"])
    assert np.array_equal(found.months[:, -1], found.year_end["reported"])
    assert np.array_equal(sum(found.stages.values()), found.months)
    assert found.plans["all"] == sum(one for name, one in found.plans.items() if name != "all")
    other = simulate_years(dataclasses.replace(scenario), 30, 1)
    assert np.array_equal(other.months, found.months)


def test_ratios_of_kinds_are_of_one_list_and_month() -> None:
    rows = (
        PlaceYear("b", 2021, (("all", 8), ("industry", 5), ("industry", 8)),
                  np.array([0.5, 0.9, 0.6])),
        PlaceYear("a", 2021, (("all", 5),), np.array([0.4])),
        PlaceYear("c", 2020, (("all", 2), ("industry", 2)), np.array([0.0, 0.1])),
    )  # fmt: skip
    (found,) = scope_ratios(rows, "industry", "all")
    assert (found.place, found.year, found.month) == ("b", 2021, 8)
    assert found.ratio == pytest.approx(1.2)
