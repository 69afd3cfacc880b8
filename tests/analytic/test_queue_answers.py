"""Case 15: windows as queues whose mean waits are known exactly.

A plan folder gives the window and its places; the files that come to it are drawn here as a
Poisson stream of thousands of gates, each ready after its preparation. Every day is a working
day and a mean service takes about a hundred of them. Times are rounded to the nearest day, so
means stay where they are and a wait is off by less than a hundredth of a service on average, far
below the tolerance of four standard errors by batch means.
"""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.engine.reference import run_reference
from sim.engine.rules import Happening
from sim.engine.trajectory import Event
from tests.worlds import Lived, Row, live, project, write_world

Floats = NDArray[np.float64]
Services = Callable[[np.random.Generator, int], Floats]
SERVICE_DAYS = 100
COUNT = 10_000
BATCHES = 20


def exponential(rng: np.random.Generator, count: int) -> Floats:
    return rng.exponential(1, count)


def constant(rng: np.random.Generator, count: int) -> Floats:
    return np.ones(count)


def triangular(rng: np.random.Generator, count: int) -> Floats:
    """Of mean 35/3 days."""
    return rng.triangular(5, 10, 20, count)


def nominal(folder: Path, places: int) -> Lived:
    """One project with one gate at one window: the plan that lends its shape."""
    gates: list[Row] = [{"procedure": "approval", "gate": "g", "window": "W", "cushion": 0}]
    windows: list[Row] = [{"window": "W", "places": places}]
    rows = [project("A", "2021-01-01", "2021-12-31", 1, 1, gates="g")]
    return live(write_world(folder, rows, gates=gates, windows=windows))


def waits_and_sojourns(
    folder: Path, places: int, rate: float, services: Services, count: int = COUNT
) -> tuple[Floats, Floats]:
    """Send so many files to a window; return their waits and their times in all."""
    lived = nominal(folder, places)
    rng = np.random.default_rng([2021, places, count])
    unit = SERVICE_DAYS / services(np.random.default_rng(0), 10_000).mean()
    arrivals = np.rint(rng.exponential(1 / rate, count).cumsum() * unit).astype(np.int64)
    reviews = np.rint(services(rng, count) * unit).astype(np.int64)
    days = int(arrivals[-1]) + 200 * SERVICE_DAYS
    flat = np.arange(days + 1, dtype=np.int64)[None, :]
    frame = dataclasses.replace(
        lived.frame,
        days=days,
        planned_calendar=flat,
        gate_first=np.array([0, count], dtype=np.int64),
        gate_after=((),) * count,
        gate_weight=np.ones(count, dtype=np.int64),
        gate_window=np.zeros(count, dtype=np.int64),
    )
    drawn = dataclasses.replace(
        lived.drawn,
        gate_open=np.ones(count, dtype=np.bool_),
        gate_preparation=np.maximum(arrivals, 1),
        gate_review=np.maximum(reviews, 1),
        gate_delay=np.zeros(count, dtype=np.int64),
        gate_dropped=np.zeros(count, dtype=np.bool_),
        workdays=flat[0],
        calendar=flat,
        calendar_losses=np.zeros((0, 1, days + 1), dtype=np.int64),
        may_start=np.ones((1, days), dtype=np.bool_),
    )
    events: list[Event] = []
    run_reference(frame, drawn, events)
    of = {
        what: np.array(sorted((one.place, one.day) for one in events if one.happening == what))
        for what in (Happening.FILE_READY, Happening.REVIEW_BEGUN, Happening.GATE_PASSED)
    }
    ready = of[Happening.FILE_READY][:, 1]
    waits = (of[Happening.REVIEW_BEGUN][:, 1] - ready) / unit
    return waits, (of[Happening.GATE_PASSED][:, 1] - ready) / unit


def assert_batch_mean(sample: Floats, expected: float) -> None:
    """The first tenth, in which the queue builds up, is left out."""
    steady = sample[len(sample) // 10 :]
    batches = np.array([batch.mean() for batch in np.array_split(steady, BATCHES)])
    error = batches.std(ddof=1) / math.sqrt(BATCHES)
    assert abs(batches.mean() - expected) <= 4 * error, (batches.mean(), expected, error)
    # A tolerance as wide as the answer would say nothing.
    assert 4 * error < 0.75 * expected


CASES = pytest.mark.parametrize(
    ("places", "rate", "services", "wait", "service"),
    [
        pytest.param(1, 0.8, exponential, 4.0, 1.0, id="M/M/1"),
        pytest.param(3, 2.0, exponential, 4 / 9, 1.0, id="M/M/3"),
        pytest.param(1, 0.8, constant, 2.0, 1.0, id="M/D/1"),
        pytest.param(1, 0.05, triangular, 8.75, 35 / 3, id="M/G/1"),
    ],
)


@CASES
def test_mean_wait(
    tmp_path: Path, places: int, rate: float, services: Services, wait: float, service: float
) -> None:
    waits, sojourns = waits_and_sojourns(tmp_path, places, rate, services)
    assert_batch_mean(waits, wait)
    assert_batch_mean(sojourns, wait + service)


def test_share_that_waits_at_three_places(tmp_path: Path) -> None:
    waits, _ = waits_and_sojourns(tmp_path, 3, 2.0, exponential)
    assert_batch_mean((waits > 0).astype(np.float64), 4 / 9)


def files(slow_share: float) -> int:
    """Return the files of a long run: waits hang together for hundreds of files."""
    return math.ceil(200_000 * max(slow_share, 0.5))


@pytest.mark.slow
@CASES
def test_mean_wait_with_a_finer_tolerance(
    tmp_path: Path, places: int, rate: float, services: Services, wait: float, service: float,
    slow_share: float,
) -> None:  # fmt: skip
    count = files(slow_share)
    waits, sojourns = waits_and_sojourns(tmp_path, places, rate, services, count)
    assert_batch_mean(waits, wait)
    assert_batch_mean(sojourns, wait + service)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("places", "rate", "probability", "wait"),
    [(10, 9.0, 0.668732, 0.668732), (50, 45.0, 0.363864, 0.072773)],
)
def test_many_places(
    tmp_path: Path, places: int, rate: float, probability: float, wait: float, slow_share: float
) -> None:
    count = files(slow_share)
    waits, _ = waits_and_sojourns(tmp_path, places, rate, exponential, count)
    assert_batch_mean(waits, wait)
    assert_batch_mean((waits > 0).astype(np.float64), probability)
