"""Time to first answer: `import sim` and `run_sim.py --help` against a bare interpreter.

Usage: python benchmarks/startup.py [--runs N]. Prints the least of N runs in seconds, beside that
of an interpreter that does nothing, measured in turn in the same run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import sim": ["-c", "import sim"],
    "run_sim.py --help": ["run_sim.py", "--help"],
}
AIMS = {"import sim": 0.3, "run_sim.py --help": 0.6}


def seconds(words: list[str]) -> float:
    """Time one process from start to end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(runs):
        for name, words in COMMANDS.items():
            best[name] = min(best[name], seconds(words))
    bare, missed = best["bare interpreter"], []
    for name, found in best.items():
        aim = f"  aim < {AIMS[name]:.1f} s" if name in AIMS else ""
        print(f"{name:<20} {found:6.3f} s  {found / bare:5.1f} x bare{aim}")
        if found > AIMS.get(name, found):
            missed.append(name)
    if missed:
        raise SystemExit(f"slower than aimed at: {', '.join(missed)}")


if __name__ == "__main__":
    main()
