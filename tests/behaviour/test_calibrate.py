"""The command `calibrate`: from evidence to a posterior, as files and as words."""

import contextlib
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sim.analysis.published import REFERENCE
from sim.cli import main
from sim.plan.evidence import KINDS, STARTS, read_evidence
from sim.plan.language import parse_distribution
from sim.plan.parameters import PARAMETERS
from sim.plan.portfolio import build_portfolio
from sim.plan.problems import InputError
from sim.plan.quantiles import quantile
from sim.plan.scenario import load_scenario
from sim.runs.class_totals import GAPS, compare_with, reference_classes
from sim.runs.ensemble import (
    Ensemble,
    _cut,
    _shares,
    prior_points,
    run_ensemble,
    spread_scenario,
    usual_drivers,
)
from sim.runs.outcomes import MEASURES
from sim.runs.workers import simulate_batch
from sim.sampling.sampler import build_sampler
from tests.cutting import cut_luoyang
from tests.worlds import project, write_world


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "evidence"))


def ask(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def calibrate(part: Path, out: Path, *more: object) -> int:
    return ask("calibrate", part, "--designs", 8, "-n", 32, "--out", out, *more)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


class TestEnsemble:
    @pytest.fixture(scope="class")
    def found(self, part: Path) -> Ensemble:
        return run_ensemble(part, 16, 64, 5, 2)

    @pytest.fixture(scope="class")
    def small(self, part: Path) -> Ensemble:
        return run_ensemble(part, 8, 32, 5, 2)

    def test_parameters_fill_their_priors(self, found: Ensemble) -> None:
        assert found.names == tuple(one.name for one in PARAMETERS)
        assert found.values.shape == (1024, len(PARAMETERS))
        for k, one in enumerate(PARAMETERS):
            values = np.unique(found.values[:, k])
            assert one.low <= values.min() < values.max() <= one.high
            assert len(values) == (1024 if one.kind == "driver" else 16)
            # Evenly spread: each quarter of the range has a quarter of the values.
            quarters = np.histogram(values, 4, (one.low, one.high))[0] / len(values)
            assert np.abs(quarters - 0.25).max() < (0.05 if one.kind == "driver" else 0.01)

    def test_each_acts_in_its_direction(self, found: Ensemble) -> None:
        """Regress shares on all parameters at once; the signs are written before."""
        scaled = (found.values - found.values.mean(axis=0)) / found.values.std(axis=0)
        terms = np.column_stack([np.ones(len(scaled)), scaled])
        slopes = {
            scope: dict(
                zip(found.names, np.linalg.lstsq(terms, found.shares[scope][:, -1])[0][1:],
                    strict=True)
            )
            for scope in ("all", STARTS)
        }  # fmt: skip
        assert slopes["all"]["understatement"] > 0
        assert slopes["all"]["overstatement"] > 0
        assert slopes["all"]["productivity"] < 0
        assert slopes["all"]["duration"] < 0
        assert slopes[STARTS]["slip"] < 0
        of_gaps = np.linalg.lstsq(terms, found.gaps)[0][1:]
        by_gap = {
            gap: dict(zip(found.names, of_gaps[:, k], strict=True)) for k, gap in enumerate(GAPS)
        }
        assert by_gap["duration_median"]["duration"] > 0
        assert by_gap["duration_p80"]["productivity"] > 0
        assert by_gap["cost_median"]["cost"] > 0
        assert by_gap["late"]["slip"] > 0
        assert by_gap["missed"]["slip"] > 0
        assert by_gap["apart"]["filing"] > 0

    def test_starts_are_over_those_planned_for_the_year(self, part: Path, small: Ensemble) -> None:
        """What has not started by its end is what missed it, counted apart."""
        classes = reference_classes(part)
        compared = compare_with(build_portfolio(load_scenario(part).plan), classes)
        said = np.mean([classes[kind].no_start for kind in compared.types[compared.starting]])
        missed = small.gaps[:, GAPS.index("missed")] + said
        assert small.shares[STARTS][:, -1] == pytest.approx(1 - missed, abs=1e-12)
        planned = sum(
            one.stage != "reserve" and one.planned_start.year == 2021
            and one.done_before_year + (one.done_this_year or 0) == 0
            for one in compared.portfolio.plan.projects
        )  # fmt: skip
        assert abs(int(compared.starting.sum()) - planned) <= 2  # some filed as begun have no value

    def test_kinds_are_told_at_the_mix_of_stages_of_the_whole(
        self, part: Path, small: Ensemble
    ) -> None:
        """Told again from projects: each stage's share of a kind, weighed as in the whole plan."""
        given = dict(zip(small.names, small.values[0].tolist(), strict=True))
        given = {one.name: given[one.name] for one in PARAMETERS if one.kind != "driver"}
        plan = spread_scenario(part, given).plan
        portfolio = build_portfolio(plan)
        sampler = build_sampler(portfolio, 5, "quasi")
        outcomes = simulate_batch(sampler, [0, 1, 2])
        reported = outcomes.year_end[:, MEASURES.index("reported")]
        for kind, types in KINDS.items():
            above, below, parts = np.zeros(3), np.zeros(3), 0
            for stage in ("completing", "continuing", "new", "pre_work"):
                listed = [
                    k for k, one in enumerate(plan.projects)
                    if one.stage == stage and portfolio.in_target[k]
                ]  # fmt: skip
                own = [k for k in listed if plan.projects[k].type in types]
                filed = sum(plan.projects[k].annual_plan for k in own)
                if not filed:
                    continue
                whole = sum(plan.projects[k].annual_plan for k in listed)
                above += reported[:, own].sum(axis=1) / filed * whole
                below += reported[:, listed].sum(axis=1)
                parts += 1
            assert parts >= 2
            assert small.shares[kind][:3, -1] == pytest.approx(above / below, rel=1e-12)

    def test_government_may_promise_more_or_less(self) -> None:
        """No direction is taken for granted."""
        (one,) = (each for each in PARAMETERS if each.kind == "exposure")
        prior = parse_distribution(one.prior)
        assert quantile(prior, 0.5) == pytest.approx(0)
        assert quantile(prior, 0.99) == pytest.approx(-quantile(prior, 0.01))

    def test_a_stage_that_a_kind_lacks_is_left_out_of_both(self, tmp_path: Path) -> None:
        """Industry has no new projects here: it is held against continuing ones alone."""
        rows = [
            project("A", "2020-01-01", "2022-06-30", 4_000, 2_000, type="industrial_plant",
                    stage="continuing", done_before_year=1_000),
            project("B", "2020-01-01", "2022-06-30", 9_000, 3_000, type="roads",
                    stage="continuing", done_before_year=1_000),
            project("C", "2021-02-01", "2022-06-30", 8_000, 5_000, type="roads", stage="new",
                    gates="none"),
        ]  # fmt: skip
        types = [{"type": "industrial_plant"}, {"type": "roads", "duration": "fixed(1.5)"}]
        folder = write_world(tmp_path / "w", rows, 'calendar = "continuous"', types=types)
        portfolio = build_portfolio(load_scenario(folder).plan)
        cut = _cut(portfolio)
        outcomes = simulate_batch(build_sampler(portfolio, 1), [0], cut.parts)
        shares = _shares(portfolio, cut, outcomes)
        reported = outcomes.year_end[0, MEASURES.index("reported")]
        a, b, c = (reported[[one.id for one in portfolio.plan.projects].index(x)] for x in "ABC")
        assert shares["industry"][0, -1] == pytest.approx(a / 2_000 / ((a + b) / 5_000))
        both = (b / 3_000 * 5_000 + c / 5_000 * 5_000) / (a + b + c)
        assert shares["infrastructure"][0, -1] == pytest.approx(both)

    def test_understatement_of_government_sets_kinds_apart(self, found: Ensemble) -> None:
        """Infrastructure is the government's, most of industry is not."""
        terms = np.column_stack([np.ones(len(found.values)), found.values])
        slopes = {
            kind: np.linalg.lstsq(terms, np.log(found.shares[kind][:, -1]))[0][1:]
            for kind in ("industry", "infrastructure")
        }
        k = found.names.index("understatement_government")
        assert slopes["industry"][k] < 0 < slopes["infrastructure"][k]

    def test_points_are_spread_as_the_priors(self) -> None:
        count = 20_000
        found = prior_points(7, count)
        assert found.shape == (count, len(PARAMETERS))
        for k, one in enumerate(PARAMETERS):
            whole = quantile(parse_distribution(one.prior), (np.arange(100_000) + 0.5) / 100_000)
            error = 4 * whole.std() / np.sqrt(count)
            assert abs(found[:, k].mean() - whole.mean()) < error
            assert one.low <= found[:, k].min() or one.name == "productivity"
        matrix = np.corrcoef(found.T) - np.eye(len(PARAMETERS))
        assert np.abs(matrix).max() < 4.5 / np.sqrt(count)

    def test_drivers_are_usual_and_nothing_else(self) -> None:
        given = prior_points(7, 3)
        found = usual_drivers(given)
        for k, one in enumerate(PARAMETERS):
            if one.kind == "driver":
                assert np.ptp(found[:, k]) == 0
            else:
                assert np.array_equal(found[:, k], given[:, k])

    def test_values_of_a_design_stand_in_its_plan(self, part: Path) -> None:
        given = {one.name: 0.3 for one in PARAMETERS if one.kind != "driver"}
        found = spread_scenario(part, given).plan
        exposure = next(one for one in found.drivers if one.name == "understatement").exposure
        assert (exposure.of("government"), exposure.of("enterprise")) == (0.3, 1.0)
        assert found.deflation["gates"].slip == 0.3
        assert found.deflation["gates"].no_start == 0.3
        assert found.deflation["risks"].duration_excess == 0.3
        assert found.deflation["risks"].cost_excess == 0.3
        own = next(one for one in found.drivers if one.name == "understatement").each
        assert own is not None
        assert own.parameters == (0.0, 0.3, -0.6, 0.6)

    def test_priors_are_independent_whatever_a_plan_says(self, tmp_path: Path) -> None:
        scenario = cut_luoyang(tmp_path / "part", ("laocheng",)) / "baseline.toml"
        drivers = scenario.parent / "drivers.toml"
        tied = '\ndrivers = [["understatement", "overstatement", -0.48]]\n'
        text = drivers.read_text("utf-8").replace("[dependence]", "[dependence]" + tied)
        drivers.write_text(text, "utf-8")
        given = {one.name: 0.3 for one in PARAMETERS if one.kind != "driver"}
        assert load_scenario(scenario).plan.dependence.drivers
        assert not spread_scenario(scenario, given).plan.dependence.drivers

    def test_the_same_for_any_number_of_threads(self, part: Path, small: Ensemble) -> None:
        one = run_ensemble(part, 8, 32, 5, 1)
        assert np.array_equal(one.values, small.values)
        for scope, shares in one.shares.items():
            assert np.array_equal(shares, small.shares[scope])


class TestCommand:
    @pytest.fixture(scope="class")
    def written(self, part: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
        """The folder of a calibration, and what it said."""
        folder, said = tmp_path_factory.mktemp("written") / "found", io.StringIO()
        with contextlib.redirect_stdout(said):
            assert calibrate(part, folder, "--lang", "en") == 0
        return folder, said.getvalue()

    def test_files_and_words(self, written: tuple[Path, str]) -> None:
        folder, told = written
        assert "The evidence cannot tell apart" in told
        parameters = table(folder / "parameters.csv")
        assert [row["parameter"] for row in parameters][: len(PARAMETERS)] == [
            one.name for one in PARAMETERS
        ]
        about = json.loads((folder / "calibration.json").read_text())
        assert about["replications_of_a_design"] * about["designs"] == 256
        assert about["until"] == 2020
        gaps = table(folder / "gaps.csv")
        assert [one["quantity"] for one in gaps] == list(GAPS)
        assert about["points"] >= about["effective_points"] > 1
        classes = table(folder / "classes.csv")
        assert {row["quantity"] for row in classes} == {"duration", "cost", "late", "missed"}
        assert "are a trial" in told
        assert about["evidence_sha256"].keys() == {
            "month_end_shares.csv", "places.csv", "start_rates.csv",
        }  # fmt: skip
        # Numbers are numbers for a spreadsheet too, those below nought as well.
        matrix = table(folder / "correlations.csv")
        values = [[float(row[one["parameter"]]) for one in matrix] for row in matrix]
        assert np.array_equal(np.array(values), np.array(values).T)
        assert np.array(values).min() < 0
        rows = table(folder / "shares.csv")
        assert about["shares"] == len(rows)
        inside = [row for row in rows if row["inside"] == "yes"]
        assert all(0.1 <= float(row["probability_of_less"]) <= 0.9 for row in inside)
        assert all(float(row["p10"]) < float(row["p50"]) < float(row["p90"]) for row in rows)

    def test_what_it_found_is_a_scenario_to_run(self, written: tuple[Path, str]) -> None:
        found = load_scenario(written[0] / "calibrated.toml")
        told = {row["parameter"]: row for row in table(written[0] / "parameters.csv")}
        for one in PARAMETERS:
            mean, sd = (float(told[one.name][column]) for column in ("mean", "sd"))
            if one.kind == "driver":
                (driver,) = (each for each in found.plan.drivers if each.name == one.driver)
                sample = quantile(driver.distribution, (np.arange(20_000) + 0.5) / 20_000)
                assert sample.mean() == pytest.approx(mean, abs=0.005)
                if one.name != "productivity":  # it keeps the spread of years
                    assert sample.std() == pytest.approx(sd, abs=0.005)
            elif one.kind == "each":
                (driver,) = (each for each in found.plan.drivers if each.name == one.driver)
                assert driver.each is not None
                assert driver.each.parameters[1] == pytest.approx(mean, abs=0.006)
            elif one.kind == "exposure":
                (driver,) = (each for each in found.plan.drivers if each.name == one.driver)
                assert driver.exposure.of("government") == pytest.approx(mean, abs=0.006)
                assert driver.exposure.of("enterprise") == 1.0
            else:
                for path in one.paths:
                    _, cause, factor = path.split(".")
                    left = getattr(found.plan.deflation[cause], factor)
                    assert left == pytest.approx(mean, abs=0.006)
        assert len(found.plan.dependence.drivers) == 3

    def test_later_years_and_first_quarters_are_held_against_it(
        self, written: tuple[Path, str]
    ) -> None:
        rows = table(written[0] / "shares.csv")
        assert {row["kind"] for row in rows if int(row["year"]) > 2020} == {
            "later", "first_quarter", "kinds_later",
        }  # fmt: skip
        # Every year that a place published of is either learned from or held back.
        told = {(one.place, one.year) for one in read_evidence(REFERENCE).rows}
        assert {(row["place"], int(row["year"])) for row in rows} == told
        for row in rows:
            early = row["scope"] != STARTS and int(row["month"]) < 4
            if row["scope"] in KINDS:
                unheard = early or int(row["year"]) > 2020
                assert row["kind"] == ("kinds_later" if unheard else "kinds")
            else:
                assert (row["kind"] == "first_quarter") == early
        assert {row["kind"] for row in rows} >= {"kinds", "kinds_later"}

    def test_classes_tell_nothing_of_a_driver(self, written: tuple[Path, str]) -> None:
        """They are heard at usual drivers: as many points, as widely spread as before."""
        told = {row["parameter"]: row for row in table(written[0] / "parameters.csv")}
        for one in PARAMETERS:
            if one.kind == "driver":
                before, after = (float(told[one.name][name]) for name in ("prior_sd", "class_sd"))
                assert after == pytest.approx(before, rel=4 / np.sqrt(2 * 4_096))

    @pytest.mark.slow
    def test_the_same_bytes_again(self, part: Path, tmp_path: Path) -> None:
        for name in ("one", "other"):
            assert calibrate(part, tmp_path / name, "--workers", 1 + (name == "one")) == 0
        for path in (tmp_path / "one").iterdir():
            assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


class TestEvidence:
    def test_one_row_a_place_and_year(self, evidence: Path) -> None:
        rows = read_evidence(evidence).rows
        keys = [(row.place, row.year) for row in rows]
        assert keys == sorted(set(keys))
        assert ("kaiping", 2021) in keys
        kept = next(row for row in rows if (row.place, row.year) == ("guangdong", 2019))
        assert [month for scope, month in kept.cells if scope == "all"] == [1, 2, 3, 8, 9]

    def test_the_order_of_rows_does_not_matter(self, evidence: Path) -> None:
        before = read_evidence(evidence).rows
        for name in ("month_end_shares.csv", "places.csv", "start_rates.csv"):
            lines = (evidence / name).read_text(encoding="utf-8").splitlines(keepends=True)
            (evidence / name).write_text("".join([lines[0], *lines[:0:-1]]), encoding="utf-8")
        after = read_evidence(evidence).rows
        assert [(one.place, one.year, one.cells) for one in before] == [
            (one.place, one.year, one.cells) for one in after
        ]
        for one, other in zip(before, after, strict=True):
            assert np.array_equal(one.shares, other.shares)

    def test_what_has_a_reason_is_left_out(self, evidence: Path) -> None:
        places = {row.place for row in read_evidence(evidence).rows}
        assert "longnan" not in places  # the epidemic
        assert "nanyang" not in places  # water works only
        rows = read_evidence(evidence).rows
        kept = next(row for row in rows if (row.place, row.year) == ("guangdong", 2020))
        assert [month for _, month in kept.cells] == [8, 9]  # not March

    @pytest.mark.parametrize(
        ("file", "old", "new", "codes"),
        [
            ("places.csv", "Hanzhong 汉中市,hanzhong,", "Hanzhong 汉中,hanzhong,",
             ["unknown_reference"]),
            ("month_end_shares.csv", "0.7697", "7.697", ["out_of_range"]),
            ("start_rates.csv", ",2018,8,", ",2018,13,", ["out_of_range"]),
            ("places.csv", "part of a wider list of the same place and year", "",
             ["share_given_twice"]),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_told(
        self, file: str, old: str, new: str, codes: list[str], evidence: Path
    ) -> None:
        text = (evidence / file).read_text(encoding="utf-8")
        assert old in text
        (evidence / file).write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(InputError) as found:
            read_evidence(evidence)
        assert {one.code for one in found.value.problems} == set(codes)

    def test_through_the_command_line(
        self, part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "empty").mkdir()
        assert calibrate(part, tmp_path / "out", "--evidence", tmp_path / "empty") == 2
        assert capsys.readouterr().err.count("不存在") + 1 >= 3
        assert not (tmp_path / "out").exists()
