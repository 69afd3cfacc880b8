"""Correlations that people can check: assumed, implied by a run, repaired where asked."""

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sim
from sim.cli import main
from sim.runs.csvfiles import read_csv
from sim.runs.folder import StoredRun
from sim.runs.simulate import Run
from sim.sampling import dependence, nearest
from sim.sampling.assumed import Assumed, assumed_correlations
from sim.sampling.sampler import build_sampler
from tests.retold import outcomes_of
from tests.worlds import Row, project, write_world

COUNT = 400
WIDE = "lognormal(median=1, sigma=0.4)"
DRIVERS = """
[price]
title = "p"
distribution = "lognormal(median=1, sigma=0.4)"
acts_on = "cost"

[pace]
title = "q"
distribution = "lognormal(median=1, sigma=0.2)"
acts_on = "duration"

[report]
title = "r"
distribution = "uniform(0, 0.2)"
stress = "fixed(0.3)"
acts_on = "report"

[intent]
title = "i"
distribution = "uniform(0, 0.5)"
acts_on = "intent"
"""
CONTRADICTION = (("A", "B", 0.9), ("A", "C", -0.4), ("B", "C", 0.7))


def world(folder: Path, *lines: str, correlations: tuple[tuple[str, str, float], ...] = ()) -> Path:
    """Six projects, of which one is of the reserve and one goes on in the next year."""
    rows = [
        project(name, "2021-01-01", "2022-06-30" if name == "F" else "2021-06-30",
                10_000 * (k + 1), 30_000 if name == "F" else 10_000 * (k + 1),
                type="u" if name == "F" else "t", programme="p" if name in "AB" else "",
                investor="enterprise" if name == "C" else "government", gates="none",
                **({"stage": "reserve"} if name == "E" else {}))
        for k, name in enumerate("ABCDEF")
    ]  # fmt: skip
    types: list[Row] = [
        {"type": "t", "duration": WIDE, "cost": WIDE, "duration_cost_correlation": 0.5},
        {"type": "u", "duration": WIDE, "cost": "fixed(1)"},
    ]
    given: list[Row] = [
        {"variable": "cost", "project_a": a, "project_b": b, "correlation": r}
        for a, b, r in correlations
    ]
    tables: dict[str, Any] = {"correlations": given} if given else {}
    return write_world(
        folder, rows, 'calendar = "continuous"\nhorizon = 2022-12-31',
        drivers="\n".join(["[dependence]", *lines]), types=types, **tables,
    )  # fmt: skip


def ask(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def stored(folder: Path, out: Path, count: int = COUNT) -> tuple[Run, StoredRun]:
    run = sim.simulate(sim.load_scenario(folder), replications=count)
    return run, sim.write_run(run, out)


class TestImplied:
    def test_every_row_against_the_covariance_matrix(self, tmp_path: Path) -> None:
        """Mean of all correlations, weighted; and the variance of the total, the long way."""
        run, found = stored(world(tmp_path / "w", "city = 0.2", "type = 0.1"), tmp_path / "out")
        outcomes, portfolio = outcomes_of(run), run.portfolio
        samples = {
            name: outcomes.year_end[:, k]
            for k, name in enumerate(("work_done", "reported", "paid"))
        } | {"final_cost": outcomes.final_cost}
        annual = np.array([one.annual_plan for one in portfolio.plan.projects], np.float64)
        weights = dict.fromkeys(samples, annual) | {"final_cost": portfolio.total.astype(float)}
        members = {(one.dimension, one.name): one.members for one in run.tally.layout.groups}
        members = {name: chosen for name, chosen in members.items() if chosen.any()}
        members["all", ""] = portfolio.in_target
        rows = found.table("correlation")
        keys = [(row["dimension"], row["group"], row["measure"]) for row in rows]
        assert sorted(keys) == sorted((*group, name) for group in members for name in samples)
        for row in rows:
            chosen = members[row["dimension"], row["group"]]
            assert int(row["projects"]) == chosen.sum()
            size = weights[row["measure"]][chosen]
            assert float(row["effective_by_size"]) == pytest.approx(size.sum() ** 2 / (size @ size))
            self.compare(row, np.atleast_2d(np.cov(samples[row["measure"]][:, chosen].T)))

    @staticmethod
    def compare(row: dict[str, str], covariance: NDArray[np.float64]) -> None:
        spread = np.sqrt(np.diag(covariance))
        products = np.outer(spread, spread)
        pairs = np.triu(products > 0, 1)
        if not pairs.any():
            assert row["mean_correlation"] == ""
        else:
            mean = covariance[pairs].sum() / products[pairs].sum()
            assert float(row["mean_correlation"]) == pytest.approx(mean, rel=1e-8, abs=1e-9)
        if not spread.any():
            assert row["effective_projects"] == row["effective_if_independent"] == ""
            return
        whole = spread.sum() ** 2
        assert float(row["effective_projects"]) == pytest.approx(whole / covariance.sum())
        apart = whole / np.diag(covariance).sum()
        assert float(row["effective_if_independent"]) == pytest.approx(apart)

    def test_a_common_correlation_is_found_again(self, tmp_path: Path) -> None:
        """Forty equal projects, normal costs: r, n / (1 + (n - 1) r) and the error of r.

        The error of an intraclass correlation from N independent samples of n is
        (1 - r)(1 + (n - 1) r) sqrt(2 / (n (n - 1) (N - 1))) (Fisher 1925).
        """
        count, r, replications = 40, 0.2, 2_000
        rows = [
            project(f"P{k}", "2021-01-01", "2021-06-30", 30_000, 30_000, type="t", gates="none")
            for k in range(count)
        ]
        types: list[Row] = [
            {"type": "t", "cost": "normal(1, 0.2, 0, 2)", "duration_cost_correlation": 1}
        ]
        folder = write_world(
            tmp_path / "w", rows, 'calendar = "continuous"', f"[dependence]\ncity = {r}",
            types=types,
        )  # fmt: skip
        run = sim.simulate(
            sim.load_scenario(folder, ["run.sampling=plain"]), replications=replications
        )
        rows_found = sim.write_run(run, tmp_path / "out").table("correlation")
        (row,) = (
            one for one in rows_found if (one["dimension"], one["measure"]) == ("all", "final_cost")
        )
        error = (1 - r) * (1 + (count - 1) * r)
        error *= math.sqrt(2 / (count * (count - 1) * (replications - 1)))
        assert abs(float(row["mean_correlation"]) - r) <= 4 * error
        # Twenty blocks know an error to 1 / sqrt(2 x 19) of itself.
        assert abs(float(row["mean_correlation_se"]) / error - 1) <= 4 / math.sqrt(38)
        effective = count / (1 + (count - 1) * r)
        slope = effective * (count - 1) / (1 + (count - 1) * r)
        assert abs(float(row["effective_projects"]) - effective) <= 4 * slope * error
        assert float(row["effective_projects_se"]) / (slope * error) == pytest.approx(
            1, abs=4 / math.sqrt(38)
        )

    def test_few_replications_have_no_errors(self, tmp_path: Path) -> None:
        folder = world(tmp_path / "w", "city = 0.2")
        for count in (1, 2):
            (row, *_) = stored(folder, tmp_path / "out", count)[1].table("correlation")
            assert row["mean_correlation_se"] == row["effective_projects_se"] == ""
            assert (row["effective_projects"] == "") == (count == 1)


class TestAssumed:
    @staticmethod
    def found(folder: Path, *changes: str) -> dict[tuple[str, str], Assumed]:
        plan = sim.load_scenario(folder, changes).plan
        sampler = build_sampler(sim.build_portfolio(plan), 1)
        return {(one.variable, one.relation): one for one in assumed_correlations(sampler)}

    def test_shares_add_up(self, tmp_path: Path) -> None:
        """City .1 (halved for C), type .2, programme .05, funding .03; E is of the reserve."""
        folder = world(
            tmp_path, "city = 0.1", "type = 0.2", "programme = 0.05", "funding = 0.03",
            "enterprise = 0.5",
        )  # fmt: skip
        found = self.found(folder)
        mixed = math.sqrt(0.1 * 0.05)
        pairs = {
            "AB": 0.1 + 0.2 + 0.05 + 0.03, "AC": mixed + 0.2, "AD": 0.33, "AF": 0.13,
            "BC": mixed + 0.2, "BD": 0.33, "BF": 0.13, "CD": mixed + 0.2, "CF": mixed, "DF": 0.13,
        }  # fmt: skip
        alike = {
            "all": list(pairs), "type": [one for one in pairs if "F" not in one],
            "programme": ["AB"], "investor": [one for one in pairs if "C" not in one],
            "none": ["CF"],
        }  # fmt: skip
        for relation, names in alike.items():
            one = found["duration", relation]
            values = np.array([pairs[name] for name in names])
            assert one.pairs == len(names), relation
            assert one.scores == pytest.approx(values.mean()), relation
            assert (one.lowest, one.highest) == pytest.approx((values.min(), values.max()))
            # Two lognormals alike: (exp(s^2 r) - 1) / (exp(s^2) - 1); cells: 2 in 10,000.
            linear = (np.exp(0.16 * values) - 1) / (np.exp(0.16) - 1)
            assert one.linear == pytest.approx(linear.mean(), rel=5e-4), relation
            # A cost score is 0.5 times that of the duration; those of type u have none.
            costs = np.array([0.25 * pairs[name] * ("F" not in name) for name in names])
            assert found["cost", relation].scores == pytest.approx(costs.mean()), relation
        assert math.isnan(found["cost", "none"].linear)

    def test_given_pairs_take_the_place_of_factors(self, tmp_path: Path) -> None:
        given = (("A", "B", 0.5), ("B", "C", -0.3))
        found = self.found(world(tmp_path, "city = 0.1", correlations=given))
        # Six pairs of A, B, C and D vary in cost; those of D share nothing with the named ones.
        assert found["cost", "all"].linear == pytest.approx((0.5 - 0.3) / 6, abs=2e-4)
        assert found["cost", "programme"].linear == pytest.approx(0.5, abs=2e-4)
        assert found["duration", "all"].scores == pytest.approx(0.1)

    def test_costs_given_share_nothing_with_others(self, tmp_path: Path) -> None:
        found = self.found(world(tmp_path, "city = 0.1", correlations=(("A", "D", 0.5),)))
        # Of A to D, B and C alone are left to the factor: 0.5 x 0.5 x 0.1.
        factor = math.expm1(0.16 * 0.025) / math.expm1(0.16)
        assert found["cost", "all"].linear == pytest.approx((0.5 + factor) / 6, abs=1e-4)

    def test_switched_off_there_are_none(self, tmp_path: Path) -> None:
        folder = world(tmp_path, "city = 0.1", correlations=(("A", "B", 0.5),))
        for one in self.found(folder, "uncertainties.dependence=off").values():
            assert one.scores == one.lowest == one.highest == 0


class TestDrivers:
    """Correlations of drivers stand beside those of projects."""

    TIED = (
        'drivers = [["price", "pace", 0.5], ["report", "intent", -0.48], ["intent", "pace", 0.1]]'
    )

    def found(self, folder: Path, *changes: str) -> dict[str, Assumed]:
        plan = sim.load_scenario(world(folder, self.TIED, DRIVERS), changes).plan
        assumed = assumed_correlations(build_sampler(sim.build_portfolio(plan), 1))
        return {one.relation: one for one in assumed if one.variable == "drivers"}

    def test_pair_by_pair(self, tmp_path: Path) -> None:
        """Linear: closed forms of two uniforms and two lognormals; cells: 2 in 10,000."""
        found = self.found(tmp_path)
        scores = dict.fromkeys(
            ("intent;price", "pace;report", "price;report"), 0.0
        ) | {"pace;price": 0.5, "intent;report": -0.48, "intent;pace": 0.1}  # fmt: skip
        assert {pair: one.scores for pair, one in found.items()} == pytest.approx(scores)
        assert all(one.lowest == one.highest == one.scores for one in found.values())
        uniform = 6 / math.pi * math.asin(-0.48 / 2)
        assert found["intent;report"].linear == pytest.approx(uniform, rel=5e-4)
        grown = math.expm1(0.4 * 0.2 * 0.5) / math.sqrt(math.expm1(0.16) * math.expm1(0.04))
        assert found["pace;price"].linear == pytest.approx(grown, rel=5e-4)

    def test_what_is_off_has_none_and_what_is_fixed_no_linear_one(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, "uncertainties.dependence=off") == {}
        off = self.found(tmp_path, "uncertainties.intent=off", "uncertainties.report=stress")
        assert off.keys() == {"pace;price", "pace;report", "price;report"}
        assert math.isnan(off["pace;report"].linear)

    @pytest.mark.parametrize(("lang", "word"), [("zh", "因素"), ("en", "drivers")])
    def test_printed_and_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str, word: str
    ) -> None:
        folder, out = world(tmp_path / "w", self.TIED, DRIVERS), tmp_path / "out"
        words = ("-n", 3, "--out", out, "--runs", tmp_path / "runs", "--lang", lang)
        assert ask("correlation", folder, *words) == 0
        printed = capsys.readouterr().out
        (line,) = (one for one in printed.splitlines() if "intent;report" in one)
        assert word in line
        assert "-0.480" in line
        rows = [row for row in read_csv(out / "assumed.csv") if row["variable"] == "drivers"]
        assert {row["relation"]: float(row["mean_score_correlation"]) for row in rows}[
            "pace;price"
        ] == pytest.approx(0.5)

    def test_repaired_where_asked_for_and_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tied = 'drivers = [["price", "pace", 0.9], ["price", "intent", -0.4], ["pace", "intent", '
        folder = world(tmp_path / "w", tied + "0.7]]", DRIVERS)
        assert ask("check", folder, "--lang", "en") == 2
        said = capsys.readouterr().err
        assert "drivers.toml, column 'dependence.drivers': the correlations contradict" in said
        repaired = "uncertainties.dependence.repair=true"
        for lang, what in (("en", "correlation of scores asked"), ("zh", "正态得分相关系数由")):
            assert ask("check", folder, "--set", repaired, "--lang", lang) == 0
            assert what in capsys.readouterr().err
        words = ("--set", repaired, "-n", 3, "--out", tmp_path / "out", "--quiet", "--lang", "en")
        assert ask("run", folder, *words) == 0
        ran = capsys.readouterr()
        place = Path(ran.out.strip().split(": ")[-1])
        (told,) = json.loads((place / "manifest.json").read_text("utf-8"))["correlation_repair"]
        assert told["variable"] == "drivers"
        first, second = told["pair"]
        given = next(
            one for one in told["pairs"] if {one["driver_a"], one["driver_b"]} == {first, second}
        )
        assert f"asked {given['asked']:.3f}, used {given['used']:.3f}" in ran.err

    def test_where_no_repair_is_found_it_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hasty = functools.partial(nearest.nearest_correlation, most_steps=3)
        monkeypatch.setattr(dependence, "nearest_correlation", hasty)
        tied = 'drivers = [["price", "pace", 0.9], ["price", "intent", -0.4], ["pace", "intent", '
        folder = world(tmp_path, "repair = true", tied + "0.7]]", DRIVERS)
        with pytest.raises(sim.InputError) as refused:
            build_sampler(sim.build_portfolio(sim.load_plan(folder)), 1)
        (one,) = refused.value.problems
        assert (one.code, one.file, one.column) == (
            "correlations_not_repaired", "drivers.toml", "dependence.drivers",
        )  # fmt: skip


class TestRepair:
    def test_refused_unless_asked_for(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = world(tmp_path / "w", "city = 0.1", correlations=CONTRADICTION)
        assert ask("check", folder, "--lang", "en") == 2
        said = capsys.readouterr().err
        assert "the pair to look at is 'A' and" in said
        assert "repair = true" in said
        repaired = "uncertainties.dependence.repair=true"
        assert ask("check", folder, "--set", repaired, "--lang", "en") == 0
        assert "as asked, the nearest possible matrix is used" in capsys.readouterr().err

    def test_told_by_run_and_kept_in_the_manifest(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = world(tmp_path / "w", "repair = true", correlations=CONTRADICTION)
        for _ in range(2):  # simulated, and read where it stands
            assert ask("run", folder, "-n", 20, "--out", tmp_path / "out", "--quiet") == 0
            said = capsys.readouterr()
            assert "Frobenius" in said.err
            place = Path(said.out.strip().split("：")[-1])
        (told,) = json.loads((place / "manifest.json").read_text("utf-8"))["correlation_repair"]
        assert told["variable"] == "cost"
        assert f"{told['distance']:.4f}" in said.err
        asked = {(one["project_a"], one["project_b"]): one["asked"] for one in told["pairs"]}
        assert asked == {(a, b): r for a, b, r in CONTRADICTION}
        # Scores of two lognormals alike have r = log(1 + l (exp(s^2) - 1)) / s^2.
        grown = math.expm1(0.16)
        changes = {
            pair: (math.log1p(one["used"] * grown) - math.log1p(one["asked"] * grown)) / 0.16
            for pair, one in zip(asked, told["pairs"], strict=True)
        }
        distance = math.sqrt(2 * sum(change**2 for change in changes.values()))
        assert told["distance"] == pytest.approx(distance, abs=2e-3)
        largest = max(changes, key=lambda pair: abs(changes[pair]))
        assert sorted(told["pair"]) == sorted(largest)
        assert told["largest_change"] == pytest.approx(abs(changes[largest]), abs=1e-3)

    def test_where_none_is_found_it_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hasty = functools.partial(nearest.nearest_correlation, most_steps=3)
        monkeypatch.setattr(dependence, "nearest_correlation", hasty)
        folder = world(tmp_path, "repair = true", correlations=CONTRADICTION)
        with pytest.raises(sim.InputError) as refused:
            build_sampler(sim.build_portfolio(sim.load_plan(folder)), 1)
        assert [one.code for one in refused.value.problems] == ["correlations_not_repaired"]

    def test_what_can_be_is_not_touched(self, tmp_path: Path) -> None:
        given = (("A", "B", 0.5), ("B", "C", -0.3))
        folder = world(tmp_path, "repair = true", correlations=given)
        assert build_sampler(sim.build_portfolio(sim.load_plan(folder)), 1).repairs == ()

    def test_out_of_force_nothing_is_told(self, tmp_path: Path) -> None:
        folder = world(tmp_path, "repair = true", correlations=CONTRADICTION)
        plan = sim.load_scenario(folder, ["uncertainties.dependence=off"]).plan
        assert build_sampler(sim.build_portfolio(plan), 1).repairs == ()


class TestCommand:
    @pytest.mark.parametrize(
        ("lang", "words"),
        [("zh", ("假定", "模拟隐含", "有效项目数")), ("en", ("Assumed", "Implied", "Effective"))],
    )
    def test_prints_and_writes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str, words: tuple[str, ...]
    ) -> None:
        folder = world(tmp_path / "w", "city = 0.1", "repair = true", correlations=CONTRADICTION)
        out, runs = tmp_path / "out", tmp_path / "runs"
        said = ask("correlation", folder, "-n", 40, "--out", out, "--runs", runs, "--lang", lang)
        assert said == 0
        printed = capsys.readouterr()
        assert all(word in printed.out for word in words)
        # Codes of ours are words to people.
        codes = {"government", "enterprise", "continuing", "completing", "new"}
        assert lang == "en" or not codes & set(printed.out.split())
        # One project of the target is an enterprise's, the other four the government's.
        for name, count in zip(("企业", "政府") if lang == "zh" else ("enterprise", "government"),
                               ("1", "4"), strict=True):  # fmt: skip
            assert count in {
                line.split()[2] for line in printed.out.splitlines() if line.split()[1:2] == [name]
            }
        assert "Frobenius" in printed.err
        names = {path.name for path in out.iterdir()}
        assert names == {"assumed.csv", "correlation.csv", "common.csv", "correlation.json"}
        about = json.loads((out / "correlation.json").read_text("utf-8"))
        run = runs / about["scenario"] / about["fingerprint"]
        assert (out / "correlation.csv").read_bytes() == (run / "correlation.csv").read_bytes()
        weights = np.array([1, 2, 3, 4, 3])
        for row in read_csv(out / "common.csv"):
            r = float(row["correlation"])
            total = (1 - r) * (weights**2).sum() + r * weights.sum() ** 2
            assert float(row["effective_projects"]) == pytest.approx(weights.sum() ** 2 / total)
            over = math.sqrt(total / (weights**2).sum())
            assert float(row["sd_over_independent"]) == pytest.approx(over)

    def test_nothing_is_written_where_something_cannot_be(self, tmp_path: Path) -> None:
        folder, out = world(tmp_path / "w", "city = 0.1"), tmp_path / "out"
        (out / "common.csv").mkdir(parents=True)
        assert ask("correlation", folder, "-n", 3, "--out", out, "--runs", tmp_path / "runs") == 1
        assert [path.name for path in out.iterdir()] == ["common.csv"]
