"""Peak memory of a long run beside that of a short one, the samples table aside.

    python benchmarks/memory.py [--short N] [--long N] [SCENARIO]

Each run is a process of its own. Of its peak the samples table is taken off twice: as it is
gathered, and as it is joined. Without a scenario a plan of forty projects is used, since what is
looked at is growth with replications and not with projects.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

AIM, MOST = 1.1, 1.3
CHILD = """
import resource, sys
import sim
run = sim.simulate(sim.load_scenario(sys.argv[1]), replications=int(sys.argv[2]), workers=2)
table = sum(values.nbytes for values in run.samples.values())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, table)
"""


def small_plan(folder: Path) -> Path:
    """Write a plan of forty projects."""
    (folder / "plan.toml").write_text(
        'name = "small"\nstatus_date = 2020-12-31\nplan_year = 2021\ntarget = 2000\n',
        encoding="utf-8",
    )
    with (folder / "projects.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "name", "total", "annual_plan", "planned_start", "planned_finish",
                         "gates", "duration"])  # fmt: skip
        for k in range(40):
            writer.writerow([f"P{k}", f"P{k}", 100 + k, 50, "2021-03-01", "2022-06-30", "none",
                             "triangular(0.8, 1, 1.6)"])  # fmt: skip
    return folder


def peak(scenario: Path, replications: int) -> tuple[float, float]:
    """Return peak memory and the size of the samples table, in megabytes."""
    told = subprocess.run(
        [sys.executable, "-c", CHILD, str(scenario), str(replications)],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return int(told[0]) / 1e6, int(told[1]) / 1e6


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenario", nargs="?", type=Path)
    parser.add_argument("--short", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scenario = chosen.scenario or small_plan(Path(name))
        peak(scenario, 20)  # machine code is cached from here on
        aside = []
        for count in (chosen.short, chosen.long):
            most, table = peak(scenario, count)
            aside.append(most - 2 * table)
            print(f"{count:9,} replications: peak {most:7.0f} MB, samples table {table:6.1f} MB")
    print(f"ratio, samples aside: {aside[1] / aside[0]:.2f} (most {MOST}, aim {AIM})")


if __name__ == "__main__":
    main()
