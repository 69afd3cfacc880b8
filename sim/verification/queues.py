"""Case 15: windows as queues whose mean waits are known exactly.

A plan of thousands of one-day projects, each with one gate at the same window, lends its shape.
When files are ready and how long reviews take is drawn here: a Poisson stream, and services of the
law that is asked for. Every day is a working day, and a mean service takes a hundred of them, so
that rounding to days moves a wait by less than a hundredth of a service.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER, Wait
from sim.sampling.draws import draw
from sim.sampling.realization import Frame, Realization
from sim.sampling.sampler import Sampler
from sim.sampling.streams import fill_uniforms, key_of
from sim.verification.case import Estimate, Floats, Measured, Setting
from sim.verification.networks import by_parts
from sim.verification.simulated import live, sampler_of, written

FILES = 5_000
"""Of one long run."""
_SERVICE_DAYS = 100
_WARM_UP = FILES // 10
"""Files left out, while the queue builds up."""
_ARRIVALS, _SERVICES = 0, FILES
"""Addresses of the first draw of each kind."""
_PARTS = 20


@dataclass(frozen=True, slots=True)
class Queue:
    """A window in units of its own.

    Attributes
    ----------
    places : int
        Files reviewed at once.
    rate : float
        Files a unit of time.
    service : object
        Law of the time that a review takes, from `scipy.stats`; None where it is always one unit.
    mean_service : float
        Its mean.
    """

    places: int
    rate: float
    service: Any
    mean_service: float


def shape(setting: Setting) -> tuple[Frame, Realization]:
    """Return what a plan of so many files at one window looks like to an engine."""
    sampler = _plan(setting)
    return sampler.frame, next(draw(sampler, [0]))


def _plan(setting: Setting) -> Sampler:
    rows = [
        {"id": f"F{k:05d}", "name": "F", "investor": "enterprise", "gates": "g", "rank": k,
         "total": 1, "annual_plan": 1,
         "planned_start": "2021-01-01", "planned_finish": "2021-01-01"}
        for k in range(FILES)
    ]  # fmt: skip
    gates = [{"procedure": "filing", "gate": "g", "window": "W", "cushion": 0}]
    windows = [{"window": "W", "places": 1}]
    settings = 'horizon = 2021-12-31\ncalendar = "continuous"\n'
    with written(settings, projects=rows, gates=gates, windows=windows) as folder:
        return sampler_of(folder, setting)


def waits_and_sojourns(
    given: tuple[Frame, Realization], queue: Queue, run: int, setting: Setting
) -> tuple[Floats, Floats]:
    """Send files to a window; return their waits and their times in all, in the queue's units.

    Parameters
    ----------
    given : (Frame, Realization)
        From `shape`.
    queue : Queue
        The window.
    run : int
        Number of the run: each has draws of its own.
    setting : Setting
        Names the engine.
    """
    frame, drawn = given
    unit = _SERVICE_DAYS / queue.mean_service
    gaps = -np.log(_uniforms(setting, run, _ARRIVALS)) / queue.rate
    services = np.ones(FILES)
    if queue.service is not None:
        services = queue.service.ppf(_uniforms(setting, run, _SERVICES))
    ready = np.maximum(np.rint(gaps.cumsum() * unit), 1).astype(np.int64)
    reviews = np.maximum(np.rint(services * unit), 1).astype(np.int64)
    days = int(ready[-1]) + 200 * _SERVICE_DAYS
    frame, drawn = _stretched(frame, drawn, days)
    frame = dataclasses.replace(frame, window_places=np.array([queue.places], dtype=np.int64))
    drawn = dataclasses.replace(drawn, gate_preparation=ready, gate_review=reviews)
    lived = live(frame, drawn, setting)
    if (lived.start == NEVER).any():
        raise ValueError("a file was not decided by the end of the run")
    waits = lived.waits[:, Wait.WINDOW] / unit
    return waits[_WARM_UP:], (lived.start - ready)[_WARM_UP:] / unit


def _uniforms(setting: Setting, run: int, first: int) -> Floats:
    out = np.empty(FILES)
    where = np.arange(first, first + FILES, dtype=np.uint64)
    fill_uniforms(key_of(setting.seed), np.uint64(run), where, out)
    return out


def _stretched(frame: Frame, drawn: Realization, days: int) -> tuple[Frame, Realization]:
    """Return the same world for many more days, each of them a full working day."""
    each: NDArray[np.int64] = np.arange(days + 1, dtype=np.int64)
    full = 1_000 * each[None, :]
    frame = dataclasses.replace(frame, days=days, planned_calendar=full)
    drawn = dataclasses.replace(
        drawn,
        workdays=each,
        calendar=full,
        calendar_losses=np.zeros((len(drawn.calendar_losses), 1, days + 1), dtype=np.int64),
        may_start=np.ones((1, days), dtype=np.bool_),
    )
    return frame, drawn


def approval_queues(setting: Setting) -> Measured:
    """Case 15: mean waits and shares of files that wait, from independent long runs."""
    from scipy import stats

    queues = {
        "mm1": Queue(1, 0.8, stats.expon(), 1.0),
        "mm3": Queue(3, 2.0, stats.expon(), 1.0),
        "md1": Queue(1, 0.8, None, 1.0),
        "mg1": Queue(1, 0.05, stats.triang(1 / 3, 5, 15), 35 / 3),
        "mm10": Queue(10, 9.0, stats.expon(), 1.0),
        "mm50": Queue(50, 45.0, stats.expon(), 1.0),
    }
    given = shape(setting)
    found: dict[str, Estimate] = {}
    for name, queue in queues.items():
        estimates = estimate(given, queue, setting.count(20, 2), setting)
        found |= {f"{name}_{what}": one for what, one in estimates.items()}
    return found


def estimate(
    given: tuple[Frame, Realization], queue: Queue, runs: int, setting: Setting
) -> dict[str, Estimate]:
    """Estimate mean wait, mean time in all and share that waits, with errors by batch means.

    A run is a batch where there are many; of a few runs each is cut into several batches.
    """
    pieces = -(-_PARTS // runs)
    parts: dict[str, list[float]] = {"wait": [], "sojourn": [], "waits": []}
    for run in range(runs):
        waits, sojourns = waits_and_sojourns(given, queue, run, setting)
        for name, sample in (("wait", waits), ("sojourn", sojourns), ("waits", waits > 0)):
            parts[name] += [float(piece.mean()) for piece in np.array_split(sample, pieces)]
    return {name: by_parts(values) for name, values in parts.items()}
