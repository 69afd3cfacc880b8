"""The tally: exact, the same in whatever order, right to a cell, and of bounded size."""

import dataclasses
import functools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import sim
from sim.engine.rules import NEVER
from sim.runs.batch_tally import batch_arrays, empty_batch, fold, note
from sim.runs.columns import amounts
from sim.runs.counting import BLOCKS, SKIP, count_room, note_values
from sim.runs.estimates import (
    block_counts_above,
    block_counts_seen,
    block_sums,
    means,
    percentiles,
    probabilities,
    ratios,
)
from sim.runs.grids import Grid, day_grid, lay_out, money_grid, number_grid, round_width
from sim.runs.layout import SPREAD_MEASURES, Layout, build_layout
from sim.runs.outcomes import MEASURES, Outcomes
from sim.runs.samples import join_samples, sample_columns
from sim.runs.squares import joined_parts
from sim.runs.tally import Tally, empty_tally, from_arrays, merge, room_to_tell, to_arrays
from sim.runs.telling import add_told, is_told, tell_filled
from sim.runs.workers import simulate_batch
from sim.sampling.sampler import build_sampler
from tests.behaviour.test_outputs import money_world

LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021" / "baseline.toml"
COUNT = 61


@pytest.fixture(scope="module")
def layout_and_batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layout, Outcomes]:
    plan = sim.load_plan(money_world(tmp_path_factory.mktemp("plan")))
    sampler = build_sampler(sim.build_portfolio(plan), 7)
    return build_layout(sampler), simulate_batch(sampler, range(COUNT))


@pytest.fixture(scope="module")
def layout(layout_and_batch: tuple[Layout, Outcomes]) -> Layout:
    return layout_and_batch[0]


@pytest.fixture(scope="module")
def batch(layout_and_batch: tuple[Layout, Outcomes]) -> Outcomes:
    return layout_and_batch[1]


def with_samples(batch: Outcomes, name: str, values: NDArray[np.int64]) -> Outcomes:
    """Return a batch of as many replications as `values` has, with one array replaced."""
    count = len(values)
    grown = batch.part(np.arange(count) % len(batch.replications))
    new = {"replications": np.arange(count), name: values}
    return dataclasses.replace(grown, **new)  # type: ignore[arg-type]


def folded(layout: Layout, *batches: Outcomes) -> Tally:
    tally = empty_tally(layout)
    for one in batches:
        fold(tally, one)
    return tally


def assert_equal(one: Tally, other: Tally) -> None:
    for field in dataclasses.fields(Tally):
        if field.name != "layout":
            left, right = getattr(one, field.name), getattr(other, field.name)
            assert left.dtype == right.dtype
            assert np.array_equal(left, right), field.name


class TestOrder:
    @pytest.mark.parametrize("examples", [6, pytest.param(50, marks=pytest.mark.slow)])
    def test_batches_of_any_size_in_any_order(
        self, examples: int, layout: Layout, batch: Outcomes
    ) -> None:
        """Folded one after the other, or told as arrays and merged: the same bits."""

        @settings(max_examples=examples, deadline=None)
        @given(
            order=st.permutations(range(COUNT)),
            cuts=st.sets(st.integers(1, COUNT - 1), max_size=6),
        )
        def check(order: list[int], cuts: set[int]) -> None:
            self.check_order(layout, batch, order, sorted(cuts))

        check()

    def check_order(
        self, layout: Layout, batch: Outcomes, order: list[int], cuts: list[int]
    ) -> None:
        pieces = [
            batch.part(order[a:b])
            for a, b in zip([0, *cuts], [*cuts, COUNT], strict=True)
        ]  # fmt: skip
        whole = folded(layout, batch)
        assert_equal(whole, folded(layout, *pieces))
        tallies = [folded(layout, piece) for piece in pieces]
        assert_equal(whole, functools.reduce(merge, tallies))
        assert_equal(whole, functools.reduce(lambda a, b: merge(b, a), tallies))
        samples = [sample_columns(layout, piece) for piece in pieces]
        joined, expected = join_samples(samples), sample_columns(layout, batch)
        assert list(joined) == list(expected)
        assert all(np.array_equal(joined[name], expected[name]) for name in expected)

    @pytest.mark.parametrize("kind", [np.uint16, np.int32])
    def test_a_batch_is_told_as_its_tally_is(
        self, layout: Layout, batch: Outcomes, kind: type
    ) -> None:
        """Whole or as far as it came, whatever the type of its cells: the same arrays."""
        noted = empty_batch(layout, COUNT + 5)
        noted.cells = noted.cells.astype(kind)
        for rows in (slice(0, 1), slice(1, 40), slice(40, 40), slice(40, COUNT)):
            note(noted, batch.part(rows))
            come = slice(0, rows.stop)
            told, expected = batch_arrays(noted), to_arrays(folded(layout, batch.part(come)))
            assert list(told) == list(expected)
            for name, values in expected.items():
                assert told[name].dtype == values.dtype, name
                assert np.array_equal(told[name], values), name

    def test_merging_changes_neither(self, layout: Layout, batch: Outcomes) -> None:
        one, other = (folded(layout, batch.part(range(a, a + 20))) for a in (0, 20))
        before = to_arrays(one)
        merge(one, other)
        assert all(np.array_equal(before[name], values) for name, values in to_arrays(one).items())

    def test_there_and_back(self, layout: Layout, batch: Outcomes) -> None:
        whole = folded(layout, batch)
        assert_equal(whole, from_arrays(layout, to_arrays(whole)))
        nothing = empty_tally(layout)
        assert_equal(nothing, from_arrays(layout, to_arrays(nothing)))

    def test_only_what_is_not_zero_is_told(self, layout: Layout, batch: Outcomes) -> None:
        whole = folded(layout, batch)
        told = sum(values.nbytes for values in to_arrays(whole).values())
        assert told < 0.1 * (whole.counts.nbytes + whole.block_counts.nbytes)

    @settings(deadline=None)
    @given(
        cells=st.dictionaries(st.integers(0, 5_000), st.integers(1, 2**31 - 1)),
        extra=st.integers(1, 40),
    )
    def test_counts_are_told_and_read(self, cells: dict[int, int], extra: int) -> None:
        """Whatever lies between them and however large they are."""
        counts = np.zeros(max(cells, default=0) + extra, np.int32)
        for at, count in cells.items():
            counts[at] = count
        told = tell(counts, np.zeros(10_000, np.uint8))
        assert told.tolist() == told_by_hand(cells)
        assert is_told(told, len(counts))
        again = np.zeros_like(counts)
        add_told(told, again)
        assert np.array_equal(again, counts)
        # No cell beyond the end, and no number without an end.
        assert not cells or not is_told(told, max(cells))
        assert not is_told(np.append(told, np.uint8(15)), 10**6)

    def test_a_count_that_no_tally_holds_is_not_believed(self) -> None:
        most = 2**31 - 1
        assert is_told(np.array(told_by_hand({1: most}), np.uint8), 5)
        assert not is_told(np.array(told_by_hand({1: most + 1}), np.uint8), 5)

    @pytest.mark.parametrize("count", [1, 14, 15, 16, 142, 143, 100_000])
    @pytest.mark.parametrize("apart", [1, 14, 15, 142, 143, 20_000])
    def test_room_is_enough_where_little_is_told_in_a_byte(self, count: int, apart: int) -> None:
        counts = np.zeros(apart * 50 + 1, np.int32)
        counts[apart::apart] = count
        room = room_to_tell(len(counts), 50 * count)
        assert len(tell(counts, np.zeros(10**6, np.uint8))) < len(room)

    @settings(deadline=None)
    @given(told=st.binary(max_size=40), size=st.integers(0, 3_000))
    def test_no_bytes_from_outside_reach_beyond_the_counts(self, told: bytes, size: int) -> None:
        given_bytes = np.frombuffer(told, np.uint8)
        counts = np.zeros(size + 1_000, np.int32)
        if is_told(given_bytes, size):
            add_told(given_bytes, counts)
            assert not counts[size:].any()


def tell(counts: NDArray[np.int32], room: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return all counts as told in one stretch."""
    size = tell_filled(counts, np.zeros(1, np.int64), np.array([len(counts)]), room)
    return room[:size]


def told_by_hand(cells: dict[int, int]) -> list[int]:
    """Tell counts in the plainest way: half a byte each, then what is more, seven bits a byte."""
    told, before = [], 0
    for at, count in sorted(cells.items()):
        told.append(min(at - before, 15) + 16 * min(count, 15))
        for number in (at - before, count):
            if number >= 15:
                digits = [number - 15]
                while digits[-1] > 127:
                    digits[-1:] = [digits[-1] % 128 + 128, digits[-1] // 128]
                told += digits
        before = at
    return told


class TestSums:
    def test_they_are_exact(self, layout: Layout, batch: Outcomes) -> None:
        """Of amounts and days alike, against Python's integers, block by block."""
        tally = folded(layout, batch)
        blocks = batch.replications % BLOCKS
        for name, values in (
            ("reported", batch.year_end[:, MEASURES.index("reported")]),
            ("final_cost", batch.final_cost), ("waits", batch.waits), ("kept", batch.kept),
            ("released", batch.accounts[:, 0]), ("lapsed", batch.accounts[:, 3]),
            ("waited", batch.queues[:, 2]),
        ):  # fmt: skip
            found = block_sums(tally, name)
            for block in range(BLOCKS):
                expected = sum(values[blocks == block].astype(object))
                assert np.array_equal(found[..., block], expected), name
        days = block_sums(tally, "waits").sum(axis=-1)
        assert np.array_equal(days, batch.waits.sum(axis=0))

    def test_squares_are_exact_and_of_the_projects_of_the_target(
        self, layout: Layout, batch: Outcomes
    ) -> None:
        """Squares of projects, totals of groups and of all, and the squares of these."""
        tally, portfolio = folded(layout, batch), layout.portfolio
        blocks = batch.replications % BLOCKS
        totals = block_sums(tally, "totals")
        squares = joined_parts(block_sums(tally, "totals_squares"))
        members = [*(one.members for one in layout.groups), portfolio.in_target]
        assert not portfolio.in_target.all()
        for position, measure in enumerate(SPREAD_MEASURES):
            values = batch.final_cost if measure == "final_cost" else batch.year_end[:, position]
            single = joined_parts(block_sums(tally, f"{measure}_squares"))
            whole = values.astype(object)
            for block in range(BLOCKS):
                mine = whole[blocks == block]
                assert np.array_equal(single[:, block], (mine**2).sum(axis=0)), measure
                for g, chosen in enumerate(members):
                    total = mine[:, chosen].sum(axis=1)
                    assert totals[position, g, block] == total.sum(), measure
                    assert squares[position, g, block] == (total**2).sum(), measure

    def test_days_are_added_where_projects_start(self, layout: Layout, batch: Outcomes) -> None:
        start = batch.start.copy()
        start[::3, 1] = NEVER
        tally, started = folded(layout, dataclasses.replace(batch, start=start)), start != NEVER
        waits = block_sums(tally, "waits_of_started").sum(axis=-1)
        assert np.array_equal(waits, (batch.waits * started[:, :, None]).sum(axis=0))
        days = block_sums(tally, "causes_of_started").sum(axis=-1)
        expected = sum((batch.causes * started[:, :, None]).astype(object))
        assert np.array_equal(days, expected)
        assert (days < 0).any()

    def test_no_sum_overflows(self, layout: Layout, batch: Outcomes) -> None:
        """Thrice nine thousand replications of more than any city: beyond 64 bits, and below 0."""
        each = 4 * 10**16
        values = np.full((9_000, *batch.months.shape[1:]), each, np.int64)
        values[:, 1] *= -1
        large = with_samples(batch, "months", values)
        tally = folded(layout, large, large, large)
        sums = block_sums(tally, "months")
        assert (sums[0] == 3 * 450 * each).all()
        assert int(sums[0, 0].sum()) == 27_000 * each > 2**63
        assert int(sums[1, 0].sum()) == -27_000 * each
        assert (tally.low_sums >= 0).all()
        assert (tally.low_sums < 2**32).all()
        assert means(tally, "months")[0][0].tolist() == [each] * values.shape[2]


class TestGrids:
    @given(st.integers(0, 10**13))
    def test_widths_are_round(self, most: int) -> None:
        width = round_width(most)
        assert width <= max(most, 1) <= 2.5 * width or width == 1
        assert str(width).rstrip("0") in ("1", "2", "5")

    @given(plan=st.integers(0, 10**12), whole=st.integers(0, 10**13))
    def test_money_is_counted_in_thousandths_of_the_plan(self, plan: int, whole: int) -> None:
        grid = money_grid(plan, 1000, whole, 1000)
        assert grid.width <= max((plan or whole) / 1000, 1)
        assert grid.wide <= max(max(plan, whole) / 1000, 1)
        assert grid.cells * grid.width >= 1.25 * (plan or whole)
        assert grid.cells * grid.width + grid.wide_cells * grid.wide >= 1.25 * max(plan, whole)
        assert grid.cells + grid.wide_cells < 6300

    @given(
        grid=st.sampled_from([day_grid(30), money_grid(12_345, 100, 50_000, 40),
                              money_grid(0, 100, 7, 10), number_grid(10, 1000)]),
        value=st.integers(-(10**6), 10**6),
    )  # fmt: skip
    def test_a_value_lies_below_the_edge_of_its_cell(self, grid: object, value: int) -> None:
        grids = lay_out([grid], BLOCKS)  # type: ignore[list-item]
        whole, values = slice(0, 1), np.array([value])
        cell = grids.cell_of(whole, values)
        last = int(grids.last[0])
        edge = int(grids.edge(whole, cell)[0])
        if cell[0] == last:
            assert value > edge
        else:
            assert value <= edge
            assert cell[0] == 0 or value > int(grids.edge(whole, cell - 1)[0])

    def test_the_kernel_counts_into_the_same_cells(self, layout: Layout, batch: Outcomes) -> None:
        generator = np.random.default_rng(1)
        shape = (400, *batch.final_cost.shape[1:])
        values = (10 ** generator.uniform(0, 9, shape)).astype(np.int64)
        values[:40] = generator.integers(-5, 5, (40, shape[1]))
        place, grids = layout.places["final_cost"], layout.grids
        # On the edges of cells, and a yuan beside them.
        edges = generator.integers(0, 1300, (200, shape[1])) * grids.width[place]
        values[200:] = edges + generator.integers(0, 2, edges.shape)
        tally = folded(layout, with_samples(batch, "final_cost", values))
        for column, quantity in enumerate(range(place.start, place.stop)):
            one = slice(quantity, quantity + 1)
            cells = [int(grids.cell_of(one, values[row, [column]])[0]) for row in range(400)]
            found = tally.counts[grids.first[quantity] : grids.first[quantity + 1]]
            assert np.array_equal(found, np.bincount(cells, minlength=len(found)))

    @pytest.mark.parametrize("width", [1, 3, 49, 98, 1000, 10**6, 3 * 10**9 + 1])
    def test_a_product_for_a_division_is_set_right(self, width: int) -> None:
        """49 times the double nearest to 1 / 49 is less than 1: edges need the correction."""
        cells = np.arange(200)
        values = np.concatenate([cells * width, cells * width + 1])[:, None]
        for grid in (Grid(0, width, 300), Grid(-1, 1, 1, width, 300)):
            grids, found = lay_out([grid], BLOCKS), np.zeros((1, 400), np.uint16)
            note_values(
                values, 0, np.arange(400) % BLOCKS,
                grids.low, grids.width, grids.cells, grids.wide, grids.wide_cells,
                np.zeros(1, np.int64), found, 65535, 0,
                np.zeros((1, BLOCKS), np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64),
                np.zeros((1, BLOCKS), np.int64), count_room(400),
            )  # fmt: skip
            exact = [int(grids.cell_of(slice(0, 1), value)[0]) for value in values]
            assert found[0].tolist() == exact


class TestPercentiles:
    PERCENTS = (5, 10, 20, 50, 80, 90, 95)

    def test_against_numpy(self, layout: Layout, batch: Outcomes) -> None:
        """Never below numpy's, never above what was seen, and at most a cell away."""
        tally, grids = folded(layout, batch), layout.grids
        varied = 0
        for name, values in (
            ("start", batch.start), ("finish", batch.finish), ("arrears", batch.arrears),
            ("final_cost", batch.final_cost), ("months", batch.months),
            ("balance", batch.accounts[:, 4]), ("queued", batch.queues[:, 0]),
        ):  # fmt: skip
            place = layout.places[name]
            flat = values.reshape(COUNT, -1)
            for percent, found in percentiles(tally, name, self.PERCENTS).items():
                exact = np.percentile(flat, percent, axis=0, method="inverted_cdf")
                value = found.values.reshape(-1)
                cells = grids.cell_of(place, exact.astype(np.int64))
                width = np.where(cells <= grids.cells[place], grids.width[place],
                                 grids.wide[place])  # fmt: skip
                inside = cells < grids.last[place]
                assert (value >= exact).all(), name
                assert (value <= flat.max(axis=0)).all(), name
                assert (value - exact < width)[inside].all(), name
                varied += int((flat.min(axis=0) < exact).sum())
        assert varied > 500

    def test_days_are_exact(self, layout: Layout, batch: Outcomes) -> None:
        tally = folded(layout, batch)
        for percent, found in percentiles(tally, "finish", self.PERCENTS).items():
            exact = np.percentile(batch.finish, percent, axis=0, method="inverted_cdf")
            assert np.array_equal(found.values, exact)

    def test_what_lies_beyond_the_grid(self, layout: Layout, batch: Outcomes) -> None:
        """Below it the smallest cell's edge, above it the largest value; nothing is cut off."""
        values = np.tile(batch.final_cost[:1], (100, 1))
        values[50:] = 10**15 + np.arange(50)[:, None]
        tally = folded(layout, with_samples(batch, "final_cost", values))
        found = percentiles(tally, "final_cost", (50, 90))
        assert (found[90].values == 10**15 + 49).all()
        assert int(block_sums(tally, "final_cost")[0].sum()) == int(values[:, 0].sum())
        beyond = block_counts_seen(tally, "final_cost", beyond=True)
        assert (beyond.sum(axis=-1) == 50).all()

    def test_skipped_replications(self, layout: Layout, batch: Outcomes) -> None:
        """A look beyond the horizon is none: it counts neither in means nor in percentiles."""
        spent = np.where(np.arange(COUNT)[:, None] % 3 == 0, -1, batch.check_spent)
        tally = folded(layout, with_samples(batch, "check_spent", spent))
        seen = block_sums(tally, "seen").astype(np.int64)
        assert np.array_equal(seen, block_counts_seen(tally, "idle"))
        for q in range(spent.shape[1]):
            idle = (batch.check_amount - spent)[spent[:, q] >= 0, q]
            assert int(seen[q].sum()) == len(idle)
            if len(idle):
                mean, _ = ratios(block_sums(tally, "idle")[q], seen[q])
                assert mean == pytest.approx(idle.mean())
                found = percentiles(tally, "idle", (50,), seen)[50]
                exact = np.percentile(idle, 50, method="inverted_cdf")
                width = layout.grids.width[layout.places["idle"].start + q]
                assert 0 <= found.values[q] - exact < width
        assert SKIP < 0


def test_events_by_block(layout: Layout, batch: Outcomes) -> None:
    tally, blocks = folded(layout, batch), batch.replications % BLOCKS
    late = block_counts_above(tally, "finish")
    for block in range(BLOCKS):
        expected = (batch.finish[blocks == block] > layout.portfolio.year_end_day).sum(axis=0)
        assert np.array_equal(late[:, block], expected)
    met = probabilities(tally, "groups_reported")[0]
    reported = batch.year_end[:, MEASURES.index("reported")]
    for g, group in enumerate(layout.groups):
        plans = [one.annual_plan for one in layout.portfolio.plan.projects]
        annual = sum(a for a, member in zip(plans, group.members, strict=True) if member)
        assert met[g] == (reported[:, group.members].sum(axis=1) >= annual).mean()
    short = probabilities(tally, "unmet")[0]
    assert np.array_equal(short, (batch.accounts[:, 5] > 0).mean(axis=0))


class TestCoverage:
    """Of 95 % intervals of percentiles from counts, 95 of 100 hold the truth."""

    COUNT = 600

    def tally(self, layout: Layout, batch: Outcomes, spread: float) -> Tally:
        """Return a tally whose every account and month is a trial of its own."""
        generator = np.random.default_rng(4)
        shape = (self.COUNT, *batch.accounts.shape[1:])
        values = 2e6 + spread * generator.standard_normal(shape)
        return folded(layout, with_samples(batch, "accounts", values.astype(np.int64)))

    @pytest.mark.parametrize("spread", [3e5, 2e4], ids=["over many cells", "within a coarse one"])
    @pytest.mark.parametrize("percent", [10, 50, 90])
    def test_percentiles(
        self, layout: Layout, batch: Outcomes, percent: int, spread: float
    ) -> None:
        tally = self.tally(layout, batch, spread)
        truth, hits, trials = 2e6 + spread * stats.norm.ppf(percent / 100), 0, 0
        for name in ("released", "spent", "balance", "unmet"):
            place, found = layout.places[name], percentiles(tally, name, (percent,))[percent]
            cell, cells = layout.grids.width[place], layout.grids.cells[place]
            fine = cell * cells > 4e6  # else it is counted where little is expected
            low, high = (ends.reshape(-1) for ends in (found.low, found.high))
            hits += int(((low - cell <= truth) & (truth <= high))[fine].sum())
            trials += int(fine.sum())
        # A cell more or less widens the narrow ones; too few hits are what must not be.
        assert hits / trials >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / trials)
        if spread > 1e5:
            assert hits / trials <= 0.95 + 4 * math.sqrt(0.95 * 0.05 / trials)

    def test_means(self, layout: Layout, batch: Outcomes) -> None:
        tally = self.tally(layout, batch, 3e5)
        t, hits, trials = stats.t.ppf(0.975, BLOCKS - 1), 0, 0
        for name in ("released", "spent", "balance", "unmet"):
            found = amounts(tally, name, ())
            hits += int((abs(found.means - (2e6 - 0.5)) <= t * found.errors).sum())
            trials += found.means.size
        allowed = 4 * math.sqrt(0.95 * 0.05 / trials)
        assert 0.95 - allowed <= hits / trials <= 0.95 + allowed


def test_memory_does_not_grow() -> None:
    """The whole of Luoyang stays below 400 megabytes, and no array has replications in it."""
    sampler = build_sampler(sim.build_portfolio(sim.load_scenario(LUOYANG).plan), 2021)
    tally = empty_tally(build_layout(sampler))
    arrays = [getattr(tally, one.name) for one in dataclasses.fields(Tally) if one.name != "layout"]
    assert sum(array.nbytes for array in arrays) < 400e6


def test_folding_leaves_the_size(layout: Layout, batch: Outcomes) -> None:
    tally = empty_tally(layout)
    shapes = [getattr(tally, one.name).shape for one in dataclasses.fields(Tally)[1:]]
    for _ in range(3):
        fold(tally, batch)
    assert tally.replications == 3 * COUNT
    assert shapes == [getattr(tally, one.name).shape for one in dataclasses.fields(Tally)[1:]]
