"""Correlated drivers: what is named moves, nothing else does, and marginals never."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

import sim
from sim.plan.configuration import Sampling
from sim.plan.loading import load_plan_with
from sim.plan.problems import Problem
from sim.plan.rows import DriverCorrelation
from sim.sampling.draw_shared import Ties, tie_drivers
from sim.sampling.draws import draw
from sim.sampling.sampler import Sampler, build_sampler
from tests.worlds import Row, project, write_world

Drawn = dict[str, NDArray[np.float64]]
Triple = tuple[str, str, float]

COUNT = 2_000
LAWS = {
    "a": ("lognormal(median=1, sigma=0.3)", stats.lognorm(0.3)),
    "b": ("uniform(0.5, 1.5)", stats.uniform(0.5, 1)),
    "c": ("triangular(0.7, 1, 1.6)", stats.triang(1 / 3, 0.7, 0.9)),
    "d": ("normal(1, 0.2, 0.4, 1.6)", stats.truncnorm(-3, 3, 1, 0.2)),
    "e": ("uniform(0.8, 1.2)", stats.uniform(0.8, 0.4)),
}
SAMPLINGS: tuple[Sampling, ...] = ("plain", "quasi")
TYPES: list[Row] = [{"type": "t", "duration": "lognormal(1, 0.2)", "slip": "uniform(0, 60)"}]
IMPOSSIBLE = (("a", "c", 0.9), ("e", "c", 0.7), ("e", "a", -0.4))
ELSEWHERE = """
[county]
title = "county"
distribution = "uniform(0.9, 1.1)"
acts_on = "cost"
scope = "county"

[loans]
title = "loans"
distribution = "uniform(0.9, 1.1)"
acts_on = "loan"

[flood]
title = "flood"
distribution = "triangular(2, 5, 30)"
acts_on = "calendar"
window = ["06-25", "08-25"]
"""


def world(folder: Path, triples: tuple[Triple, ...] | None, *lines: str) -> Path:
    """Write a plan with five drivers that are drawn once, of which none has a stress but `a`."""
    tables = [
        f'[{name}]\ntitle = "{name}"\ndistribution = "{text}"\nacts_on = "cost"\n'
        for name, (text, _) in LAWS.items()
    ]
    tables[0] += 'stress = "uniform(5, 6)"\n'
    given = [] if triples is None else [f"drivers = {json.dumps(triples)}"]
    shared = "\n".join(["[dependence]", "city = 0.2", *given, *lines, ""])
    rows = [project(name, "2021-02-01", "2022-06-30", 900, 300, type="t") for name in "AB"]
    return write_world(folder, rows, drivers="\n".join([*tables, shared, ELSEWHERE]), types=TYPES)


def sampler_of(folder: Path, *changes: str, sampling: Sampling = "plain") -> Sampler:
    plan = sim.load_scenario(folder, changes).plan
    return build_sampler(sim.build_portfolio(plan), 2021, sampling)


def drawn(folder: Path, *changes: str, sampling: Sampling = "plain", count: int = 50) -> Drawn:
    """What each driver drew, by subject."""
    sampler = sampler_of(folder, *changes, sampling=sampling)
    found = [one.drivers for one in draw(sampler, range(count))]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def scores(values: Drawn) -> Drawn:
    """Normal scores, by the distribution functions of scipy."""
    return {name: special.ndtri(law.cdf(values[name])) for name, (_, law) in LAWS.items()}


def near(first: NDArray[np.float64], second: NDArray[np.float64], expected: float) -> bool:
    """Within four standard errors of a sample correlation."""
    found = float(np.corrcoef(first, second)[0, 1])
    return bool(abs(found - expected) <= 4 * (1 - expected**2) / np.sqrt(COUNT))


@pytest.mark.parametrize("sampling", SAMPLINGS)
class TestWhatIsAsked:
    CHAIN = (("b", "a", 0.6), ("b", "c", -0.5), ("d", "c", 0.3))

    def test_marginals(self, tmp_path: Path, sampling: Sampling) -> None:
        """Kolmogorov and Smirnov: one false alarm in 1,000 over all tests (Bonferroni).

        Points that are spread evenly keep closer to their distribution than independent ones.
        """
        critical = stats.kstwo.isf(0.001 / (len(LAWS) * len(SAMPLINGS)), COUNT)
        values = drawn(world(tmp_path, self.CHAIN), sampling=sampling, count=COUNT)
        for name, (_, law) in LAWS.items():
            assert stats.kstest(values[name], law.cdf).statistic <= critical, name

    def test_correlations_of_scores(self, tmp_path: Path, sampling: Sampling) -> None:
        """Pairs that are not named have none, though both are tied to a third."""
        found = scores(drawn(world(tmp_path, self.CHAIN), sampling=sampling, count=COUNT))
        asked = {frozenset((a, b)): value for a, b, value in self.CHAIN}
        for a in LAWS:
            for b in (other for other in LAWS if other > a):
                assert near(found[a], found[b], asked.get(frozenset((a, b)), 0.0)), (a, b)

    @pytest.mark.parametrize("sign", [-1, 1])
    def test_both_ends(self, tmp_path: Path, sampling: Sampling, sign: int) -> None:
        """A ridge of 1e-12 leaves the second an own part of sqrt(2e-12), times a score below 8.3.

        A uniform is known to 2^-53: no more than 1e-9 of a score within 5.
        """
        found = scores(drawn(world(tmp_path, (("a", "b", sign),)), sampling=sampling, count=500))
        assert np.abs(found["b"] - sign * found["a"]).max() <= 8.3 * np.sqrt(2e-12) + 1e-9
        assert found["a"].std() > 0.9


class TestWhatStays:
    """Bits, not tolerances."""

    @staticmethod
    def moved(folder: Path, triples: tuple[Triple, ...], sampling: Sampling) -> set[str]:
        plain = drawn(world(folder / "plain", None), sampling=sampling)
        tied = drawn(world(folder / "tied", triples), sampling=sampling)
        return {name for name in plain if not np.array_equal(plain[name], tied[name])}

    @pytest.mark.parametrize("sampling", SAMPLINGS)
    def test_the_first_of_each_group_and_all_that_are_not_named(
        self, tmp_path: Path, sampling: Sampling
    ) -> None:
        assert self.moved(tmp_path / "1", (("b", "c", 0.5),), sampling) == {"c"}
        pairs = (("c", "a", 0.5), ("b", "d", 0.5))
        assert self.moved(tmp_path / "2", pairs, sampling) == {"c", "d"}
        # Neither of the first two is correlated with one before it.
        star = (("c", "a", 0.5), ("b", "c", 0.5))
        assert self.moved(tmp_path / "3", star, sampling) == {"c"}

    def test_one_group_does_not_move_another(self, tmp_path: Path) -> None:
        """Groups are interleaved by name."""
        one = drawn(world(tmp_path / "1", (("a", "d", 0.5),)))
        two = drawn(world(tmp_path / "2", (("a", "d", 0.5), ("b", "c", -0.9))))
        assert np.array_equal(one["d"], two["d"])
        assert not np.array_equal(one["c"], two["c"])

    def test_a_correlation_of_zero_is_none(self, tmp_path: Path) -> None:
        pairs = (("a", "b", 0.0), ("c", "d", 0))
        assert self.moved(tmp_path, pairs, "plain") == set()
        assert sampler_of(world(tmp_path, pairs)).ties == ()

    def test_all_other_luck(self, tmp_path: Path) -> None:
        plain, tied = (
            next(draw(sampler_of(world(tmp_path / name, triples)), [3]))
            for name, triples in (("plain", None), ("tied", (("a", "b", 0.5),)))
        )
        for name in ("slip", "work", "first_work", "acceptance", "calendar", "release_amount"):
            assert np.array_equal(getattr(plain, name), getattr(tied, name)), name
        assert not np.array_equal(plain.total, tied.total)

    def test_the_order_in_which_they_are_written(self, tmp_path: Path) -> None:
        first = world(tmp_path / "1", (("a", "b", 0.6), ("c", "b", -0.5)))
        second = world(tmp_path / "2", (("b", "c", -0.5), ("b", "a", 0.6)))
        assert sim.load_plan(first).dependence == sim.load_plan(second).dependence
        one, other = drawn(first), drawn(second)
        assert all(np.array_equal(one[name], other[name]) for name in LAWS)

    @pytest.mark.parametrize("sampling", SAMPLINGS)
    @pytest.mark.parametrize("name", ["a", "b", "c"])
    def test_switching_one_off_leaves_the_draws_of_the_others(
        self, tmp_path: Path, name: str, sampling: Sampling
    ) -> None:
        folder = world(tmp_path, (("a", "b", 0.6), ("b", "c", -0.5), ("a", "c", 0.2)))
        on = drawn(folder, sampling=sampling)
        off = drawn(folder, f"uncertainties.{name}=off", sampling=sampling)
        assert on.keys() - off.keys() == {name}
        assert all(np.array_equal(on[other], off[other]) for other in off)

    @pytest.mark.parametrize("triple", [("a", "b", 0.6), ("b", "a", 0.6)])
    def test_stress_is_another_law_of_the_same_luck(self, tmp_path: Path, triple: Triple) -> None:
        folder = world(tmp_path, (triple,))
        on, stress = drawn(folder), drawn(folder, "uncertainties.a=stress")
        assert stress["a"] - 5 == pytest.approx(LAWS["a"][1].cdf(on["a"]))
        assert all(np.array_equal(on[other], stress[other]) for other in on if other != "a")

    def test_without_dependence_they_are_independent(self, tmp_path: Path) -> None:
        off = "uncertainties.dependence=off"
        plain = drawn(world(tmp_path / "plain", None), off)
        tied = drawn(world(tmp_path / "tied", (("a", "b", 0.9),)), off)
        assert all(np.array_equal(plain[name], tied[name]) for name in plain)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_uniform_stays_inside(sign: int) -> None:
    """Two scores at the edge add up to one whose probability would round to 1."""
    edge = 1 - 2.0**-53 if sign > 0 else 2.0**-54
    uniforms = np.array([edge, edge])
    half = np.sqrt(0.5)
    ties = Ties(np.array([0, 1]), np.array([1]), np.array([[1.0, 0.0], [half, half]]))
    tie_drivers(ties, np.zeros(2), uniforms)
    assert uniforms[0] == edge
    assert 0 < uniforms[1] < 1
    assert abs(uniforms[1] - edge) <= 2.0**-53


class TestRefused:
    @staticmethod
    def problems(folder: Path, *triples: Triple) -> list[Problem]:
        return load_plan_with(world(folder, triples), []).problems

    @pytest.mark.parametrize(
        ("name", "why"),
        [("county", "each county"), ("loans", "each year"), ("flood", "each stop")],
    )
    def test_what_is_drawn_more_than_once(self, tmp_path: Path, name: str, why: str) -> None:
        (one,) = self.problems(tmp_path, ("a", name, 0.5), (name, "b", 0.1))
        assert (one.code, one.file, one.value) == ("not_drawn_once", "drivers.toml", name)
        assert why in one.render("en")

    def test_an_unknown_name_has_the_nearest(self, tmp_path: Path) -> None:
        (one,) = self.problems(tmp_path, ("a", "lones", 0.5))
        assert (one.code, one.details["nearest"]) == ("unknown_reference", "loans")
        assert "driver" in one.render("en")
        assert "因素" in one.render("zh")

    @pytest.mark.parametrize("again", [("a", "b", 0.2), ("b", "a", 0.5)])
    def test_a_pair_twice(self, tmp_path: Path, again: Triple) -> None:
        (one,) = self.problems(tmp_path, ("a", "b", 0.5), again)
        assert (one.code, one.value) == ("bad_value", ", ".join(map(str, again)))
        assert "already" in one.render("en")
        assert "已写过" in one.render("zh")

    def test_a_driver_with_itself(self, tmp_path: Path) -> None:
        (one,) = self.problems(tmp_path, ("a", "a", 1.0))
        assert "different drivers" in one.render("en")
        assert "不同的因素" in one.render("zh")

    def test_a_faulty_driver_is_told_once(self, tmp_path: Path) -> None:
        """Its correlations are not to blame."""
        folder = world(tmp_path, (("a", "b", 0.5),))
        text = (folder / "drivers.toml").read_text("utf-8")
        (folder / "drivers.toml").write_text(text.replace('"cost"', '"coast"', 1), "utf-8")
        (one,) = load_plan_with(folder, []).problems
        assert (one.code, one.column) == ("bad_value", "a.acts_on")


class TestContradiction:
    def test_refused_with_the_pair(self, tmp_path: Path) -> None:
        """All rise together, and two of them fall as each other rises."""
        triples = [(a, b, 0.8) for a in "abcd" for b in "abcd" if a < b]
        triples[0] = ("a", "b", -0.8)
        with pytest.raises(sim.InputError) as refused:
            sampler_of(world(tmp_path, tuple(triples)))
        (one,) = refused.value.problems
        assert (one.code, one.file, one.column) == (
            "not_positive_semidefinite", "drivers.toml", "dependence.drivers",
        )  # fmt: skip
        assert {one.details["first"], one.details["second"]} == {"a", "b"}
        assert "repair = true" in one.render("en")

    @pytest.mark.parametrize(
        ("third", "possible"), [(0.96, True), (0.0, True), (0.9601, False), (-0.0001, False)]
    )
    def test_the_edge_of_what_can_be(self, tmp_path: Path, third: float, possible: bool) -> None:
        """Beside 0.6 and 0.8 the third lies within 0.6 x 0.8 +- 0.8 x 0.6: to the last digit."""
        folder = world(tmp_path, (("a", "b", 0.6), ("b", "c", 0.8), ("a", "c", third)))
        if possible:
            (group,) = sampler_of(folder).ties
            expected = np.array([[1, 0.6, third], [0.6, 1, 0.8], [third, 0.8, 1]])
            assert group.triangle @ group.triangle.T == pytest.approx(expected, abs=1e-9)
        else:
            with pytest.raises(sim.InputError):
                sampler_of(folder)

    def test_repaired_where_asked_for(self, tmp_path: Path) -> None:
        """What is told as used is what is drawn; the first and another group keep their bits."""
        beside = ("b", "d", 0.5)
        folder = world(tmp_path / "tied", (*IMPOSSIBLE, beside), "repair = true")
        (repair,) = sampler_of(folder).repairs
        assert (repair.variable, set(repair.pair) <= set("ace")) == ("drivers", True)
        told = {frozenset((one["driver_a"], one["driver_b"])): one for one in repair.pairs}
        assert {pair: one["asked"] for pair, one in told.items()} == {
            frozenset((a, b)): value for a, b, value in IMPOSSIBLE
        }
        change = {pair: one["used"] - one["asked"] for pair, one in told.items()}
        assert repair.distance == pytest.approx(np.sqrt(2 * sum(x**2 for x in change.values())))
        assert repair.largest_change == pytest.approx(abs(change[frozenset(repair.pair)]))
        values = drawn(folder, count=COUNT)
        found = scores(values)
        for pair, one in told.items():
            a, b = sorted(pair)
            assert near(found[a], found[b], one["used"]), pair
        alone = drawn(world(tmp_path / "alone", (beside,)), count=COUNT)
        assert all(np.array_equal(values[name], alone[name]) for name in "abd")

    def test_what_can_be_is_not_touched(self, tmp_path: Path) -> None:
        given = (("a", "b", 0.5), ("b", "c", -0.3))
        assert sampler_of(world(tmp_path, given, "repair = true")).repairs == ()

    def test_out_of_force_nothing_is_told(self, tmp_path: Path) -> None:
        folder = world(tmp_path, IMPOSSIBLE, "repair = true")
        assert sampler_of(folder, "uncertainties.dependence=off").repairs == ()


class TestSettings:
    SET = 'uncertainties.dependence.drivers=[["a", "b", -0.48]]'

    def test_set_on_the_command_line(self, tmp_path: Path) -> None:
        """The plan, the log and the resolved scenario hold it; so do the draws."""
        folder = world(tmp_path / "plain", None)
        loaded = sim.load_scenario(folder, [self.SET])
        assert loaded.plan.dependence.drivers == (DriverCorrelation("a", "b", -0.48),)
        assert loaded.changes == (("uncertainties.dependence.drivers", "", "a;b;-0.48"),)
        assert loaded.uncertainties["dependence"]["drivers"] == [["a", "b", -0.48]]
        filed = drawn(world(tmp_path / "filed", (("a", "b", -0.48),)))
        assert np.array_equal(drawn(folder, self.SET)["b"], filed["b"])

    @pytest.mark.parametrize("value", ["a,b,-0.48", '["a", "b", -0.48]', '[["a", "b", -1.48]]'])
    def test_what_is_wrong_with_it_is_told_of_the_command_line(
        self, tmp_path: Path, value: str
    ) -> None:
        path = "uncertainties.dependence.drivers"
        with pytest.raises(sim.InputError) as refused:
            sim.load_scenario(world(tmp_path, None), [f"{path}={value}"])
        told = {(one.code, one.file, one.column, one.row) for one in refused.value.problems}
        assert told == {("bad_value", "--set", path, None)}

    def test_a_run_bears_it_in_its_name_and_its_manifest(self, tmp_path: Path) -> None:
        folder = world(tmp_path / "plan", None)
        tied, plain = (
            sim.write_run(
                sim.simulate(sim.load_scenario(folder, changes), replications=2), tmp_path
            )
            for changes in ([self.SET], [])
        )
        assert tied.folder != plain.folder
        manifest = json.loads((tied.folder / "manifest.json").read_text("utf-8"))
        held = manifest["resolved"]["uncertainties"]["dependence"]
        assert held["drivers"] == [["a", "b", -0.48]]
