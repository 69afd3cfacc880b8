"""Case 19: random streams word for word, and results that no number of workers moves."""

from __future__ import annotations

import hashlib

import numpy as np

from sim.runs.batches import cut
from sim.runs.layout import build_layout
from sim.runs.workers import in_processes, on_threads
from sim.sampling.sampler import Sampler
from sim.sampling.streams import philox4x32
from sim.verification.case import Measured, Setting
from sim.verification.simulated import Row, sampler_of, written

_ONES = 0xFFFFFFFF
_PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)
"""Digits of pi: four words of counter, two of key."""
_INPUTS = {"zeros": (0,) * 6, "ones": (_ONES,) * 6, "pi": _PI}
_WORKERS = {"compiled": (1, 2, 7, 16), "reference": (1, 2)}
"""The reference engine starts a process for each, which takes its time."""


def random_streams(setting: Setting) -> Measured:
    """Case 19: published vectors of Philox 4x32-10; one run by several numbers of workers."""
    found: dict[str, int] = {}
    for name, words in _INPUTS.items():
        given = [np.uint64(word) for word in words]
        for k, word in enumerate(philox4x32(*given)):
            found[f"{name}_{k}"] = int(word)
    return found | {"differing": _differing(setting)}


def _differing(setting: Setting) -> int:
    """Count the numbers of workers whose results are not those of one worker, bit for bit."""
    settings = "horizon = 2022-12-31\n"
    with written(settings, projects=_projects(), types=_TYPES, accounts=_ACCOUNTS) as folder:
        sampler = sampler_of(folder, setting)
    one, *others = (_hash(sampler, setting, workers) for workers in _WORKERS[setting.engine])
    return sum(other != one for other in others)


def _hash(sampler: Sampler, setting: Setting, workers: int) -> str:
    """Hash all that is kept of a run: results are written from nothing else."""
    layout, count = build_layout(sampler), setting.count(256, 6)
    if setting.engine == "compiled":
        from sim.runs.rows import prepare_runner

        means = on_threads(prepare_runner(sampler), layout, workers, None)
    else:
        means = in_processes(sampler.portfolio.plan, sampler, layout, workers, None)
    with means as run_all:
        results = list(run_all(cut(count, sampler.portfolio.size, setting.engine)))
    whole = hashlib.sha256()
    for one in sorted(results, key=lambda one: int(one.samples["replication"][0])):
        for name, values in sorted((one.arrays | one.samples).items()):
            whole.update(name.encode() + values.tobytes())
    return whole.hexdigest()


_TYPES: list[Row] = [
    {"type": "road", "duration": "lognormal(median=1.1, sigma=0.3)",
     "cost": "triangular(0.9, 1.0, 1.4)", "slip": "chance(0.4, uniform(5, 90))",
     "pay_ratio": 0.8, "pay_lag_days": 30, "retention": 0.03, "advance": 0.1},
]  # fmt: skip
_ACCOUNTS: list[Row] = [
    {"id": "budget", "name": "b", "class": "general_budget", "opening": 1_000_000, "rule": "tier"}
]


def _projects() -> list[Row]:
    return [
        {"id": f"P{k}", "name": "P", "type": "road", "gates": "none", "rank": k,
         "total": 2_000 + 7 * k, "annual_plan": 1_500, "funding": "budget:1",
         "planned_start": f"2021-{1 + k % 6:02d}-{1 + k % 28:02d}",
         "planned_finish": f"2021-{9 + k % 4:02d}-{1 + k % 28:02d}"}
        for k in range(1_000)
    ]  # fmt: skip
