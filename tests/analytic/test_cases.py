"""Cases with known answers: the same that `verify` runs, quickly here and finely by `-m slow`."""

import math

import pytest

from sim.verification import case as cases
from sim.verification.case import Setting, Verdict, load_cases, load_quantities
from sim.verification.verify import MEASURES, judge_case

QUICK = {"15": 0.4, "10": 0.3}
"""Share of the replications of `verify`; a fifth of all others."""


def told(verdicts: list[Verdict]) -> list[str]:
    """Return what does not hold."""
    return [
        f"{one.quantity.of}: {one.got}, known {one.quantity.expected}, allowed {one.tolerance}"
        for one in verdicts
        if not one.holds
    ]


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_case(case: cases.Case) -> None:
    verdicts = judge_case(case, Setting("compiled", QUICK.get(case.id, 0.2)))
    assert verdicts
    assert not told(verdicts)


@pytest.mark.slow
@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_case_with_other_luck_and_a_finer_tolerance(case: cases.Case, slow_share: float) -> None:
    setting = Setting("compiled", max(4 * slow_share, 0.2), seed=97193)
    assert not told(judge_case(case, setting))


@pytest.mark.slow
@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.id)
def test_case_by_the_reference_engine(case: cases.Case, slow_share: float) -> None:
    scale = max(slow_share, 1.0 if case.id == "10" else 0.5)  # case 10 has few as it is
    assert not told(judge_case(case, Setting("reference", scale)))


def test_every_case_is_measured_and_every_measure_is_a_case() -> None:
    ids = [one.id for one in load_cases()]
    assert len(set(ids)) == len(ids)
    assert set(MEASURES) == set(ids)
    assert {one.case for one in load_quantities()} == set(ids)


def test_the_tables_say_where_every_answer_comes_from() -> None:
    for one in load_cases():
        assert one.zh
        assert one.en
        assert len(one.source) > 10
    for known in load_quantities():
        assert known.basis in ("published", "derived", "own")
        assert known.zh
        assert known.en.isprintable()
        assert math.isfinite(known.value)
        assert (known.kind in ("at_most", "percentile")) == (known.at is not None)
        assert known.drawn == 0 or known.kind in ("mean", "sd", "share", "at_most", "percentile")


def test_every_plan_folder_is_a_case_of_the_table() -> None:
    """Case 12 has four, case 05 three: a folder begins with the name of its case."""
    folders = [one.name for one in cases.PLANS.iterdir()]
    assert len(folders) > 15
    ids = [one.id for one in load_cases()]
    assert all(any(name == one or name.startswith(f"{one}-") for one in ids) for name in folders)


def test_what_the_formulas_of_the_table_say() -> None:
    """Answers that the table gives as numbers, worked out from the formulas of their sources."""
    known = {(one.case, one.of, one.at): one.value for one in load_quantities()}
    for t in (1, 2, 3, 4, 5, 6, 8, 10):
        formula = (
            (t**2 / 2 - 3 * t - 3) * math.exp(-2 * t)
            + (-(t**2) / 2 - 3 * t + 3) * math.exp(-t)
            + 1
            - math.exp(-3 * t)
        )
        assert known["03", "makespan", t] == pytest.approx(formula, abs=1e-9)
    for r in (0.0, 0.05, 0.1, 0.2):
        values = {
            one.kind: float(one.value)
            for one in load_quantities()
            if (one.case, one.of) == ("10", f"r{r:g}")
        }
        sd = 0.09 * math.sqrt(1000 + 1000 * 999 * r)
        assert values["sd"] == pytest.approx(sd, abs=1e-3)
        assert values["percentile"] == pytest.approx(300 - 1.6448536 * sd, abs=0.01)
    for name, r in (("03", 0.3), ("05", 0.5), ("09", 0.9)):
        extra, both = math.sqrt((1 - r) / math.pi), 0.25 + math.asin(r) / (2 * math.pi)
        assert known["07", f"latest_r{name}", None] == pytest.approx(extra, abs=1e-6)
        assert known["07", f"both_r{name}", None] == pytest.approx(both, abs=1e-6)
