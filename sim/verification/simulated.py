"""Plans of cases, simulated by either engine."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.reference import run_reference
from sim.engine.trajectory import Trajectory
from sim.plan.portfolio import build_portfolio
from sim.plan.scenario import load_scenario
from sim.runs.outcomes import Outcomes
from sim.runs.workers import outcomes_of
from sim.sampling.realization import Frame, Realization
from sim.sampling.sampler import Sampler, build_sampler
from sim.verification.case import PLANS, Setting

Row = Mapping[str, Any]
Samples = dict[str, NDArray[Any]]
Keep = Callable[[Outcomes], Samples]
_PIECE = 100_000
"""Project-replications simulated before what is kept of them is copied."""
_LONGEST_PIECE = 400


def sampler_of(folder: Path | str, setting: Setting, changes: Sequence[str] = ()) -> Sampler:
    """Read a plan folder, by name one that ships with the cases, up to what draws.

    Shared draws are independent ones, since tolerances are those of independent replications.
    """
    plan = load_scenario(PLANS / folder, changes).plan
    return build_sampler(build_portfolio(plan), setting.seed, "plain")


def simulate(sampler: Sampler, setting: Setting, replications: int, keep: Keep) -> Samples:
    """Simulate replications 0 to `replications` - 1 and return what is kept of each.

    Parameters
    ----------
    sampler : Sampler
        What draws.
    setting : Setting
        Names the engine.
    replications : int
        How many.
    keep : callable
        Gives arrays over the replications of a batch (first axis).
    """
    size = min(max(_PIECE // max(sampler.portfolio.size, 1), 1), _LONGEST_PIECE)
    batches = [range(k, min(k + size, replications)) for k in range(0, replications, size)]
    parts = [
        {name: np.array(values) for name, values in keep(outcomes).items()}
        for outcomes in outcomes_of(sampler, batches, setting.engine, os.cpu_count() or 1)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def live(frame: Frame, drawn: Realization, setting: Setting) -> Trajectory:
    """Simulate one realization."""
    if setting.engine == "reference":
        return run_reference(frame, drawn)
    from sim.engine.compiled import run_compiled

    return run_compiled(frame, drawn)


@contextmanager
def written(settings: str, **tables: Sequence[Row]) -> Iterator[Path]:
    """Write a plan of many rows into a folder of its own, which goes afterwards.

    Parameters
    ----------
    settings : str
        Text of plan.toml beyond its name, year and status date (31 December 2020).
    **tables : sequence of rows
        By name, such as `projects`; columns are those of the first row.
    """
    with tempfile.TemporaryDirectory(prefix="verify-") as place:
        folder = Path(place) / "case"
        folder.mkdir()
        head = 'name = "case"\nstatus_date = 2020-12-31\nplan_year = 2021\n'
        (folder / "plan.toml").write_text(head + settings, encoding="utf-8")
        for name, rows in tables.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        yield folder
