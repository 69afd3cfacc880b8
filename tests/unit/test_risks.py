"""The risk register: how often risks strike, where, for how long, and what follows from it.

Tolerances are four standard errors, worked out from the distribution that is expected.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

import sim
from sim.plan.loading import load_plan, load_plan_with
from sim.plan.portfolio import Portfolio
from sim.sampling import register
from sim.sampling.draw_risks import draw_strikes, risk_room
from sim.sampling.inverses import Inverses
from sim.sampling.risk_layout import lay_out_risks
from sim.sampling.risks import WORK, RiskModel, risk_model
from sim.sampling.sampler import build_sampler
from tests import naive_draws, naive_risks
from tests.naive_risks import Struck
from tests.worlds import Row, project, write_world

SEED = 2021
REPLICATIONS = 20_000
DATES = ("2021-03-01", "2021-09-30", 100_000, 50_000)
LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"
GATES: Sequence[Row] = (
    {"procedure": "approval", "gate": "land"},
    {"procedure": "approval", "gate": "permit", "after": "land"},
)
ONE: Sequence[Row] = (project("A", *DATES),)
FOUR: Sequence[Row] = (
    project("A", *DATES, county="north", type="road", gates="permit"),
    project("B", *DATES, county="north", type="plant", gates="none"),
    project("C", *DATES, county="south", type="road", gates="land;permit"),
    project("D", "2019-03-01", "2020-09-30", 100, 0, done_before_year=100, county="south",
            type="road", stage="completing"),
)  # fmt: skip


def risk(name: str, probability: float = 0.5, **cells: Any) -> Row:
    """Return a row of risks.csv; in the middle of the work unless told otherwise."""
    return {"id": name, "name": name, "probability": probability, "at": "0.5", **cells}


@dataclass(frozen=True)
class Register:
    """A register on a small plan, and what strikes in many replications."""

    portfolio: Portfolio
    model: RiskModel
    struck: Struck

    def slots(self, name: str, place: str = "A") -> NDArray[np.intp]:
        """Return the slots of a risk at a project."""
        plan = self.portfolio.plan
        of_risk = [one.id for one in plan.risks].index(name)
        of_project = [one.id for one in plan.projects].index(place)
        return np.flatnonzero((self.model.risk == of_risk) & (self.model.project == of_project))

    def hits(self, name: str, place: str = "A") -> NDArray[np.bool_]:
        """Return whether the one slot of a risk at a project strikes, by replication."""
        (slot,) = self.slots(name, place)
        return self.struck.struck[:, slot]

    def named(self) -> dict[tuple[str, str, int], tuple[list[Any], ...]]:
        """Return all that strikes, by risk, project and repetition."""
        found: dict[tuple[str, str, int], tuple[list[Any], ...]] = {}
        for slot, (r, p) in enumerate(zip(self.model.risk, self.model.project, strict=True)):
            plan = self.portfolio.plan
            name, place = plan.risks[r].id, plan.projects[p].id
            repetition = sum(key[:2] == (name, place) for key in found)
            s = self.struck
            columns = (s.struck[:, slot], s.days[:, slot], s.share[:, slot], s.cost[:, slot])
            found[name, place, repetition] = tuple(column.tolist() for column in columns)
        return found


def portfolio_of(folder: Path, risks: Sequence[Row], projects: Sequence[Row] = ONE) -> Portfolio:
    """Build a small plan with a register."""
    types = [{"type": "road"}, {"type": "plant"}]
    world = write_world(folder, projects, types=types, gates=GATES, risks=risks)
    return sim.build_portfolio(load_plan(world))


def lay_out(portfolio: Portfolio, *mitigated: str) -> RiskModel:
    """Lay out the register of a plan."""
    chains = tuple((i, chain) for i, chain in enumerate(portfolio.chains) if chain is not None)
    model = risk_model(portfolio, chains, frozenset(mitigated))
    assert model is not None
    return model


def strike(portfolio: Portfolio, model: RiskModel, replications: Sequence[int]) -> Struck:
    """Let the kernel strike, replication by replication, and write out what it did."""
    inverses = Inverses()
    risks = lay_out_risks(model, register.addresses(model.labels), portfolio, inverses)
    laws, numbers = inverses.tables()
    room = risk_room(risks)
    shape = (len(replications), len(model.risk))
    struck, days = np.zeros(shape, np.bool_), np.zeros(shape, np.int64)
    share, cost = np.zeros(shape), np.ones(shape)
    for row, number in enumerate(replications):
        count = draw_strikes(risks, laws, numbers, np.uint64(SEED), np.uint64(number), room)
        hits = room.hits[:count]
        struck[row, hits] = True
        days[row, hits] = room.days[:count]
        share[row, hits], cost[row, hits] = room.share[:count], room.cost[:count]
    return Struck(struck, days, share, cost)


def live(
    folder: Path,
    risks: Sequence[Row],
    projects: Sequence[Row] = ONE,
    mitigated: Sequence[str] = (),
    replications: int = REPLICATIONS,
) -> Register:
    """Let the register strike in many replications."""
    portfolio = portfolio_of(folder, risks, projects)
    model = lay_out(portfolio, *mitigated)
    return Register(portfolio, model, strike(portfolio, model, range(replications)))


def assert_share(hits: NDArray[Any], expected: float) -> None:
    error = math.sqrt(expected * (1 - expected) / len(hits))
    assert abs(hits.mean() - expected) <= 4 * error


def assert_mean(sample: NDArray[Any], mean: float, variance: float) -> None:
    assert abs(sample.mean() - mean) <= 4 * math.sqrt(variance / len(sample))


class TestOneRisk:
    def test_what_strikes_follows_its_distributions(self, tmp_path: Path) -> None:
        one = risk("R1", 0.3, days="uniform(9.5, 30.5)", at="uniform(0.2, 0.6)",
                   cost="uniform(0.8, 1.6)")  # fmt: skip
        world = live(tmp_path, [one])
        hit, struck = world.hits("R1"), world.struck
        assert_share(hit, 0.3)
        days, share, cost = struck.days[hit, 0], struck.share[hit, 0], struck.cost[hit, 0]
        # Rounded, the days are uniform on 10, 11, ..., 30.
        assert (days.min(), days.max()) == (10, 30)
        assert_mean(days, 20, (21**2 - 1) / 12)
        assert 0.2 <= share.min() < 0.21
        assert 0.59 < share.max() <= 0.6
        assert_mean(share, 0.4, 0.4**2 / 12)
        assert_mean(cost, 1.2, 0.8**2 / 12)
        # The three are drawn apart.
        for pair in ((days, share), (days, cost), (share, cost)):
            assert abs(np.corrcoef(*pair)[0, 1]) <= 4 / math.sqrt(hit.sum())

    def test_what_does_not_strike_leaves_nothing(self, tmp_path: Path) -> None:
        one = risk("R1", 0.3, days="uniform(5, 9)", at="uniform(0.2, 0.6)", cost="uniform(2, 3)")
        world = live(tmp_path, [one], replications=200)
        missed = ~world.struck.struck
        assert missed.any()
        assert not world.struck.days[missed].any()
        assert not world.struck.share[missed].any()
        assert (world.struck.cost[missed] == 1).all()

    def test_a_blank_place_is_anywhere(self, tmp_path: Path) -> None:
        world = live(tmp_path, [risk("R1", 1, at="")])
        assert_mean(world.struck.share[:, 0], 0.5, 1 / 12)

    def test_fixed_numbers_need_no_draws(self, tmp_path: Path) -> None:
        world = live(tmp_path, [risk("R1", 1, days="7", at="0.25", cost="0.9")], replications=3)
        assert world.model.labels == ()
        assert world.struck.days.tolist() == [[7]] * 3
        assert world.struck.share.tolist() == [[0.25]] * 3
        assert world.struck.cost.tolist() == [[0.9]] * 3

    def test_threats_and_opportunities_mix(self, tmp_path: Path) -> None:
        one = risk(
            "R1", 1, days="discrete(-20:0.3, 0:0.2, 15:0.5)", cost="discrete(0.9:0.5, 1:0.5)"
        )
        days = live(tmp_path, [one]).struck.days[:, 0]
        for value, share in {-20: 0.3, 0: 0.2, 15: 0.5}.items():
            assert_share(days == value, share)

    def test_a_drop_has_no_length(self, tmp_path: Path) -> None:
        rows = [risk("R1", 1, days="9", effect="drop"), risk("R2", 1, days="9")]
        world = live(tmp_path, rows, replications=2)
        assert world.model.drops.tolist() == [True, False]
        assert world.struck.days.tolist() == [[0, 9]] * 2


class TestRepetition:
    def test_rework_in_a_loop(self, tmp_path: Path) -> None:
        """A task of 10 days, each check fails with probability 0.25 and costs 6: 12 and 16."""
        world = live(tmp_path, [risk("R1", 0.25, days="6", repeat="loop")])
        times = world.struck.struck.sum(axis=1)
        duration = 10 + world.struck.days.sum(axis=1)
        assert_mean(times, 1 / 3, 4 / 9)
        assert_mean(duration, 12, 16)
        # Excess kurtosis of a geometric distribution, from which the error of its variance.
        excess = 6 + 0.75**2 / 0.25
        error = math.sqrt((excess + 2) / len(duration))
        assert abs(duration.var(ddof=1) / 16 - 1) <= 4 * error

    def test_a_loop_stays_in_its_place_and_draws_new_days(self, tmp_path: Path) -> None:
        one = risk("R1", 0.7, days="uniform(5, 500)", at="uniform(0, 1)", repeat="loop")
        struck = live(tmp_path, [one], replications=500).struck
        for hit, share in zip(struck.struck, struck.share, strict=True):
            count = int(hit.sum())
            assert hit[:count].all()
            assert len(set(share[:count])) <= 1
        twice = struck.struck[:, 1]
        assert (struck.days[twice, 0] != struck.days[twice, 1]).mean() > 0.9
        assert len(set(struck.share[struck.struck[:, 0], 0])) > 100

    def test_a_loop_ends(self, tmp_path: Path) -> None:
        struck = live(tmp_path, [risk("R1", 1, repeat="loop")], replications=2).struck
        assert struck.struck.sum(axis=1).tolist() == [20, 20]

    def test_repetitions_stand_apart(self, tmp_path: Path) -> None:
        one = risk("R1", 0.4, days="uniform(1, 9)", at="uniform(0, 1)", repeat="3")
        struck = live(tmp_path, [one]).struck
        for count in range(4):
            expected = math.comb(3, count) * 0.4**count * 0.6 ** (3 - count)
            assert_share(struck.struck.sum(axis=1) == count, expected)
        both = struck.struck[:, 0] & struck.struck[:, 2]
        for values in (struck.days, struck.share):
            pair = np.corrcoef(values[both, 0], values[both, 2])[0, 1]
            assert abs(pair) <= 4 / math.sqrt(both.sum())


class TestPlaces:
    def test_a_gate_is_struck_where_it_is_open(self, tmp_path: Path) -> None:
        rows = [risk("R1", 1, at="permit", days="-4"), risk("R2", 1, at="land", days="5")]
        world = live(tmp_path, rows, FOUR, replications=2)
        names = [world.portfolio.plan.projects[p].id for p in world.model.project]
        # Open gates in order of the frame: permit of A, then land and permit of C.
        assert list(zip(names, world.model.gate.tolist(), strict=True)) == [
            ("A", 0), ("C", 2), ("C", 1),
        ]  # fmt: skip
        assert world.struck.days.tolist() == [[-4, -4, 5]] * 2
        assert not world.struck.share.any()

    def test_the_order_of_gates_is_that_of_the_frame(self, tmp_path: Path) -> None:
        """Each gate of the shipped plan is found again in the gates of its project."""
        portfolio = sim.build_portfolio(load_plan(LUOYANG))
        frame = build_sampler(portfolio, 0).frame
        model = lay_out(portfolio)
        at_gate = np.flatnonzero(model.gate != WORK)
        assert at_gate.size > 100
        for slot in at_gate.tolist():
            position, one = int(model.project[slot]), portfolio.plan.risks[model.risk[slot]]
            chain = portfolio.chains[position]
            assert chain is not None
            first = int(frame.gate_first[position])
            assert chain.gates[int(model.gate[slot]) - first] == one.at

    def test_work_is_struck_where_some_is_left(self, tmp_path: Path) -> None:
        model = lay_out(portfolio_of(tmp_path, [risk("R1")], FOUR))
        assert model.project.tolist() == [0, 1, 2]  # D was finished before
        assert (model.gate == WORK).all()

    def test_filters(self, tmp_path: Path) -> None:
        rows = [risk("R1", applies_to="type=road;county!=south"), risk("R2", applies_to="id=B|C")]
        model = lay_out(portfolio_of(tmp_path, rows, FOUR))
        found = list(zip(model.risk.tolist(), model.project.tolist(), strict=True))
        assert found == [(0, 0), (1, 1), (1, 2)]


class TestTriggers:
    def test_a_certain_trigger(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.3, triggers="R2"), risk("R2", 0)]
        world = live(tmp_path, rows)
        assert_share(world.hits("R1"), 0.3)
        assert np.array_equal(world.hits("R1"), world.hits("R2"))

    def test_a_likely_trigger_adds_to_own_luck(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.5, triggers="R2:0.4"), risk("R2", 0.2)]
        world = live(tmp_path, rows)
        first, second = world.hits("R1"), world.hits("R2")
        assert_share(second[~first], 0.2)
        assert_share(second[first], 1 - 0.8 * 0.6)

    def test_several_triggers_act_apart(self, tmp_path: Path) -> None:
        rows = [risk("R1", 1, triggers="R2:0.5;R3:0.5"), risk("R2", 0), risk("R3", 0)]
        world = live(tmp_path, rows)
        assert_share(world.hits("R2") & world.hits("R3"), 0.25)

    def test_branches_exclude_each_other(self, tmp_path: Path) -> None:
        rows = [risk("R1", 1, triggers="R2:0.3|R3:0.6"), risk("R2", 0), risk("R3", 0)]
        world = live(tmp_path, rows)
        second, third = world.hits("R2"), world.hits("R3")
        assert not (second & third).any()
        assert_share(second, 0.3)
        assert_share(third, 0.6)

    @pytest.mark.parametrize("names", [("R1", "R2", "R3"), ("R3", "R2", "R1"), ("R2", "R3", "R1")])
    def test_chains_whatever_the_order(self, names: tuple[str, ...], tmp_path: Path) -> None:
        first, second, third = names
        rows = [risk(first, 0.6, triggers=f"{second}:0.5"), risk(second, 0, triggers=third),
                risk(third, 0)]  # fmt: skip
        world = live(tmp_path, rows)
        assert_share(world.hits(second), 0.3)
        assert np.array_equal(world.hits(second), world.hits(third))
        assert not (world.hits(third) & ~world.hits(first)).any()

    def test_at_the_same_project_whatever_the_filter(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.5, triggers="R2", applies_to="id=A|B"),
                risk("R2", 0.2, applies_to="id=C")]  # fmt: skip
        world = live(tmp_path, rows, FOUR, replications=2000)
        for place in "AB":
            assert np.array_equal(world.hits("R1", place), world.hits("R2", place))
        assert not np.array_equal(world.hits("R1", "A"), world.hits("R1", "B"))
        assert_share(world.hits("R2", "C"), 0.2)

    def test_a_risk_without_a_place_breaks_the_chain(self, tmp_path: Path) -> None:
        """B has no open gate: there the second does not strike, and triggers nothing."""
        rows = [risk("R1", 1, triggers="R2"), risk("R2", 0, at="permit", triggers="R3"),
                risk("R3", 0)]  # fmt: skip
        model = lay_out(portfolio_of(tmp_path, rows, FOUR))
        found = set(zip(model.risk.tolist(), model.project.tolist(), strict=True))
        assert found == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 2)}

    def test_a_trigger_starts_a_loop_outside_the_filter(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.4, triggers="R2"),
                risk("R2", 0.25, repeat="loop", applies_to="id=B")]  # fmt: skip
        world = live(tmp_path, rows, FOUR)
        times = world.struck.struck[:, world.slots("R2")].sum(axis=1)
        assert np.array_equal(times > 0, world.hits("R1"))
        assert_mean(times[times > 0], 4 / 3, 4 / 9)

    def test_a_trigger_starts_a_loop(self, tmp_path: Path) -> None:
        """Once triggered it comes again by its own luck: 1 + geometric."""
        rows = [risk("R1", 1, triggers="R2"), risk("R2", 0.25, repeat="loop")]
        world = live(tmp_path, rows)
        times = world.struck.struck[:, world.slots("R2")].sum(axis=1)
        assert times.min() == 1
        assert_mean(times, 4 / 3, 4 / 9)

    def test_any_repetition_triggers_and_only_one_is_triggered(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.5, repeat="2", triggers="R2"), risk("R2", 0, repeat="3")]
        world = live(tmp_path, rows)
        first = np.logical_or.reduce(world.struck.struck[:, world.slots("R1")], axis=1)
        assert_share(first, 0.75)
        times = world.struck.struck[:, world.slots("R2")].sum(axis=1)
        assert np.array_equal(times, first)


class TestParallel:
    ROWS = (risk("R1", 1, days="uniform(0, 100)", cost="1.1"),
            risk("R2", 1, days="uniform(0, 100)", cost="1.2", at="0.7"))  # fmt: skip

    def test_in_series_they_add_up(self, tmp_path: Path) -> None:
        struck = live(tmp_path, self.ROWS).struck
        assert struck.struck.all()
        assert_mean(struck.days.sum(axis=1), 100, 2 * 100**2 / 12)

    def test_in_parallel_the_longest_counts(self, tmp_path: Path) -> None:
        series = live(tmp_path / "series", self.ROWS).struck
        rows = [{**row, "parallel": "g"} for row in self.ROWS]
        struck = live(tmp_path / "parallel", rows).struck
        # The maximum of two uniforms: mean 2/3, variance 1/18 of the square of the width.
        assert_mean(struck.days.sum(axis=1), 200 / 3, 100**2 / 18)
        assert (struck.struck.sum(axis=1) == 1).all()
        assert np.array_equal(struck.days.sum(axis=1), series.days.max(axis=1))
        second = series.days[:, 1] > series.days[:, 0]
        assert np.array_equal(struck.struck[:, 1], second)
        assert np.array_equal(struck.share.sum(axis=1), np.where(second, 0.7, 0.5))
        assert np.array_equal(struck.cost.prod(axis=1), np.where(second, 1.2, 1.1))

    def test_ties_go_to_the_first(self, tmp_path: Path) -> None:
        rows = [risk(name, 1, days="7", parallel="g") for name in ("R2", "R3", "R1")]
        struck = live(tmp_path, rows, replications=2).struck
        assert struck.struck.tolist() == [[True, False, False]] * 2

    def test_only_what_strikes_is_compared(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.5, days="50", parallel="g"), risk("R2", 1, days="-7", parallel="g")]
        world = live(tmp_path, rows, replications=400)
        assert np.array_equal(world.hits("R2"), ~world.hits("R1"))
        assert world.hits("R2").any()

    def test_groups_are_of_one_project_and_one_kind_of_place(self, tmp_path: Path) -> None:
        rows = [
            risk("R1", 1, days="9", parallel="g"),
            risk("R2", 1, days="5", parallel="g", at="permit"),
            risk("R3", 1, days="6", parallel="g", at="land"),
            risk("R4", 1, days="3", parallel="g", at="uniform(0, 1)"),
            risk("R5", 1, days="2", parallel="h"),
            risk("R6", 1, days="8", parallel="g", at="permit"),
        ]
        world = live(tmp_path, rows, FOUR, replications=2)
        struck = {key: strikes for key, (strikes, *_) in world.named().items()}
        expected = {("R1", "A"), ("R1", "B"), ("R1", "C"), ("R3", "C"), ("R5", "A"), ("R5", "B"),
                    ("R5", "C"), ("R6", "A"), ("R6", "C")}  # fmt: skip
        assert {key[:2] for key, strikes in struck.items() if all(strikes)} == expected
        assert {key[:2] for key, strikes in struck.items() if any(strikes)} == expected

    def test_what_does_not_count_has_triggered_all_the_same(self, tmp_path: Path) -> None:
        rows = [risk("R1", 1, days="9", parallel="g"),
                risk("R2", 1, days="5", parallel="g", triggers="R3"), risk("R3", 0)]  # fmt: skip
        world = live(tmp_path, rows, replications=2)
        assert not world.hits("R2").any()
        assert world.hits("R3").all()


class TestScope:
    CELLS: ClassVar[Mapping[str, Any]] = {
        "days": "uniform(0, 1000)", "at": "uniform(0, 1)", "cost": "uniform(1, 2)",
    }  # fmt: skip

    def same(self, world: Register, first: str, second: str) -> bool:
        """Tell whether two projects meet the same."""
        named = world.named()
        return named["R1", first, 0] == named["R1", second, 0]

    @pytest.mark.parametrize(
        ("scope", "neighbours", "strangers"),
        [("project", False, False), ("county", True, False), ("city", True, True)],
    )
    def test_whose_luck_it_is(
        self, scope: str, neighbours: bool, strangers: bool, tmp_path: Path
    ) -> None:
        world = live(tmp_path, [risk("R1", scope=scope, **self.CELLS)], FOUR)
        assert self.same(world, "A", "B") == neighbours
        assert self.same(world, "A", "C") == strangers
        for place in "ABC":
            assert_share(world.hits("R1", place), 0.5)
        both = world.hits("R1", "A") & world.hits("R1", "C")
        assert_share(both, 0.5 if strangers else 0.25)

    def test_what_follows_is_shared_too(self, tmp_path: Path) -> None:
        rows = [risk("R1", scope="county", triggers="R2:0.5"), risk("R2", 0)]
        world = live(tmp_path, rows, FOUR, replications=400)
        assert np.array_equal(world.hits("R2", "A"), world.hits("R2", "B"))
        assert not np.array_equal(world.hits("R2", "A"), world.hits("R2", "C"))


class TestMitigation:
    ROWS = (
        risk("R1", 0.4, days="uniform(50, 100)", mitigated_probability=0.1, mitigated_days="5",
             mitigation_cost=3, applies_to="county=north"),
        risk("R2", 0.3, days="40", mitigated_days="10", mitigation_cost=4),
        risk("R3", 0.2, days="30", mitigated_probability=0, mitigation_cost=5, at="permit"),
    )  # fmt: skip

    def test_without(self, tmp_path: Path) -> None:
        world = live(tmp_path, self.ROWS, FOUR)
        assert not world.model.mitigation_cost.any()
        assert_share(world.hits("R1"), 0.4)
        assert world.struck.days[world.hits("R1"), world.slots("R1")[0]].min() >= 50

    def test_with(self, tmp_path: Path) -> None:
        plain = live(tmp_path / "plain", self.ROWS, FOUR)
        world = live(tmp_path / "done", self.ROWS, FOUR, mitigated=["R1", "R2", "R3"])
        assert_share(world.hits("R1"), 0.1)
        (slot,) = world.slots("R1")
        assert set(world.struck.days[world.hits("R1"), slot]) == {5}
        # A blank cell leaves what it was: the same luck strikes, for fewer days.
        assert np.array_equal(plain.hits("R2"), world.hits("R2"))
        (slot,) = world.slots("R2")
        assert set(world.struck.days[world.hits("R2"), slot]) == {10}
        assert not world.hits("R3").any()
        # By project, in units of 10,000 yuan: D is finished, R1 covers the north, R3 open gates.
        expected = {"A": 3 + 4 + 5, "B": 3 + 4, "C": 4 + 5, "D": 0}
        costs = world.model.mitigation_cost.tolist()
        names = [one.id for one in world.portfolio.plan.projects]
        assert dict(zip(names, costs, strict=True)) == {k: v * 10_000 for k, v in expected.items()}

    def test_one_alone(self, tmp_path: Path) -> None:
        portfolio = portfolio_of(tmp_path, self.ROWS, FOUR)
        costs = lay_out(portfolio, "R1").mitigation_cost.tolist()
        assert costs == [30_000, 30_000, 0, 0]

    def test_it_is_paid_where_the_risk_was_only_triggered(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0.5, triggers="R2", applies_to="id=B"),
                risk("R2", 0, mitigation_cost=1)]  # fmt: skip
        costs = lay_out(portfolio_of(tmp_path, rows, FOUR), "R2").mitigation_cost.tolist()
        assert costs == [0, 10_000, 0, 0]

    def test_a_risk_that_is_not_registered(self, tmp_path: Path) -> None:
        portfolio = portfolio_of(tmp_path, self.ROWS, FOUR)
        with pytest.raises(ValueError, match="R9"):
            lay_out(portfolio, "R1", "R9")


class TestUnused:
    def test_without_a_register(self, tmp_path: Path) -> None:
        portfolio = sim.build_portfolio(load_plan(write_world(tmp_path, ONE)))
        assert risk_model(portfolio, (), frozenset()) is None

    def test_no_probability_leaves_no_trace(self, tmp_path: Path) -> None:
        rows = [risk("R1", 0, days="uniform(1, 9)", triggers="R2"), risk("R2", 0, repeat="loop")]
        world = live(tmp_path, rows, replications=3)
        assert world.model.labels == ()
        assert world.model.risk.shape == (0,)
        assert world.struck.struck.shape == world.struck.days.shape == (3, 0)
        assert [name for name, _ in world.model.unused] == ["R1", "R2"]

    def test_a_trigger_that_never_acts_uses_nothing(self, tmp_path: Path) -> None:
        model = lay_out(portfolio_of(tmp_path, [risk("R1", triggers="R2:0"), risk("R2", 0)]))
        assert [name for name, _ in model.unused] == ["R2"]

    @pytest.mark.parametrize(
        ("row", "zh", "en"),
        [
            (risk("R1", 0), "概率为 0", "its probability is 0"),
            (risk("R1", 0, at="land"), "概率为 0", "gate 'land' open"),
            (risk("R1", applies_to="type=road;type=plant"), "适用范围", "covers no project"),
            (risk("R1", at="land", applies_to="id=A|B"), "“land”", "has gate 'land' open"),
            (risk("R1", applies_to="id=D"), "未完的工程", "has work left"),
        ],
    )
    def test_reasons(self, row: Row, zh: str, en: str, tmp_path: Path) -> None:
        model = lay_out(portfolio_of(tmp_path, [row, risk("R2")], FOUR))
        ((name, reason),) = model.unused
        assert name == "R1"
        assert zh in reason.zh
        assert en in reason.en


class TestInvariance:
    ROWS = (
        risk("R2", 0.4, days="uniform(1, 99)", at="uniform(0, 1)", cost="uniform(1, 2)",
             triggers="R4:0.5|R3:0.2", repeat="2"),
        risk("R3", 0.2, days="uniform(1, 99)", scope="county", at="permit"),
        risk("R4", 0.1, days="uniform(1, 99)", scope="city", repeat="loop", at=""),
    )  # fmt: skip

    def test_added_risks_move_nothing(self, tmp_path: Path) -> None:
        before = live(tmp_path / "before", self.ROWS, FOUR, replications=50).named()
        more = [risk("R1", 0.5, days="uniform(1, 9)", triggers="R9"), *self.ROWS, risk("R9", 0.5)]
        after = live(tmp_path / "after", more, FOUR, replications=50).named()
        assert len(after) > len(before) > 20
        assert {key: after[key] for key in before} == before

    def test_added_projects_move_nothing(self, tmp_path: Path) -> None:
        before = live(tmp_path / "before", self.ROWS, FOUR, replications=50).named()
        more = [project("0", *DATES, county="north", gates="land;permit", rank=0), *FOUR]
        after = live(tmp_path / "after", self.ROWS, more, replications=50).named()
        assert len(after) > len(before)
        assert {key: after[key] for key in before} == before

    def test_the_order_of_rows_moves_nothing(self, tmp_path: Path) -> None:
        before = live(tmp_path / "before", self.ROWS, FOUR, replications=50).named()
        rows, projects = list(self.ROWS), list(FOUR)
        random.Random(1).shuffle(rows)
        random.Random(2).shuffle(projects)
        assert (rows, projects) != (list(self.ROWS), list(FOUR))
        assert live(tmp_path / "after", rows, projects, replications=50).named() == before

    def test_replications_stand_alone(self, tmp_path: Path) -> None:
        portfolio = portfolio_of(tmp_path, self.ROWS, FOUR)
        model = lay_out(portfolio)
        whole = strike(portfolio, model, range(50))
        part = strike(portfolio, model, [17])
        for name in ("struck", "days", "share", "cost"):
            assert np.array_equal(getattr(part, name)[0], getattr(whole, name)[17])


class TestToldTwice:
    """The kernel against numpy, on registers with everything in them."""

    def test_everything_at_once(self, tmp_path: Path) -> None:
        rows = [
            *TestInvariance.ROWS,
            *TestMitigation.ROWS,
            risk("R5", 0.3, days="uniform(-30, 60)", parallel="g", cost="uniform(0.5, 2)"),
            risk("R6", 0.6, days="uniform(-30, 60)", parallel="g", at="uniform(0, 1)"),
            risk("R7", 0.6, days="normal(0, 9, -99, 99)", parallel="g", repeat="loop"),
            risk("R8", 0.5, days="9", effect="drop", triggers="R9;R5:0.5|R6:0.5"),
            risk("R9", 0, days="chance(0.5, gamma(2, 9))", at="land", scope="city"),
        ]
        rows = list({row["id"]: row for row in rows}.values())
        portfolio = portfolio_of(tmp_path, rows, FOUR)
        model = lay_out(portfolio, "R1")
        u = naive_draws.uniforms(SEED, range(500), register.addresses(model.labels))
        expected = naive_risks.strike(model, u)
        found = strike(portfolio, model, range(500))
        assert np.array_equal(found.struck, expected.struck)
        assert np.array_equal(found.days, expected.days)
        np.testing.assert_allclose(found.share, expected.share, rtol=1e-13)
        np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-13)


class TestLuoyang:
    def test_the_register_is_read_without_a_word_and_every_row_is_used(self) -> None:
        problems = load_plan_with(LUOYANG, [])[2]
        assert [one for one in problems if one.file == "risks.csv"] == []
        model = lay_out(sim.build_portfolio(load_plan(LUOYANG)))
        assert model.unused == ()
        assert register.find_collisions(model.labels, register.addresses(model.labels)) == []

    def test_every_risk_strikes_as_often_as_it_says(self) -> None:
        portfolio = sim.build_portfolio(load_plan(LUOYANG))
        model = lay_out(portfolio)
        struck = strike(portfolio, model, range(100)).struck
        by_id = {one.id: position for position, one in enumerate(portfolio.plan.risks)}
        rows = {name: struck[:, model.risk == position] for name, position in by_id.items()}
        for one in portfolio.plan.risks:
            if one.id != "R05":  # R04 triggers it
                assert_share(rows[one.id].ravel(), one.probability)
        apart = ~np.isin(model.project, model.project[model.risk == by_id["R04"]])
        alone = struck[:, (model.risk == by_id["R05"]) & apart]
        assert_share(alone.ravel(), portfolio.plan.risks[by_id["R05"]].probability)
        for position in model.project[model.risk == by_id["R04"]]:
            here = model.project == position
            first = struck[:, here & (model.risk == by_id["R04"])]
            second = struck[:, here & (model.risk == by_id["R05"])]
            assert (second[first[:, 0]]).all()
