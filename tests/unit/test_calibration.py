"""A posterior from published shares: what is known is found, what is not is said."""

import dataclasses
import tomllib

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.analysis.calibrated import (
    calibrated_scenario,
    cut_normal,
    driver_distribution,
    score_correlations,
)
from sim.analysis.calibration import (
    BIAS,
    CLASS_SPREADS,
    KIND_SPREADS,
    LIST,
    PLACE,
    START_BIAS,
    START_PLACE,
    Posterior,
    correlations,
    effective_size,
    heard_classes,
    known_cells,
    learn,
    marginals,
    posterior,
    remaining_gaps,
    started,
    without,
)
from sim.analysis.calibration_tables import month_bands, told_apart
from sim.analysis.emulator import Emulator, fit_emulator
from sim.analysis.predictive import Held, beliefs, coverage, held_against, predictive
from sim.plan.evidence import STARTS, PlaceYear
from sim.plan.language import parse_distribution
from sim.plan.parameters import PARAMETERS
from sim.plan.quantiles import quantile
from sim.runs.ensemble import Ensemble

Floats = NDArray[np.float64]
NAMES = ("pace", "gloss", "idle")
ROWS, MONTHS = 1_000, 12
GENERATOR = np.random.Generator(np.random.Philox(key=7))
LUCK = 0.05


def parameters(count: int) -> Floats:
    """Uniform between 0 and 1, spread evenly: Latin hypercube."""
    columns = [
        (GENERATOR.permutation(count) + GENERATOR.uniform(size=count)) / count for _ in NAMES
    ]
    return np.stack(columns, axis=1)


def shares(values: Floats, luck: Floats) -> Floats:
    """Pace acts from the beginning, gloss in the same way, idle not at all."""
    months = np.arange(1, MONTHS + 1) / MONTHS
    level = 0.4 * values[:, 0] + 0.2 * values[:, 1] ** 2
    return np.exp(np.log(months) + level[:, None] + luck[:, None])


@pytest.fixture(scope="module")
def emulator() -> tuple[Floats, Emulator]:
    values = parameters(ROWS)
    tables = {
        "all": shares(values, LUCK * GENERATOR.standard_normal(ROWS)),
        STARTS: np.clip(0.5 + 0.4 * values[:, [2]] + np.zeros((ROWS, MONTHS)), 0, 1),
    }
    return values, fit_emulator(values, tables)


def places(
    truth: Floats, count: int, years: int, place_sd: float, list_sd: float
) -> list[PlaceYear]:
    found = []
    for number in range(count):
        place = place_sd * GENERATOR.standard_normal()
        for year in range(years):
            luck = np.array([place + LUCK * GENERATOR.standard_normal()])
            level = shares(truth[None], luck)[0]
            months = sorted(GENERATOR.choice(np.arange(4, 13), 3, replace=False).tolist())
            noise = np.exp(list_sd * GENERATOR.standard_normal(3))
            found.append(
                PlaceYear(
                    f"P{number:02}", 2018 + year, tuple(("all", month) for month in months),
                    level[np.array(months) - 1] * noise,
                )
            )  # fmt: skip
    return found


class TestEmulator:
    def test_a_quadratic_is_found_exactly(self) -> None:
        values = parameters(200)
        table = {"all": shares(values, np.zeros(200))}
        found = fit_emulator(values, table)
        other = parameters(50)
        assert np.allclose(found.means(other), np.log(shares(other, np.zeros(50))), atol=1e-9)
        assert found.explained == pytest.approx(1.0)
        assert np.abs(found.covariance).max() < 1e-18

    def test_luck_is_common_to_all_months(self, emulator: tuple[Floats, Emulator]) -> None:
        found = emulator[1]
        of_shares = [k for k, cell in enumerate(found.cells) if cell[0] == "all"]
        block = found.covariance[np.ix_(of_shares, of_shares)]
        error = 4 * LUCK**2 * np.sqrt(2 / ROWS)
        assert np.abs(block - LUCK**2).max() < error

    def test_months_without_any_share_are_left_out(self) -> None:
        values = parameters(100)
        table = shares(values, np.zeros(100))
        table[5, 0] = 0.0
        assert fit_emulator(values, {"all": table}).cells == tuple(
            ("all", month) for month in range(2, 13)
        )


class TestPosterior:
    @pytest.fixture(scope="class")
    def found(self, emulator: tuple[Floats, Emulator]) -> Posterior:
        truth = np.array([0.7, 0.3, 0.5])
        rows = places(truth, 30, 2, 0.10, 0.10)
        starts = [PlaceYear("P00", 2030, ((STARTS, 6),), np.array([0.7]))]
        return posterior(NAMES, *emulator, [*rows, *starts])

    def test_what_the_shares_know_is_found(self, found: Posterior) -> None:
        """The level is known to the spread of places over their number, and to the bias."""
        level = 0.4 * found.values[:, 0] + 0.2 * found.values[:, 1] ** 2
        by_row = found.weights_of(0)
        mean = by_row @ level
        deviation = np.sqrt(by_row @ (level - mean) ** 2)
        assert deviation < 0.5 * level.std()
        assert abs(mean - (0.4 * 0.7 + 0.2 * 0.3**2)) < 3 * deviation

    def test_what_they_do_not_know_is_said(self, found: Posterior) -> None:
        """Idle acts on starts only, of which there is one; pace and gloss have one effect."""
        told = {one.name: one.told for one in marginals(found)}
        assert told["pace"] > 0.3
        assert told["idle"] < 0.9
        assert ("gloss", "pace") in {pair[:2] for pair in told_apart(found, 0.2)}
        names, matrix = correlations(found)
        assert matrix[names.index("gloss"), names.index("pace")] < -0.2
        assert matrix[names.index("publication_bias"), names.index("pace")] < 0
        assert np.allclose(np.diag(matrix), 1)

    def test_spreads_of_places_and_lists(self, found: Posterior) -> None:
        spreads = {one.name: one for one in marginals(found)}
        for name in ("place_sd", "list_sd"):
            # On their grids 0.10 lies between 0.09 and the next point.
            assert spreads[name].p5 <= 0.12
            assert spreads[name].p95 >= 0.09

    def test_without_evidence_nothing_is_learned(self, emulator: tuple[Floats, Emulator]) -> None:
        nothing = posterior(NAMES, *emulator, [])
        assert effective_size(nothing) == pytest.approx(ROWS)
        for one in marginals(nothing):
            assert one.told == pytest.approx(0, abs=1e-9)

    def test_the_order_of_rows_does_not_matter(self, emulator: tuple[Floats, Emulator]) -> None:
        rows = places(np.array([0.2, 0.2, 0.2]), 5, 2, 0.1, 0.1)
        one, other = (posterior(NAMES, *emulator, given) for given in (rows, rows[::-1]))
        assert np.allclose(one.weights, other.weights, rtol=1e-4)

    def test_a_place_left_out_is_a_place_never_seen(
        self, emulator: tuple[Floats, Emulator]
    ) -> None:
        rows = places(np.array([0.2, 0.8, 0.2]), 6, 2, 0.1, 0.1)
        whole = posterior(NAMES, *emulator, rows)
        rest = posterior(NAMES, *emulator, [row for row in rows if row.place != "P03"])
        assert np.allclose(without(whole, "P03"), rest.weights, rtol=1e-3, atol=1e-9)

    def test_years_of_a_place_count_less_than_places(
        self, emulator: tuple[Floats, Emulator]
    ) -> None:
        """The same shares from one place, or from as many places as years."""
        cells, share = (("all", 12),), np.array([1.3])
        one = [PlaceYear("A", 2010 + k, cells, share) for k in range(8)]
        many = [PlaceYear(f"A{k}", 2010 + k, cells, share) for k in range(8)]
        spread = []
        for rows in (one, many):
            found = posterior(NAMES, *emulator, rows)
            by_row = found.weights_of(0)
            level = 0.4 * found.values[:, 0] + 0.2 * found.values[:, 1] ** 2
            spread.append(by_row @ (level - by_row @ level) ** 2)
        assert spread[0] > spread[1]


class TestClasses:
    def test_points_are_kept_as_often_as_the_classes_say(self) -> None:
        """A normal prior and a normal class: the middle is that of their product."""
        points = GENERATOR.standard_normal((40_000, 1))
        gaps = np.zeros((len(points), len(CLASS_SPREADS)))
        # The parameter moves the last gap, which is alike to no other, by one spread a unit.
        gaps[:, -1] = (points[:, 0] - 1) * CLASS_SPREADS[-1]
        found = points[heard_classes(gaps, 10_000), 0]
        # Resampled from 40,000 points: the errors of both, four times.
        error = 4 * np.sqrt(0.5) * np.sqrt(2 / 10_000)
        assert abs(found.mean() - 0.5) < error
        assert abs(found.std() - np.sqrt(0.5)) < error

    def test_classes_that_say_nothing_leave_the_prior(self) -> None:
        same = heard_classes(np.full((1_000, len(CLASS_SPREADS)), 0.03), 1_000)
        assert np.array_equal(same, np.arange(1_000))

    def test_each_gap_counts(self) -> None:
        points = np.linspace(-1, 1, 1_001)[:, None]
        for k, spread in enumerate(CLASS_SPREADS):
            gaps = np.zeros((len(points), len(CLASS_SPREADS)))
            gaps[:, k] = points[:, 0] * spread * 8
            assert points[heard_classes(gaps, 500)].std() < 0.2 < points.std()

    def test_alike_gaps_count_less_than_two(self) -> None:
        """Who errs in a median errs in a P80: together they tell less than two that do not."""
        points = np.linspace(-1.5, 1.5, 8_001)
        gaps = np.zeros((len(points), len(CLASS_SPREADS)))
        for k in (0, 1):
            gaps[:, k] = 4 * points * CLASS_SPREADS[k]
        # The mean of two that are alike by 0.8 is known to sqrt((1 + 0.8) / 2) of one.
        found = points[heard_classes(gaps, 8_000)].std()
        assert found == pytest.approx(np.sqrt(0.9) / 4, rel=0.01)


def told_of(values: Floats) -> Ensemble:
    """Starts that tell the last parameter, gaps that tell the first."""
    luck = LUCK * GENERATOR.standard_normal(len(values))
    gaps = np.zeros((len(values), len(CLASS_SPREADS)))
    gaps[:, -1] = values[:, 0] - 0.3
    starts = np.clip(0.5 + 0.4 * values[:, [2]] + np.zeros((len(values), MONTHS)), 0, 1)
    return Ensemble(NAMES, values, {"all": shares(values, luck), STARTS: starts}, gaps)


class TestLearn:
    def test_a_truth_is_found(self) -> None:
        """Pace from the classes, gloss from shares of places, each to what tells of it."""
        truth = np.array([0.3, 0.7, 0.5])
        rows = places(truth, 30, 2, 0.05, 0.05)
        found = learn(told_of(parameters(2_000)), rows, parameters(20_000), lambda given: given)
        told = {one.name: one for one in marginals(found)}
        assert told["pace"].class_sd == pytest.approx(CLASS_SPREADS[-1], rel=0.1)
        assert abs(told["pace"].class_mean - 0.3) < 0.01
        assert told["gloss"].sd < 0.8 * told["gloss"].class_sd
        assert abs(told["gloss"].mean - 0.7) < 2.5 * told["gloss"].sd
        (*_, (mean, sd)) = remaining_gaps(found)
        assert abs(mean) < 2 * sd

    def test_classes_are_heard_at_usual_drivers(self) -> None:
        """A driver's luck is no distance from a class."""

        def usual(given: Floats) -> Floats:
            return np.asarray(given * [0, 1, 1] + [0.3, 0, 0])

        found = learn(told_of(parameters(2_000)), [], parameters(20_000), usual)
        told = {one.name: one for one in marginals(found)}
        assert told["pace"].class_sd == pytest.approx(told["pace"].prior_sd, rel=0.03)

    def test_the_first_quarter_is_not_learned_from(self, emulator: tuple[Floats, Emulator]) -> None:
        early = [PlaceYear("A", 2020, (("all", 3),), np.array([2.0]))]
        assert effective_size(posterior(NAMES, *emulator, early)) == pytest.approx(ROWS)
        started_early = [PlaceYear("A", 2020, ((STARTS, 3),), np.array([0.6]))]
        assert effective_size(posterior(NAMES, *emulator, started_early)) < 0.99 * ROWS

    def test_places_of_a_province_share_their_year(self, emulator: tuple[Floats, Emulator]) -> None:
        """The likelihood is that of one normal vector, written out here."""
        cells = (("all", 6), ("all", 10))
        rows = [
            PlaceYear("A", 2019, cells, np.array([0.6, 0.9]), "north"),
            PlaceYear("B", 2019, cells[1:], np.array([1.0]), "north"),
            PlaceYear("A", 2020, cells[1:], np.array([1.1]), "north"),
        ]
        found = posterior(NAMES, *emulator, rows)
        assert list(found.terms) == ["north"]
        columns = [found.emulator.cells.index(cell) for cell in (*cells, cells[1], cells[1])]
        common = found.emulator.covariance[np.ix_(columns, columns)]
        years, homes = np.array([1, 1, 1, 0]), np.array([0, 0, 1, 0])
        gaps = []
        for t, place in ((0, PLACE[0]), (4, PLACE[4])):
            for r, own in ((1, LIST[1]), (5, LIST[5])):
                spread = (
                    common * np.equal.outer(years, years)
                    + place**2 * np.equal.outer(homes, homes)
                    + own**2 * np.eye(4)
                )
                off = np.log([0.6, 0.9, 1.0, 1.1]) - found.means[:, columns] - BIAS[3]
                exact = stats.multivariate_normal(np.zeros(4), spread).logpdf(off)
                gaps.append(found.terms["north"][:, 3, t, r, 0].astype(np.float64) - exact)
        # But for one constant, and single precision.
        together = np.concatenate(gaps)
        assert np.ptp(together) < 1e-3 * np.abs(exact).max()

    def test_a_stage_strays_twice_as_far(self, emulator: tuple[Floats, Emulator]) -> None:
        values, _ = emulator
        table = shares(values, LUCK * GENERATOR.standard_normal(len(values)))
        both = fit_emulator(values, {"all": table, "new": table})
        wide = []
        for scope, scale in (("all", 1), ("new", 2)):
            rows = [PlaceYear("A", 2020, ((scope, 12),), np.array([1.3]))]
            found = posterior(NAMES, values, both, rows)
            column = both.cells.index((scope, 12))
            off = np.log(1.3) - found.means[:, column]
            gaps = []
            for r, own in enumerate(LIST):
                luck = both.covariance[column, column] + PLACE[0] ** 2
                told = stats.norm(0, np.sqrt(luck + (scale * own) ** 2)).logpdf(off)
                gaps.append(found.terms["A"][:, 0, 0, r, 0].astype(np.float64) - told)
            assert np.ptp(np.concatenate(gaps)) < 1e-3 * np.abs(told).max()
            even = beliefs(np.ones_like(found.weights) / found.weights.size)
            band = predictive(found, (scope, 12), even)
            wide.append(band.percentile(0.9) / band.percentile(0.1))
        assert wide[1] > 1.05 * wide[0]

    def test_the_bias_before_is_half_normal(self, emulator: tuple[Floats, Emulator]) -> None:
        found = marginals(posterior(NAMES, *emulator, []))
        (bias,) = (one for one in found if one.name == "publication_bias")
        exact = stats.halfnorm(scale=0.10)
        # Nine points, the last of which stands for all beyond.
        assert bias.prior_mean == pytest.approx(exact.mean(), rel=0.03)
        assert bias.prior_sd == pytest.approx(exact.std(), rel=0.05)
        assert bias.mean == pytest.approx(bias.prior_mean)


class TestStarts:
    def test_places_stray_each_for_itself(self, emulator: tuple[Floats, Emulator]) -> None:
        """Two places of a province in different years: the product of two normal densities."""
        cells = ((STARTS, 6),)
        rows = [
            PlaceYear("A", 2018, cells, np.array([0.8]), "north"),
            PlaceYear("B", 2019, cells, np.array([0.9]), "north"),
        ]
        found = posterior(NAMES, *emulator, rows)
        column = found.emulator.cells.index(cells[0])
        variance = found.emulator.covariance[column, column] + START_PLACE**2 + 1e-4
        gaps = []
        for s, less in enumerate(START_BIAS):
            means = started(found.means[:, column], less)
            exact = sum(stats.norm(means, np.sqrt(variance)).logpdf(y) for y in (0.8, 0.9))
            gaps.append(found.terms["north"][:, 0, 0, 0, s].astype(np.float64) - exact)
        assert np.ptp(np.concatenate(gaps)) < 1e-3 * np.abs(exact).max()

    def test_places_that_publish_starts_lack_fewer(self, emulator: tuple[Floats, Emulator]) -> None:
        """Simulated starts are 0.5 to 0.9; six places publish 0.95."""
        rows = [PlaceYear(f"P{k}", 2020, ((STARTS, 6),), np.array([0.95])) for k in range(6)]
        found = posterior(NAMES, *emulator, rows)
        bias = next(one for one in marginals(found) if one.name == "start_bias")
        assert bias.mean > bias.prior_mean + bias.prior_sd / 2
        published = predictive(found, (STARTS, 6), beliefs(found.weights))
        plain = predictive(found, (STARTS, 6), beliefs(found.weights), biased=False)
        assert published.percentile(0.5) > plain.percentile(0.5) + 0.03

    def test_a_mixture_is_that_of_its_parts(self, emulator: tuple[Floats, Emulator]) -> None:
        rows = [PlaceYear("P0", 2020, ((STARTS, 6),), np.array([0.8]))]
        found = posterior(NAMES, *emulator, rows)
        column = found.emulator.cells.index((STARTS, 6))
        band = predictive(found, (STARTS, 6), beliefs(found.weights))
        spread = np.sqrt(found.emulator.covariance[column, column] + START_PLACE**2)
        means = started(found.means[:, column, None], START_BIAS)
        weights = found.weights.sum(axis=(1, 2, 3))
        for share in (0.6, 0.8, 0.95):
            exact = (weights * stats.norm.cdf((share - means) / spread)).sum()
            assert band.standing(share) == pytest.approx(exact, abs=2e-3)

    def test_missing_starts_are_lessened(self) -> None:
        assert started(np.array([0.6]), 0.25)[0] == pytest.approx(0.7)
        assert started(np.array([0.6]), 0.0)[0] == pytest.approx(0.6)
        assert started(np.array([1.0]), 0.75)[0] == pytest.approx(1.0)


class TestKinds:
    """Kinds of works beside the whole list of their month."""

    @pytest.fixture(scope="class")
    def both(self) -> tuple[Floats, Emulator]:
        """Idle lifts industry; levels of lists are moved by the others."""
        values = parameters(ROWS)
        luck = LUCK * GENERATOR.standard_normal(ROWS)
        apart = 0.2 * GENERATOR.standard_normal(ROWS) + luck
        ratio = np.exp(0.6 * values[:, [2]] + apart[:, None] + np.zeros((ROWS, MONTHS)))
        return values, fit_emulator(values, {"all": shares(values, luck), "industry": ratio})

    def test_the_likelihood_is_that_of_a_joint_normal(self, both: tuple[Floats, Emulator]) -> None:
        """Neither the bias nor the place is in a ratio; the year's luck is in both."""
        cells = (("all", 8), ("industry", 8))
        shares = np.array([1.1, 1.1 * 1.3])
        found = posterior(NAMES, *both, [PlaceYear("A", 2020, cells, shares)])
        columns = [found.emulator.cells.index(cell) for cell in cells]
        off = np.log([1.1, 1.3]) - found.means[:, columns]
        for at in ((0, 1, 2), (5, 4, 3)):
            luck = found.emulator.covariance[np.ix_(columns, columns)]
            densities = []
            for spread in KIND_SPREADS:
                own = np.diag([PLACE[at[1]] ** 2 + LIST[at[2]] ** 2, spread**2])
                joint = stats.multivariate_normal([BIAS[at[0]], 0], luck + own)
                densities.append(joint.pdf(off))
            exact = np.log(np.mean(densities, axis=0))
            gaps = found.terms["A"][(slice(None), *at, 0)] - exact
            assert np.ptp(gaps) < 1e-3 * np.abs(exact).max()

    def test_a_ratio_tells_what_a_level_does_not(self, both: tuple[Floats, Emulator]) -> None:
        told = []
        for seen in ([1.1], [1.1, 1.1 * 1.5]):
            cells = (("all", 8), ("industry", 8))[: len(seen)]
            rows = [PlaceYear(f"P{k}", 2020, cells, np.array(seen)) for k in range(6)]
            found = {one.name: one for one in marginals(posterior(NAMES, *both, rows))}
            told.append((found["idle"].told, found["publication_bias"].mean))
        assert abs(told[0][0]) < 0.05 < 0.2 < told[1][0]
        assert told[1][1] == pytest.approx(told[0][1], abs=0.02)

    def test_first_quarters_are_not_learned_from(self, both: tuple[Floats, Emulator]) -> None:
        rows = [PlaceYear("A", 2020, (("all", 2), ("industry", 2)), np.array([0.1, 0.18]))]
        found = posterior(NAMES, *both, rows)
        assert effective_size(found) == pytest.approx(len(found.values))
        kinds = {one.scope: one.kind for one in held_against(found, rows)}
        assert kinds == {"all": "first_quarter", "industry": "kinds_later"}

    def test_a_mixture_is_that_of_its_parts(self, both: tuple[Floats, Emulator]) -> None:
        rows = [PlaceYear("A", 2020, (("all", 8), ("industry", 8)), np.array([1.0, 1.5]))]
        found = posterior(NAMES, *both, rows)
        column = found.emulator.cells.index(("industry", 8))
        spread = np.sqrt(found.emulator.covariance[column, column] + KIND_SPREADS**2)
        weights = found.weights_of(0) / len(KIND_SPREADS)
        for biased in (True, False):
            band = predictive(found, ("industry", 8), beliefs(found.weights), biased=biased)
            for ratio in (1.0, 1.4, 2.0):
                at = (np.log(ratio) - found.means[:, column, None]) / spread
                exact = (weights @ stats.norm.cdf(at)).sum()
                assert band.standing(ratio) == pytest.approx(exact, abs=3e-3)

    def test_shares_become_ratios_to_their_list(self, both: tuple[Floats, Emulator]) -> None:
        """A kind without the whole list of its month tells nothing."""
        cells = (("all", 6), ("industry", 6), ("industry", 8), ("new", 6))
        row = PlaceYear("A", 2020, cells, np.array([0.5, 0.6, 0.9, 0.4]), "north")
        found = {one.cell: one.value for one in known_cells(both[1], row)}
        assert found == {("all", 6): 0.5, ("industry", 6): pytest.approx(1.2)}
        held = held_against(posterior(NAMES, *both, [row]), [row])
        assert {(one.scope, one.month): one.share for one in held} == found


class TestAsAScenario:
    def test_a_cut_normal_has_the_moments(self) -> None:
        middle, spread = cut_normal(0.146, 0.084, 0, 0.35)
        cut = stats.truncnorm(-middle / spread, (0.35 - middle) / spread, middle, spread)
        assert cut.mean() == pytest.approx(0.146, abs=1e-6)
        assert cut.std() == pytest.approx(0.084, abs=1e-6)

    def test_what_is_no_less_spread_than_a_uniform_becomes_nearly_one(self) -> None:
        middle, spread = cut_normal(0.175, 0.35 / np.sqrt(12), 0, 0.35)
        cut = stats.truncnorm(-middle / spread, (0.35 - middle) / spread, middle, spread)
        for at in (0.1, 0.5, 0.9):
            assert cut.ppf(at) == pytest.approx(0.35 * at, abs=2e-3)

    def test_a_lognormal_stays_one(self) -> None:
        given = next(one for one in PARAMETERS if one.name == "productivity")
        found = parse_distribution(driver_distribution(given, 0.98, 0.047))
        assert found.name == "lognormal"
        sample = quantile(found, (np.arange(100_000) + 0.5) / 100_000)
        # Three digits of median and sigma are written. The spread is that of years, as before.
        assert sample.mean() == pytest.approx(0.98, abs=1e-3)
        assert found.parameters[1] == parse_distribution(given.prior).parameters[1]

    def test_what_is_known_very_well_is_narrow(self) -> None:
        middle, spread = cut_normal(0.175, 0.001, 0, 0.35)
        assert middle == pytest.approx(0.175, abs=1e-6)
        assert spread == pytest.approx(0.0035)  # no narrower than a hundredth of the width

    def test_points_without_weight_have_no_score(self) -> None:
        values = GENERATOR.standard_normal((500, len(PARAMETERS)))
        emulator = fit_emulator(values, {"all": np.full((500, 12), 1.0)})
        found = posterior([one.name for one in PARAMETERS], values, emulator, [])
        weights = found.weights.copy()
        weights[np.argsort(values[:, 0])[-200:]] = 0
        lighter = dataclasses.replace(found, weights=weights / weights.sum())
        assert all(abs(value) < 0.5 for *_, value in score_correlations(lighter))

    def test_text_of_a_scenario_is_text(self) -> None:
        values = GENERATOR.uniform(0.1, 0.15, (300, len(PARAMETERS)))
        emulator = fit_emulator(values, {"all": np.full((300, 12), 1.0)})
        found = posterior([one.name for one in PARAMETERS], values, emulator, [])
        text = calibrated_scenario(found, 'a"b\\c', "what\nwas = found")
        assert tomllib.loads(text)["base"] == 'a"b\\c'
        assert "was" not in tomllib.loads(text)

    def test_scores_are_correlated_as_the_points_are(self) -> None:
        names = [one.name for one in PARAMETERS]
        drivers = [k for k, one in enumerate(PARAMETERS) if one.kind == "driver"]
        values = GENERATOR.standard_normal((4_000, len(names)))
        # Correlation of scores 0.6 between the first two, whatever the scale.
        values[:, drivers[1]] = 0.6 * values[:, drivers[0]] + 0.8 * values[:, drivers[1]]
        values[:, drivers[1]] = np.exp(values[:, drivers[1]])
        emulator = fit_emulator(values, {"all": np.full((4_000, 12), 1.0)})
        found = score_correlations(posterior(names, values, emulator, []))
        told = {frozenset(pair[:2]): pair[2] for pair in found}
        first, second = (PARAMETERS[drivers[k]].driver for k in (0, 1))
        error = 4 / np.sqrt(4_000)
        for pair, value in told.items():
            expected = 0.6 if pair == {first, second} else 0.0
            assert abs(value - expected) < error


class TestBands:
    @pytest.mark.parametrize(("inside", "places_of_it"), [(0, 5), (3, 4), (8, 10), (7, 7)])
    def test_intervals_are_wilsons(self, inside: int, places_of_it: int) -> None:
        held = [
            Held(f"P{k}", 2020, "all", 6, 0.5, 0.4, 0.5, 0.6, 0.5 if k < inside else 0.99, "all")
            for k in range(places_of_it)
        ]
        (found,) = coverage(held)
        exact = stats.binomtest(inside, places_of_it).proportion_ci(0.95, "wilson")
        assert (found.places, found.inside) == (places_of_it, inside / places_of_it)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-6)

    def test_a_mixture_is_that_of_its_parts(self, emulator: tuple[Floats, Emulator]) -> None:
        rows = places(np.array([0.5, 0.5, 0.5]), 4, 1, 0.1, 0.1)
        found = posterior(NAMES, *emulator, rows)
        band = predictive(found, ("all", 6), beliefs(found.weights), biased=False)
        column = found.emulator.cells.index(("all", 6))
        spreads = np.sqrt(found.emulator.covariance[column, column] + PLACE[:, None] ** 2 + LIST**2)
        for share in (0.5, 0.7, 0.9):
            score = (np.log(share) - found.means[:, column])[:, None, None] / spreads
            exact = (found.weights.sum(axis=(1, 4)) * stats.norm.cdf(score)).sum()
            assert band.standing(share) == pytest.approx(exact, abs=2e-3)
        assert band.standing(band.percentile(0.3)) == pytest.approx(0.3, abs=1e-6)

    def test_publication_bias_lifts_the_band(self, emulator: tuple[Floats, Emulator]) -> None:
        found = posterior(NAMES, *emulator, places(np.array([0.9, 0.9, 0.9]), 4, 1, 0.1, 0.1))
        for _, published, plain in month_bands(found):
            assert published.percentile(0.5) > plain.percentile(0.5)

    def test_places_of_the_model_lie_inside_as_often_as_the_band_says(
        self, emulator: tuple[Floats, Emulator]
    ) -> None:
        rows = places(np.array([0.6, 0.4, 0.5]), 40, 1, 0.12, 0.08)
        held = held_against(posterior(NAMES, *emulator, rows), rows)
        (found,) = coverage(held)
        assert (found.places, found.shares) == (40, 120)
        assert found.low <= 0.8 <= found.high
        assert 0.6 < found.inside < 0.95

    def test_each_place_is_forecast_from_all_others(
        self, emulator: tuple[Floats, Emulator]
    ) -> None:
        rows = places(np.array([0.9, 0.1, 0.5]), 4, 1, 0.1, 0.1)
        held = held_against(posterior(NAMES, *emulator, rows), rows)
        others = posterior(NAMES, *emulator, rows[1:])
        whole = posterior(NAMES, *emulator, rows)
        moved = []
        for one in held[:3]:
            cell = (one.scope, one.month)
            assert one.place == rows[0].place
            expected = predictive(others, cell, beliefs(others.weights)).standing(one.share)
            assert one.standing == pytest.approx(expected, abs=1e-4)
            everything = predictive(whole, cell, beliefs(whole.weights))
            moved.append(abs(expected - everything.standing(one.share)))
        assert max(moved) > 1e-3

    def test_a_place_off_the_band_is_seen(self, emulator: tuple[Floats, Emulator]) -> None:
        rows = places(np.array([0.6, 0.4, 0.5]), 20, 1, 0.05, 0.05)
        odd = PlaceYear("odd", 2020, (("all", 6),), np.array([2.5]))
        held = held_against(posterior(NAMES, *emulator, [*rows, odd]), [*rows, odd])
        (one,) = [one for one in held if one.place == "odd"]
        assert not one.inside
        assert one.standing > 0.99
