"""The engine for many replications: the same rules, told a second time for the compiler.

Phases are steps of a loop over days; what a day brings stands in lists; money lies in purses of
whole yuan. It shares names, codes and the table of phases with the reference engine, no arithmetic.
"""

from __future__ import annotations

import numpy as np

from sim.engine.compiled.city import simulate_one
from sim.engine.compiled.packing import build_state, build_world, pack_realization
from sim.engine.compiled.records import State
from sim.engine.trajectory import Trajectory
from sim.sampling.realization import Frame, Realization


def run_compiled(frame: Frame, realization: Realization) -> Trajectory:
    """Simulate one realization, with everything that the reference engine tells.

    Parameters
    ----------
    frame : Frame
        What is the same in every replication.
    realization : Realization
        Every random input.

    Returns
    -------
    Trajectory
        Dates and amounts.
    """
    world = build_world(frame)
    still, drawn = pack_realization(frame, realization)
    state = build_state(world, parts=1, tables=True)
    simulate_one(world, still, drawn, state)
    return _trajectory(realization.replication, state)


def _trajectory(replication: int, state: State) -> Trajectory:
    sites = state.sites
    value, reported, paid, arrears, claimed, progress = state.tables.copy()
    released, spent, set_aside, lapsed, balance, unmet = state.treasury.copy()
    queued, taken, waited = state.windows.copy()
    dates = {
        name: sites[name].astype(np.int64) for name in ("start", "finish", "delivered", "dropped")
    }
    return Trajectory(
        replication=replication,
        **dates,
        waits=state.told["waits"].astype(np.int64),
        causes=state.causes.copy(),
        joined=sites["joined"].copy(),
        left=sites["left"].copy(),
        value=value,
        reported=reported,
        paid=paid,
        arrears=arrears,
        claimed=claimed,
        progress=progress,
        premium=sites["premium"].copy(),
        released=released,
        spent=spent,
        set_aside=set_aside,
        lapsed=lapsed,
        balance=balance,
        unmet=unmet,
        queued=queued,
        taken=taken,
        waited=waited,
        check_spent=state.check_spent.copy(),
    )
