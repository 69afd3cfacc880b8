"""Residuals are deflated by each cause that is on, and by none that is off (model, 2.4)."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import sim
from sim.briefing.words import TEXT
from sim.cli import main
from sim.plan.problems import errors_of
from sim.plan.quantiles import median
from sim.runs.simulate import Run
from sim.sampling.draws import draw
from sim.sampling.sampler import build_sampler
from tests.worlds import Row, project, write_world

REPLICATIONS = 400
DRIVERS = """
[flood]
title = "f"
distribution = "fixed(3)"
acts_on = "calendar"
window = ["06-25", "08-25"]

[prices]
title = "p"
distribution = "fixed(1)"
stress = "fixed(1.0)"
acts_on = "cost"

[dependence]
city = 0.2
"""
TYPES: list[Row] = [
    {"type": "t", "duration": "lognormal(1.4, 0.3)", "cost": "lognormal(1.5, 0.8)",
     "duration_cost_correlation": 0.5, "slip": "chance(0.5, uniform(0, 100000))"},
    {"type": "u", "duration": "triangular(0.5, 1, 1.5)", "no_start": 0.5},
]  # fmt: skip
ROWS = [
    project("A", "2021-02-01", "2023-06-30", 10**8, 10**7, type="t", rank=1),
    project("B", "2021-03-01", "2023-12-31", 10**8, 10**7, type="t", rank=2),
    project("C", "2021-05-01", "2023-06-30", 10**8, 10**7, type="u", rank=3),
    # Word for word what the type says, but said by the owner.
    project("D", "2021-02-01", "2023-06-30", 10**8, 10**7, type="t", rank=4,
            duration="lognormal(1.4, 0.3)", cost="lognormal(1.5, 0.8)"),
]  # fmt: skip
CORRELATED: list[Row] = [
    {"variable": "cost", "project_a": "A", "project_b": "B", "correlation": 0.6}
]
SETTINGS = """amount_unit = "元"
horizon = 2030-12-31
deflation.gates.slip = 0.6
deflation.gates.no_start = 0.5
deflation.flood.duration_excess = 0.8
deflation.flood.duration_spread = 0.7
deflation.risks.duration_excess = 0.625
deflation.risks.cost_excess = 0.5
deflation.prices.cost_spread = 0.75"""
Drawn = Mapping[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "plan"
    return write_world(folder, ROWS, SETTINGS, DRIVERS, types=TYPES, correlations=CORRELATED)


def drawn(plan: Path, *changes: str) -> Drawn:
    """Draw multipliers of work and cost, and days of slip, by project, all on the same luck."""
    portfolio = sim.build_portfolio(sim.load_scenario(plan, changes).plan)
    found = list(draw(build_sampler(portfolio, 2021), range(REPLICATIONS)))
    return {
        "work": np.array([one.work for one in found]) / portfolio.work_left,
        "total": np.array([one.total for one in found]) / portfolio.total,
        "slip": np.array([one.slip for one in found], dtype=np.float64),
    }


def same(one: Drawn, other: Drawn) -> list[str]:
    return [name for name in one if (one[name] == other[name]).all()]


class TestACauseSwitchedOff:
    """The residuals grow by exactly what it took."""

    def test_of_durations(self, world: Path) -> None:
        """Medians 1 + 0.5 x 0.4 and 1 + 0.625 x 0.4; logarithms about them 0.7 times as far."""
        on, off = drawn(world), drawn(world, "uncertainties.flood=off")
        with_it = np.log(on["work"][:, :2] / 1.2)
        without = np.log(off["work"][:, :2] / 1.25)
        assert without.std() > 0.25
        assert with_it == pytest.approx(0.7 * without, abs=2e-6)
        # A triangular about 1 has no excess, and shrinks about 1.
        assert on["work"][:, 2] - 1 == pytest.approx(0.7 * (off["work"][:, 2] - 1), abs=2e-6)
        assert same(on, off) == ["total", "slip"]

    def test_of_costs(self, world: Path) -> None:
        """The two costs are uncorrelated here: the scores of correlated ones depend on both."""
        alone = "uncertainties.dependence=off"
        on = drawn(world, alone)
        off = drawn(world, alone, "uncertainties.prices=off")
        assert np.log(on["total"][:, :2] / 1.25) == pytest.approx(
            0.75 * np.log(off["total"][:, :2] / 1.25), abs=1e-7
        )
        off = drawn(world, alone, "uncertainties.risks=off")
        assert on["total"][:, :2] / 1.25 == pytest.approx(off["total"][:, :2] / 1.5, abs=1e-7)

    def test_of_slips(self, world: Path) -> None:
        """With p = 0.5 a slip strikes beyond u = 0.5, with 0.6 of that beyond 0.7."""
        on = drawn(world)["slip"][:, :2]
        off = drawn(world, "uncertainties.gates=off")["slip"][:, :2]
        u = np.where(off > 0, 0.5 + 0.5 * off / 100_000, 0)
        assert on == pytest.approx(np.where(u > 0.7, (u - 0.7) / 0.3 * 100_000, 0), abs=2)
        error = math.sqrt(0.3 * 0.7 / on.size)
        assert abs((on > 0).mean() - 0.3) <= 4 * error

    def test_of_missed_years(self, world: Path) -> None:
        on = drawn(world)["slip"][:, 2] > 0
        off = drawn(world, "uncertainties.gates=off")["slip"][:, 2] > 0
        assert (on <= off).all()
        for found, p in ((on, 0.25), (off, 0.5)):
            assert abs(found.mean() - p) <= 4 * math.sqrt(p * (1 - p) / REPLICATIONS)

    def test_stress_is_on(self, world: Path) -> None:
        assert len(same(drawn(world), drawn(world, "uncertainties.prices=stress"))) == 3


class TestWhatIsNotDeflated:
    def test_what_an_owner_states(self, world: Path) -> None:
        """One project says of itself what its type says; slips have no column of their own."""
        on, plain = drawn(world), drawn(world, *without_deflation())
        assert (on["work"][:, 3] == plain["work"][:, 3]).all()
        assert (on["total"][:, 3] == plain["total"][:, 3]).all()
        assert (on["work"][:, 0] != plain["work"][:, 0]).all()
        assert (on["slip"][:, 3] != plain["slip"][:, 3]).any()

    def test_without_uncertainty_there_is_no_residual(self, world: Path) -> None:
        off = drawn(world, "uncertainties.all=off")
        assert len(same(off, drawn(world, "uncertainties.all=off", *without_deflation()))) == 3
        assert (off["work"] == 1).all()
        assert (off["total"] == 1).all()
        assert (off["slip"] == 0).all()

    def test_a_plan_that_states_nothing(self, tmp_path: Path, world: Path) -> None:
        settings = "\n".join(SETTINGS.splitlines()[:2])
        plan = write_world(tmp_path, ROWS, settings, DRIVERS, types=TYPES, correlations=CORRELATED)
        assert len(same(drawn(plan), drawn(world, *without_deflation()))) == 3


def without_deflation() -> list[str]:
    """Return changes that set every stated factor to 1."""
    lines = [line for line in SETTINGS.splitlines() if line.startswith("deflation")]
    return [f"{line.split(' = ')[0]}=1" for line in lines]


def test_as_if_the_deflated_values_were_filed(world: Path) -> None:
    """Whatever reads distributions sees the deflated ones: draws, and given correlations too."""
    by_hand = drawn(
        world, *without_deflation(),
        "types.t.duration=lognormal(1.2, 0.21)", "types.t.cost=lognormal(1.25, 0.6)",
        "types.t.slip=chance(0.3, uniform(0, 100000))", "types.u.no_start=0.25",
        "types.u.duration=triangular(0.65, 1, 1.35)",
    )  # fmt: skip
    found = drawn(world)
    for name, values in found.items():
        assert values == pytest.approx(by_hand[name], rel=1e-6, abs=2e-6), name
    # The correlation that was asked for is that of the costs as deflated.
    r = np.corrcoef(found["total"][:, 0], found["total"][:, 1])[0, 1]
    assert abs(r - 0.6) <= 0.15


class TestTold:
    def run(self, world: Path, *changes: str) -> Run:
        return sim.simulate(sim.load_scenario(world, changes), replications=1)

    def test_in_the_manifest(self, world: Path, tmp_path: Path) -> None:
        changes = ["uncertainties.flood=off", "deflation.flood.slip=0.5", "deflation.risks.slip=1"]
        manifest = sim.write_run(self.run(world, *changes), tmp_path).manifest
        assert manifest["residuals"] == {
            "duration_excess": 0.625, "duration_spread": 1, "cost_excess": 0.5,
            "cost_spread": 0.75, "slip": 0.6, "no_start": 0.5,
        }  # fmt: skip
        held = manifest["resolved"]["deflation"]
        assert held.keys() == {"gates", "flood", "risks", "prices"}
        assert (held["flood"]["slip"], held["flood"]["duration_excess"]) == (0.5, 0.8)
        assert manifest["changes_without_effect"] == ["deflation.flood.slip"]
        log = {one["path"]: (one["old"], one["new"]) for one in manifest["changes"]}
        assert log["deflation.flood.slip"] == ("1.0", "0.5")

    def test_no_effect_where_what_it_deflates_is_off(self, world: Path, tmp_path: Path) -> None:
        changes = ["uncertainties.slip=off", "deflation.gates.no_start=0.9",
                   "deflation.gates.cost_spread=0.9"]  # fmt: skip
        manifest = sim.write_run(self.run(world, *changes), tmp_path).manifest
        assert manifest["changes_without_effect"] == ["deflation.gates.no_start"]

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_in_the_headline(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
    ) -> None:
        words = ["-n", "1", "--out", str(tmp_path), "--lang", language]
        for more in ([], [f"--set={one}" for one in without_deflation()]):
            with pytest.raises(SystemExit) as ended:
                main(["run", str(world), *words, *more])
            assert ended.value.code == 0
            told = " ".join(capsys.readouterr().out.split())
            line = f"{TEXT[language]['duration_excess']} × 0.50"
            assert (line in told) == (not more)

    def test_in_a_scenario_file(self, world: Path) -> None:
        file = world / "s.toml"
        file.write_text('[about]\ntitle = "s"\n[deflation.risks]\ncost_excess = 0.9\n')
        plan = sim.load_scenario(file).plan
        assert plan.deflation["risks"].cost_excess == 0.9
        assert plan.deflation["risks"].duration_excess == 0.625
        assert median(plan.types["t"].cost) == pytest.approx(1.45)
        file.unlink()

    @pytest.mark.parametrize(
        ("change", "code", "column", "value"),
        [
            ("deflation.floods.slip=0.5", "no_cause", "deflation.floods.slip", "floods"),
            ("deflation.cost.cost_excess=0.5", "no_cause", "deflation.cost.cost_excess", "cost"),
            ("deflation.flood.slips=0.5", "unknown_key", "deflation.flood.slips", ""),
            ("deflation.flood.slip=1.5", "bad_value", "deflation.flood.slip", "1.5"),
            ("deflation.flood.slip=0", "bad_value", "deflation.flood.slip", "0"),
            ("deflation.flood.slip=half", "bad_value", "deflation.flood.slip", "half"),
        ],
    )
    def test_a_mistake_in_an_override(
        self, world: Path, change: str, code: str, column: str, value: str
    ) -> None:
        with pytest.raises(sim.InputError) as caught:
            sim.load_scenario(world, [change])
        (one,) = errors_of(caught.value.problems)
        assert (one.code, one.file, one.column, one.value) == (code, "--set", column, value)
        for language in ("zh", "en"):
            assert "{" not in one.render(language)
