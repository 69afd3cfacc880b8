"""Quasi-random points: evenly spread, unbiased, and each coordinate for itself."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats
from scipy.stats import qmc

import sim
from sim.plan.configuration import Sampling
from sim.runs.statistics import mean_error, probability
from sim.sampling import register
from sim.sampling.draw_shared import shared_labels
from sim.sampling.draws import draw, nothing_given, prepare, shared_uniforms
from sim.sampling.quasi import SCRAMBLES, QuasiPoints, quasi_points, sobol_directions
from sim.sampling.register import Label
from sim.sampling.sampler import Sampler, build_sampler
from tests.cutting import LUOYANG

Floats = NDArray[np.float64]
KNOWN: list[Label] = list(register.SOBOL)
OTHERS: list[Label] = [(f"weather/{k}", register.DRIVER, k % 3) for k in range(8)]
LABELS = [*KNOWN[:6], *OTHERS]
POINTS = 512


def block(scramble: int, labels: list[Label], seed: int = 7, count: int = POINTS) -> Floats:
    """The first points of a scramble."""
    return quasi_points(labels, seed, range(scramble, count * SCRAMBLES, SCRAMBLES))


def cells(points: Floats, count: int) -> NDArray[np.int64]:
    return (points * count).astype(np.int64)


class TestRegister:
    def test_dimensions_are_for_good(self) -> None:
        """A dimension, once given away, is not given to another draw."""
        assert len(set(register.SOBOL.values())) == len(register.SOBOL)
        first = [("understatement", "driver", 0), ("overstatement", "driver", 0),
                 ("productivity", "driver", 0), ("material_prices", "driver", 0),
                 ("city", "factor", 0), ("credit", "driver", 0), ("coverage", "driver", 0),
                 ("bond_delay", "driver", 0), ("bond_calendar", "driver", 0),
                 ("grants", "driver", 0), ("funding/enterprise", "factor", 0),
                 ("funding/government", "factor", 0), ("festival_stop", "driver", 737825),
                 ("winter_dust_first", "driver", 202100), ("winter_dust_last", "driver", 202100),
                 ("winter_dust_first", "driver_occurs", 202100),
                 ("winter_dust_last", "driver_occurs", 202100)]  # fmt: skip
        assert KNOWN[: len(first)] == first
        assert [register.SOBOL[label] for label in first] == list(range(len(first)))

    def test_the_luoyang_plan_draws_them_all(self) -> None:
        portfolio = sim.build_portfolio(sim.load_scenario(LUOYANG / "baseline.toml").plan)
        assert set(register.SOBOL) <= set(shared_labels(build_sampler(portfolio, 1)))


class TestSpread:
    @pytest.mark.parametrize("scramble", [0, 1, 19])
    def test_each_prefix_of_a_block_is_evenly_spread(self, scramble: int) -> None:
        points = block(scramble, LABELS)
        assert points.shape == (POINTS, len(LABELS))
        for count in (2, 16, 64, POINTS):
            found = np.sort(cells(points[:count], count), axis=0)
            assert (found == np.arange(count)[:, None]).all()

    def test_later_points_too(self) -> None:
        """Any aligned stretch is evenly spread, also after points were shifted anew."""
        for first in (POINTS, 3 * POINTS, 1 << 16, 5 << 40):
            numbers = range(first * SCRAMBLES + 4, (first + POINTS) * SCRAMBLES, SCRAMBLES)
            points = quasi_points(LABELS, 7, numbers)
            found = np.sort(cells(points, POINTS), axis=0)
            assert (found == np.arange(POINTS)[:, None]).all()

    def test_after_65536_points_a_scramble_is_shifted_anew(self) -> None:
        first, second = (
            np.floor(quasi_points(LABELS, 7, range(start, start + 400, SCRAMBLES)) * 2.0**53)
            for start in (2, (1 << 16) * SCRAMBLES + 2)
        )
        # The last digits are left out: rounding may take them.
        moved = (first.astype(np.uint64) ^ second.astype(np.uint64)) >> np.uint64(20)
        assert (moved == moved[0]).all()
        assert len(np.unique(moved[0])) == len(LABELS)

    def test_the_first_two_dimensions_are_a_net(self) -> None:
        """Every elementary box of the same volume as a point's share holds one point."""
        points = block(3, KNOWN[:2])
        for power in range(10):
            boxes = cells(points[:, 0], 1 << power) * (POINTS >> power) + cells(
                points[:, 1], POINTS >> power
            )
            assert len(set(boxes.tolist())) == POINTS

    def test_registered_draws_are_scrambled_sobol_points(self) -> None:
        """Scrambling keeps how many leading digits two points share: compare with scipy's own."""
        plain = qmc.Sobol(d=len(KNOWN), scramble=False).random(POINTS)
        points = block(11, KNOWN)
        for k in range(len(KNOWN)):
            bits = [
                np.floor(one[:, k] * 2.0**53).astype(np.uint64) for one in (plain, points)
            ]  # fmt: skip
            first, second = (
                np.frexp((one[:, None] ^ one[None, :]).astype(np.float64))[1] for one in bits
            )
            assert np.array_equal(first, second), KNOWN[k]

    def test_directions_are_those_of_scipy(self) -> None:
        points = qmc.Sobol(d=len(KNOWN), scramble=False).random(1 << 10)
        for level in range(10):
            assert np.array_equal(sobol_directions()[level] * 2.0**-53, points[(2 << level) - 1])

    def test_strictly_inside_on_the_grid_of_the_generator(self) -> None:
        points = quasi_points(LABELS, 7, range(2_000))
        assert points.min() > 0
        assert points.max() < 1
        whole = points * 2.0**53 - 0.5
        assert (np.abs(whole - np.rint(whole)) <= 0.5).all()


class TestAtRandom:
    def test_first_points_are_uniform_and_independent(self) -> None:
        """The first point of each scramble is plain Monte Carlo."""
        points = np.concatenate([quasi_points(LABELS, seed, range(20)) for seed in range(100)])
        for column in points.T:
            assert stats.kstest(column, "uniform").pvalue > 1e-4
        r = np.corrcoef(points.T)
        assert np.abs(r - np.eye(len(LABELS))).max() < 4.5 / math.sqrt(len(points))

    @pytest.mark.parametrize("count", [8, 64])
    def test_means_of_blocks_are_unbiased_and_closer_than_plain(self, count: int) -> None:
        """The integrand is smooth and holds products of draws of both kinds."""
        columns = [0, 1, len(LABELS) - 1]

        def integrand(points: Floats) -> Floats:
            products: Floats = np.exp(points[..., columns]).prod(axis=-1)
            return products

        seeds = range(40)
        means = np.array([
            [integrand(block(b, LABELS, seed, count)).mean() for b in range(SCRAMBLES)]
            for seed in seeds
        ])  # fmt: skip
        exact, second = (math.e - 1) ** 3, ((math.e**2 - 1) / 2) ** 3
        flat = means.ravel()
        error = flat.std(ddof=1) / math.sqrt(flat.size)
        assert abs(flat.mean() - exact) <= 4 * error
        plain = (second - exact**2) / count
        # Eight times as many points: the gain grows from at least 3 to at least 6.
        assert flat.var(ddof=1) < plain / (3 if count == 8 else 6)
        # Scrambles are independent: the mean over them has a twentieth of the variance.
        ratio = means.mean(axis=1).var(ddof=1) / (flat.var(ddof=1) / SCRAMBLES)
        assert 0.45 < ratio < 1.9  # 39 degrees of freedom: 1e-4 in each tail

    def test_registered_draws_gain_in_products_too(self) -> None:
        """Interaction of two registered draws is reduced; of any others it is as in plain."""
        variances = {}
        for name, pair in (("known", KNOWN[:2]), ("other", OTHERS[:2])):
            products = [
                ((block(b, pair, seed, 64) - 0.5).prod(axis=1)).mean()
                for seed in range(20) for b in range(SCRAMBLES)
            ]  # fmt: skip
            assert abs(np.mean(products)) <= 4 * np.std(products) / math.sqrt(len(products))
            variances[name] = float(np.var(products)) * 64 * 144
        assert variances["known"] < 0.2
        assert 0.5 < variances["other"] < 2


class TestEachForItself:
    def test_any_replication_alone_in_any_order(self) -> None:
        numbers = [0, 19, 20, 39, 400, 10_239, 1 << 41, (1 << 63) - 1]
        together = quasi_points(LABELS, 9, numbers)
        for row, number in enumerate(numbers):
            assert np.array_equal(quasi_points(LABELS, 9, [number])[0], together[row])
        assert np.array_equal(quasi_points(LABELS, 9, numbers[::-1]), together[::-1])

    def test_prefixes_hold(self) -> None:
        assert np.array_equal(quasi_points(LABELS, 9, range(300))[:77],
                              quasi_points(LABELS, 9, range(77)))  # fmt: skip

    def test_a_draw_more_or_less_moves_no_other(self) -> None:
        whole = quasi_points(LABELS, 9, range(0, 4_000, 7))
        for k, label in enumerate(LABELS):
            assert np.array_equal(quasi_points([label], 9, range(0, 4_000, 7))[:, 0], whole[:, k])

    def test_more_registered_draws_move_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = quasi_points(LABELS, 9, range(0, 4_000, 7))
        more = {**register.SOBOL, ("ice", register.DRIVER, 0): len(register.SOBOL)}
        sobol_directions.cache_clear()
        monkeypatch.setattr(register, "SOBOL", more)
        try:
            assert np.array_equal(quasi_points(LABELS, 9, range(0, 4_000, 7)), before)
        finally:
            sobol_directions.cache_clear()

    def test_threads_that_ask_together_get_what_each_gets_alone(self) -> None:
        """The engines ask at once: what a scramble needs must not be made twice into one."""
        replications = [*range(1_000, 1_000 + SCRAMBLES)] * 3
        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for seed in range(5):
                points = QuasiPoints(LABELS, seed)
                with ThreadPoolExecutor(4) as pool:
                    together = np.array(list(pool.map(points.point, replications)))
                assert np.array_equal(together, quasi_points(LABELS, seed, replications))
        finally:
            sys.setswitchinterval(usual)

    def test_seed_scramble_and_label_all_count(self) -> None:
        labels = [("a/b", register.DRIVER, 0), ("a", register.DRIVER, 0),
                  ("a", register.DRIVER_OCCURS, 0), ("a", register.DRIVER, 1)]  # fmt: skip
        points = np.concatenate([quasi_points(labels, seed, range(40)) for seed in (0, 1, 2**63)])
        assert len(np.unique(points)) == points.size

    def test_the_same_bits_in_another_process(self) -> None:
        numbers = [3, 10_239, 1 << 50]
        command = (
            "from sim.sampling.quasi import quasi_points; import sys\n"
            f"sys.stdout.write(quasi_points({LABELS}, 5, {numbers}).tobytes().hex())"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", command], capture_output=True, text=True,
            check=True, cwd=Path(sim.__file__).parents[1],
        )  # fmt: skip
        assert done.stdout == quasi_points(LABELS, 5, numbers).tobytes().hex()


class TestSampler:
    @staticmethod
    def sampler(sampling: Sampling) -> Sampler:
        # As filed: what is correlated with another is no point's own coordinate any more.
        portfolio = sim.build_portfolio(sim.load_scenario(LUOYANG).plan)
        return build_sampler(portfolio, 2021, sampling)

    def test_plain_leaves_all_to_the_generator(self) -> None:
        plain = self.sampler("plain")
        given = shared_uniforms(plain, [0, 5])
        assert np.isnan(given).all()
        assert given.shape == (2, len(nothing_given(prepare(plain)[0])))

    def test_every_shared_draw_comes_from_the_points(self) -> None:
        sampler = self.sampler("quasi")
        labels = shared_labels(sampler)
        numbers = [0, 47, 1 << 45]
        expected = quasi_points(labels, 2021, numbers)
        assert np.array_equal(shared_uniforms(sampler, numbers), expected)
        told = next(draw(sampler, [47])).drivers["productivity"]
        at = labels.index(("productivity", register.DRIVER, 0))
        assert told == pytest.approx(math.exp(0.05 * special.ndtri(expected[1, at])))


class TestIntervals:
    def test_intervals_hold_the_truth_as_often_as_they_say(self) -> None:
        """95 % of 300 runs, within four standard errors."""
        count, held, chances, seeds = 200, 0, 0, 300
        choice = np.random.default_rng(5)
        for seed in range(seeds):
            score = special.ndtri(quasi_points(LABELS[4:8], seed, range(count))).sum(axis=1)
            outcome = score + choice.standard_normal(count)
            error = mean_error(outcome)
            assert error is not None
            held += int(abs(outcome.mean()) <= special.stdtrit(SCRAMBLES - 1, 0.975) * error)
            found = probability(outcome > 0.5)
            truth = special.ndtr(-0.5 / math.sqrt(5))
            chances += int(found["low"] <= truth <= found["high"])
        room = 4 * math.sqrt(0.95 * 0.05 / seeds)
        assert abs(held / seeds - 0.95) <= room
        assert abs(chances / seeds - 0.95) <= room
