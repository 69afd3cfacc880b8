"""A posterior from published shares: what is known is found, what is not is said."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.analysis.calibration import (
    Posterior,
    correlations,
    effective_size,
    marginals,
    posterior,
    without,
)
from sim.analysis.calibration_tables import month_bands, told_apart
from sim.analysis.emulator import Emulator, fit_emulator
from sim.analysis.predictive import coverage, held_against, predictive
from sim.plan.evidence import STARTS, PlaceYear

Floats = NDArray[np.float64]
NAMES = ("pace", "gloss", "idle")
ROWS, MONTHS = 1_500, 12
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
            months = sorted(GENERATOR.choice(np.arange(3, 13), 3, replace=False).tolist())
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
        by_row = found.weights.sum(axis=(1, 2, 3))
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
            assert spreads[name].p5 <= 0.10 <= spreads[name].p95

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
            by_row = found.weights.sum(axis=(1, 2, 3))
            level = 0.4 * found.values[:, 0] + 0.2 * found.values[:, 1] ** 2
            spread.append(by_row @ (level - by_row @ level) ** 2)
        assert spread[0] > spread[1]


class TestBands:
    def test_a_mixture_is_that_of_its_parts(self, emulator: tuple[Floats, Emulator]) -> None:
        rows = places(np.array([0.5, 0.5, 0.5]), 4, 1, 0.1, 0.1)
        found = posterior(NAMES, *emulator, rows)
        band = predictive(found, ("all", 6), biased=False)
        column = found.emulator.cells.index(("all", 6))
        from sim.analysis.calibration import LIST, PLACE

        spreads = np.sqrt(found.emulator.covariance[column, column] + PLACE[:, None] ** 2 + LIST**2)
        for share in (0.5, 0.7, 0.9):
            score = (np.log(share) - found.means[:, column])[:, None, None] / spreads
            exact = (found.weights.sum(axis=1) * stats.norm.cdf(score)).sum()
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
        for one in held[:3]:
            cell = (one.scope, one.month)
            assert one.place == rows[0].place
            expected = predictive(others, cell).standing(one.share)
            assert one.standing == pytest.approx(expected, abs=1e-4)
            assert abs(expected - predictive(whole, cell).standing(one.share)) > 1e-3

    def test_a_place_off_the_band_is_seen(self, emulator: tuple[Floats, Emulator]) -> None:
        rows = places(np.array([0.6, 0.4, 0.5]), 20, 1, 0.05, 0.05)
        odd = PlaceYear("odd", 2020, (("all", 6),), np.array([2.5]))
        held = held_against(posterior(NAMES, *emulator, [*rows, odd]), [*rows, odd])
        (one,) = [one for one in held if one.place == "odd"]
        assert not one.inside
        assert one.standing > 0.99
