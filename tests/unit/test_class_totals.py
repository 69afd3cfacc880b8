"""Durations, costs and starts with everything inside, held against made-up reference classes."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import sim
from sim.engine.rules import NEVER
from sim.plan.portfolio import build_portfolio
from sim.plan.quantiles import quantile
from sim.runs.class_totals import (
    APART,
    GAPS,
    Comparison,
    Totals,
    class_rows,
    compare_with,
    gaps,
    reference_classes,
    simulate_totals,
    totals_of,
)
from sim.runs.workers import simulate_batch
from sim.sampling.sampler import build_sampler


@pytest.fixture(scope="module")
def compared(part: Path) -> Comparison:
    return compare_with(build_portfolio(sim.load_scenario(part).plan), reference_classes(part))


def made_up(compared: Comparison, count: int, seed: int) -> Totals:
    """Draw every project from its own class, as if nothing else were simulated."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    shape = (count, len(compared.types))
    duration, cost = np.empty(shape), np.empty(shape)
    late, missed = np.empty(shape, np.bool_), np.empty(shape, np.bool_)
    for i, kind in enumerate(compared.types):
        one = compared.classes[kind]
        duration[:, i] = quantile(one.duration, generator.uniform(size=count))
        cost[:, i] = quantile(one.cost, generator.uniform(size=count))
        missed[:, i] = generator.uniform(size=count) < one.no_start
        slip = np.rint(quantile(one.slip, generator.uniform(size=count)))
        late[:, i] = (slip > 30) | missed[:, i]
    # Two halves, as far apart as projects are.
    share = 1 + APART * np.where(np.arange(shape[1]) % 2, 1.0, -1.0) * np.ones((count, 1))
    share[:, compared.listed] = 1 + APART * stats.zscore(share[:, compared.listed], axis=1)
    return Totals(duration, cost, late, missed, share)


class TestFrame:
    def test_classes_are_as_published(self, compared: Comparison) -> None:
        """Luoyang's types.csv: what plan.toml leaves of them is something else."""
        assert compared.classes["roads"].no_start == 0.07
        assert compared.classes["roads"].slip.parameters[0] == 0.2
        left = compared.portfolio.plan.types["roads"]
        assert left.slip.parameters[0] < 0.2

    def test_time_counts_from_the_first_open_gate(self, compared: Comparison) -> None:
        portfolio = compared.portfolio
        assert (compared.since >= 0).all()
        assert (compared.since[portfolio.begun] == 0).all()
        waiting = [
            i for i, chain in enumerate(portfolio.chains)
            if chain is not None and chain.begin > 0 and not portfolio.begun[i]
        ]  # fmt: skip
        assert waiting
        for i in waiting:
            chain = portfolio.chains[i]
            assert chain is not None
            assert compared.since[i] == min(chain.begin, portfolio.planned_start[i])
        assert not (compared.timed & (compared.planned < 180)).any()
        assert not (compared.timed & portfolio.finished).any()
        assert not (compared.starting & portfolio.begun).any()

    def test_what_a_row_says_of_its_own_is_no_class(self, part: Path) -> None:
        plain = compare_with(build_portfolio(sim.load_scenario(part).plan), reference_classes(part))
        chosen = int(np.flatnonzero(plain.timed & plain.costed)[0])
        name = plain.portfolio.plan.projects[chosen].id
        own = sim.load_scenario(part, [f"projects.{name}.duration=triangular(1, 2, 3)"])
        found = compare_with(build_portfolio(own.plan), reference_classes(part))
        assert not found.timed[chosen]
        assert found.costed[chosen]


class TestGaps:
    def test_there_is_none_to_what_is_drawn_from_the_classes(self, compared: Comparison) -> None:
        count = 400
        found = gaps(compared, made_up(compared, count, 3))
        assert found.shape == (count, len(GAPS))
        # A percentile over projects of a kind is biased by less than one over their number.
        error = 5 * found.std(axis=0) / np.sqrt(count)
        bias = np.array([0.01, 0.02, 0.01, 0.02, 0.0, 0.0, 1e-12])
        assert (np.abs(found.mean(axis=0)) < error + bias).all()

    def test_where_nothing_can_be_compared_nothing_is_said(self, compared: Comparison) -> None:
        nobody = np.zeros_like(compared.timed)
        empty = dataclasses.replace(
            compared, timed=nobody, costed=nobody, starting=nobody, listed=nobody
        )
        assert (gaps(empty, made_up(compared, 3, 3)) == 0).all()
        assert class_rows(empty, made_up(compared, 20, 3)) == ()

    @pytest.mark.parametrize("gap", range(len(GAPS)))
    def test_each_sees_its_own_quantity(self, compared: Comparison, gap: int) -> None:
        """Everything is a tenth longer, dearer, later."""
        before = made_up(compared, 40, 4)
        longer = {
            "duration": dataclasses.replace(before, duration=1.1 * before.duration),
            "cost": dataclasses.replace(before, cost=1.1 * before.cost),
            "late": dataclasses.replace(before, late=np.ones_like(before.late)),
            "missed": dataclasses.replace(before, missed=np.ones_like(before.missed)),
            "apart": dataclasses.replace(before, share=1.1 * before.share),
        }
        name = GAPS[gap]
        difference = gaps(compared, longer[name.split("_")[0]]) - gaps(compared, before)
        others = [k for k, one in enumerate(GAPS) if one.split("_")[0] != name.split("_")[0]]
        assert (difference[:, others] == 0).all()
        if name in ("late", "missed"):
            assert (difference[:, gap] > 0.5).all()
        elif name == "apart":
            assert difference[:, gap] == pytest.approx(0.1 * APART)
        else:
            assert difference[:, gap] == pytest.approx(math.log(1.1))


class TestRows:
    def test_classes_are_found_in_what_is_drawn_from_them(self, compared: Comparison) -> None:
        rows = class_rows(compared, made_up(compared, 400, 5))
        assert {one.type for one in rows} == set(compared.types)
        # Of so many comparisons the largest; Student's t with 19 degrees of freedom.
        most = float(stats.t.ppf(1 - 0.001 / len(rows), 19))
        for one in rows:
            assert abs(one.simulated - one.reference) < most * one.error + 1e-9, one

    def test_what_never_finishes_is_longer_than_any(self, compared: Comparison) -> None:
        before = made_up(compared, 40, 6)
        never = dataclasses.replace(before, duration=np.full_like(before.duration, np.inf))
        rows = class_rows(compared, never)
        found = [one for one in rows if one.quantity == "duration"]
        assert all(one.simulated == math.inf and math.isnan(one.error) for one in found)


class TestTotals:
    def test_days_and_shares_by_hand(self, compared: Comparison) -> None:
        """One project, at the edges of what counts."""
        portfolio = compared.portfolio
        i = int(np.flatnonzero(compared.starting & compared.timed & compared.listed)[0])
        begin, end = int(portfolio.planned_start[i]), int(portfolio.planned_finish[i])
        outcomes = simulate_batch(build_sampler(portfolio, 1), [0])
        outcomes = outcomes.part([0] * 5)
        start, finish, year = outcomes.start, outcomes.finish, outcomes.year_end
        start[:, i] = [begin + 30, begin + 31, portfolio.year_end_day,
                       portfolio.year_end_day + 1, NEVER]  # fmt: skip
        finish[:, i] = [end, end + compared.planned[i], NEVER, end, end]
        year[:, 1, i] = compared.annual[i] // 2
        year[:, 0, i] = compared.annual[i] // 4
        found = totals_of(compared, outcomes)
        assert found.late[:2, i].tolist() == [False, True]
        assert found.missed[2:, i].tolist() == [False, True, True]
        assert found.duration[:3, i].tolist() == [1.0, 2.0, math.inf]
        assert found.share[:, i] == pytest.approx(0.5, abs=1e-6)

    def test_what_may_end_beyond_the_horizon_is_left_out(self, compared: Comparison) -> None:
        late = compared.portfolio.planned_finish >= compared.portfolio.days - 365
        assert late.any()
        assert not compared.timed[late].any()


class TestSimulated:
    def test_ratios_are_those_of_the_days(self, part: Path, compared: Comparison) -> None:
        """With uncertainty off every ratio is 1, and nothing is late."""
        sure = sim.load_scenario(part, ["uncertainties.all=off"])
        whole = compare_with(build_portfolio(sure.plan), reference_classes(part))
        found = simulate_totals(whole, sure, 2, 1)
        assert (found.duration[:, whole.timed] == 1).all()
        assert (found.cost[:, whole.costed] == 1).all()
        assert not found.late[:, whole.starting].any()
        assert not found.missed[:, whole.starting].any()

    def test_of_any_number_of_threads(self, part: Path, compared: Comparison) -> None:
        scenario = sim.load_scenario(part)
        one, two = (simulate_totals(compared, scenario, 70, workers) for workers in (1, 2))
        assert np.array_equal(one.duration, two.duration)
        assert np.array_equal(one.cost, two.cost)
        assert one.duration.shape == (70, len(compared.types))

    def test_never_is_infinite(self, part: Path, compared: Comparison) -> None:
        outcomes = simulate_batch(build_sampler(compared.portfolio, 1), [0])
        finish = outcomes.finish.copy()
        finish[:, 0] = NEVER
        found = totals_of(compared, dataclasses.replace(outcomes, finish=finish))
        assert found.duration[0, 0] == math.inf
        assert np.isfinite(found.duration[0, 1:]).sum() > 0
