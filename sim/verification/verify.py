"""Running the cases: each measures, and every known answer of its is held against that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sim.plan.configuration import usual_engine
from sim.plan.problems import InputError, Problem, nearest
from sim.verification import (
    arithmetic,
    extremes,
    money,
    networks,
    portfolios,
    queues,
    streams,
)
from sim.verification.case import (
    Case,
    Engine,
    Measure,
    Setting,
    Verdict,
    judge,
    load_cases,
    load_quantities,
)

Progress = Callable[[int, int], None]
"""Called with the cases done and asked for."""

MEASURES: Mapping[str, Measure] = {
    "03": networks.activity_network,
    "05": networks.pert_network,
    "07": networks.merge_bias,
    "09": portfolios.ignoring_correlation,
    "10": portfolios.thousand_projects,
    "12": portfolios.correlated_costs,
    "14": arithmetic.joint_confidence,
    "15": queues.approval_queues,
    "17": arithmetic.sensitivity,
    "18": arithmetic.scores,
    "19": streams.random_streams,
    "21": arithmetic.spending_curve,
    "22": money.bond_gates,
    "24": money.one_pool,
    "25": portfolios.reforecast,
    "26": networks.pert,
    "27": networks.exponentials,
    "28": money.to_the_yuan,
    "no-money": extremes.no_money,
    "one-project": extremes.one_project,
    "certain-risks": extremes.certain_risks,
    "impossible-risks": extremes.impossible_risks,
    "ten-thousand": extremes.ten_thousand,
}
"""What measures each case of cases.csv."""


def choose(names: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases of these names, in the order of the table; all where none is named.

    Raises
    ------
    InputError
        Naming every name that no case has, with the nearest that one has, and all that there are.
    """
    cases = load_cases()
    known = [one.id for one in cases]
    asked = {name: name.zfill(2) for name in names}  # 3 is the case named 03
    problems = []
    for name in names:
        details: dict[str, object] = {"nearest": nearest(name, known), "cases": ", ".join(known)}
        if asked[name] not in known:
            problems.append(Problem("unknown_case", "--only", value=name, details=details))
    if problems:
        raise InputError(problems)
    return tuple(one for one in cases if not names or one.id in asked.values())


def verify(
    names: Sequence[str] = (),
    engine: Engine | None = None,
    *,
    scale: float = 1.0,
    on_progress: Progress | None = None,
) -> Iterator[tuple[Case, list[Verdict]]]:
    """Run cases and judge them.

    Parameters
    ----------
    names : sequence of str
        Cases; all where none is named.
    engine : {"compiled", "reference"}, optional
        Which engine simulates; the compiled one where it is available.
    scale : float
        Factor on all numbers of replications; tolerances follow.
    on_progress : callable, optional
        Called with the cases done and asked for, before the first and after each.

    Yields
    ------
    (Case, list of Verdict)
        Case by case, when it is done.

    Raises
    ------
    InputError
        If a name is unknown, or the compiled engine is asked for and cannot be had.
    """
    chosen = choose(names)
    if engine == "compiled" and usual_engine() != engine:
        raise InputError([Problem("no_compiler", "verify", None, "engine", engine)])
    setting = Setting(engine or usual_engine(), scale)
    return _run(chosen, setting, on_progress)


def _run(
    chosen: Sequence[Case], setting: Setting, on_progress: Progress | None
) -> Iterator[tuple[Case, list[Verdict]]]:
    for done, case in enumerate(chosen):
        if on_progress is not None:
            on_progress(done, len(chosen))
        yield case, judge_case(case, setting)
    if on_progress is not None:
        on_progress(len(chosen), len(chosen))


def judge_case(case: Case, setting: Setting) -> list[Verdict]:
    """Measure a case and hold each of its known answers against what was measured."""
    measured = MEASURES[case.id](setting)
    return [judge(one, measured[one.of]) for one in load_quantities() if one.case == case.id]
