"""Simulate a city's portfolio of major investment projects.

>>> import sim
>>> scenario = sim.load_scenario("scenarios/luoyang-2021/baseline.toml")
>>> run = sim.simulate(scenario, replications=10)

Names are loaded when they are first used, so that ``import sim`` answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.plan.loading import load_plan
    from sim.plan.portfolio import build_portfolio
    from sim.plan.problems import InputError
    from sim.plan.scenario import load_scenario
    from sim.runs.folder import find_run, write_run
    from sim.runs.simulate import simulate
    from sim.runs.summary import summarise

__version__ = "0.1.0"

_WHERE = {
    "InputError": "sim.plan.problems",
    "build_portfolio": "sim.plan.portfolio",
    "find_run": "sim.runs.folder",
    "load_plan": "sim.plan.loading",
    "load_scenario": "sim.plan.scenario",
    "simulate": "sim.runs.simulate",
    "summarise": "sim.runs.summary",
    "write_run": "sim.runs.folder",
}

__all__ = [
    "InputError",
    "__version__",
    "build_portfolio",
    "find_run",
    "load_plan",
    "load_scenario",
    "simulate",
    "summarise",
    "write_run",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that holds it."""
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'sim' has no attribute '{name}'")
