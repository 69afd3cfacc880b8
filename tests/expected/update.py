"""Write the expected answers that ship beside the scenarios: `python -m tests.expected.update`.

Numbers change only through this command, and what it changes is reviewed like code.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import sim
from sim.runs.estimates import block_sums

SCENARIOS = Path(__file__).parents[2] / "scenarios"
REPLICATIONS = 6


def scenario_files() -> list[Path]:
    """Return every scenario that ships: TOML files with an [about] table."""
    return sorted(
        path
        for path in SCENARIOS.rglob("*.toml")
        if "\n[about]" in "\n" + path.read_text(encoding="utf-8")
    )


def answer_of(path: Path) -> list[tuple[str, str]]:
    """Return the headline of a scenario as rows of name and value."""
    run = sim.simulate(sim.load_scenario(path), replications=REPLICATIONS, workers=2)
    summary = sim.summarise(run)
    rows: list[tuple[str, str]] = [("replications", str(REPLICATIONS)), ("seed", str(run.seed))]
    for measure, found in summary["year_end"].items():
        for key in ("mean", "p5", "p50", "p95"):
            rows.append((f"year_end.{measure}.{key}", f"{found[key]:.0f}"))
    for key in ("started_in_year", "finished_in_year", "finished_in_horizon"):
        rows.append((f"projects.{key}.mean", f"{summary['projects'][key]['mean']:.2f}"))
    rows.append(("final_cost.mean", f"{summary['final_cost']['mean']:.0f}"))
    kept = block_sums(run.tally, "kept").sum(axis=1).tolist()
    for promise, count in zip(run.portfolio.plan.commitments, kept, strict=True):
        if promise.kind != "outside":
            rows.append((f"kept.{promise.id}", str(count)))
    return rows


def expected_file(path: Path) -> Path:
    """Return where the expected answer of a scenario stands."""
    return path.parent / "expected" / f"{path.stem}.csv"


def main() -> None:
    """Write all expected answers."""
    for path in scenario_files():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("name", "value"), *answer_of(path)])
        expected_file(path).parent.mkdir(exist_ok=True)
        expected_file(path).write_text(text.getvalue(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
