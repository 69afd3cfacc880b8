"""Break the model on purpose, one place at a time, and see which cases of `verify` notice.

    python benchmarks/mutations.py                    # all, some ten minutes
    python benchmarks/mutations.py --engine reference # without compiling
    python benchmarks/mutations.py --only queue       # those whose name holds the word
    python benchmarks/mutations.py --markdown         # the table of docs/verify.md

Each mutation replaces one piece of text in a copy of the sources in a temporary folder. Those of
the compiled engine are compiled anew, without optimisation; all others run as plain Python on the
reference engine. A mutation that no case notices survives, and ends the script with 1: so does one
whose text is not found exactly once. First the copy runs unbroken, and must hold.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = """
import sys
from sim.verification.case import Setting, load_cases
from sim.verification.verify import judge_case

engine, quick, full = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
if __name__ == "__main__":
    for case in load_cases():
        if case.id in quick + full:
            setting = Setting(engine, 1.0 if case.id in full else 0.2)
            try:
                failed = not all(one.holds for one in judge_case(case, setting))
            except Exception as error:
                failed = type(error).__name__
            print("CASE", case.id, failed, flush=True)
"""
"""Judges the cases named; a case that breaks down has noticed as well."""
QUICK = "03,09,12,14,18,21,22,24,25,26,27,28,no-money,one-project,certain-risks,impossible-risks"
"""Cases that every mutation runs, with a fifth of their replications."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One piece of text to replace.

    Attributes
    ----------
    name : str
        What is broken.
    file : str
        Where, below `sim/`.
    old, new : str
        The text, which must stand there exactly once, and what it becomes.
    engine : {"reference", "compiled"}
        Which engine runs the cases.
    cases : str
        Cases run in full beside the quick ones.
    """

    name: str
    file: str
    old: str
    new: str
    engine: str = "reference"
    cases: str = ""


APPROVALS, SITES = "engine/reference/approvals.py", "engine/reference/construction.py"
MUTATIONS = (
    Mutation("streams: nine rounds instead of ten", "sampling/streams.py",
             "_ROUNDS = 10", "_ROUNDS = 9", cases="19"),
    Mutation("draws: beta-PERT with weight 3 on the mode", "sampling/inverse_tables.py",
             "first = 1 + 4 * (mode - low) / (high - low)",
             "first = 1.5 + 3 * (mode - low) / (high - low)", cases="26"),
    Mutation("draws: days lost to rounding down to tens", "sampling/draw_projects.py",
             "days = int(np.rint(min(max(duration[i], 0.0), _OUT_OF_THE_WORLD)))",
             "days = int(np.rint(min(max(duration[i], 0.0), _OUT_OF_THE_WORLD))) // 10 * 10",
             cases="05"),
    Mutation("correlation: common factors left out", "sampling/draw_projects.py",
             "mixed += factors[factor[k]] * load[k]", "mixed += 0.0", cases="10"),
    Mutation("correlation: common factors twice as strong", "sampling/draw_projects.py",
             "mixed += factors[factor[k]] * load[k]", "mixed += 2 * factors[factor[k]] * load[k]",
             cases="25"),
    Mutation("correlation: upper triangle for lower", "sampling/dependence.py",
             "triangle = np.linalg.cholesky((matrix + ridge) / (1 + ridge[0, 0]))",
             "triangle = np.linalg.cholesky((matrix + ridge) / (1 + ridge[0, 0])).T", cases="12"),
    Mutation("risks: a loop that never ends early", "sampling/draw_risks.py",
             "occurs[s] = occurs[s] and occurs[s - 1]", "occurs[s] = occurs[s] or occurs[s - 1]"),
    Mutation("risks: cost on top of the whole", "sampling/draw_risks.py",
             "effect = (room.cost[k] - 1.0) * (1.0 - share)", "effect = room.cost[k]"),
    Mutation("network: any predecessor will do", "engine/reference/city.py",
             "yield self.clock.all_of([site.delivery[other] for other in",
             "yield self.clock.any_of([site.delivery[other] for other in"),
    Mutation("queue: one place too many", APPROVALS,
             "while self._free[window] > 0 and", "while self._free[window] >= 0 and", cases="15"),
    Mutation("queue: a place is never freed", APPROVALS,
             "self._free[window] += 1", "self._free[window] += 0", cases="15"),
    Mutation("stops: a day too short", SITES,
             "resumes = min(day + 1 + days, self._frame.days)",
             "resumes = min(day + max(days, 1), self._frame.days)"),
    Mutation("starts: none waits for its first instalment", "engine/reference/city.py",
             "if frame.cash_gated[project]:", "if False:"),
    Mutation("payment: shares rounded down", "engine/reference/lines.py",
             "target = -(-(before + amount) * self._share[line] // PPM)",
             "target = (before + amount) * self._share[line] // PPM"),
    Mutation("payment: what rounding leaves over is kept", "engine/reference/sharing.py",
             "more = min(amount - parts[k], left)", "more = 0"),
    Mutation("payment: tiers forgotten", "engine/reference/sharing.py",
             "return one.tier", "return 0"),
    Mutation("payment: a pool pays what it does not hold", "engine/reference/payments.py",
             "treasury.balance[account] -= amount\n                self._pay_line",
             "self._pay_line"),
    Mutation("money: what lapses is not written down", "engine/reference/treasury.py",
             "self.lapsed[account] += amount", "self.lapsed[account] += 0"),
    Mutation("bonds: small batches under the gates too", "sampling/accounts.py",
             "and floor.smallest <= release.amount", "and floor.smallest >= 0"),
    Mutation("scores: Brier without its reliability", "analysis/scoring.py",
             "reliability=float((weights * (values - shares) ** 2).sum())",
             "reliability=0.0"),
    Mutation("scores: CRPS of a normal without its constant", "analysis/scoring.py",
             "+ 2 * density - 1 / np.sqrt(np.pi))", "+ 2 * density)"),
    Mutation("scores: the fair CRPS is the plain one", "analysis/scoring.py",
             "pairs = count * (count - fair)", "pairs = count * count"),
    Mutation("scores: misses of an interval at half price", "analysis/scoring.py",
             "2 / (1 - level) * outside", "1 / (1 - level) * outside"),
    Mutation("sensitivity: first order given for total", "analysis/sobol.py",
             "total=np.asarray(found.total_order", "total=np.asarray(found.first_order",
             cases="17"),
    Mutation("re-forecast: the rest does not move", "analysis/joint_normal.py",
             "means=mean[count:] + gain @ (seen - mean[:count])", "means=mean[count:]"),
    Mutation("curve: wrong sign of C", "analysis/spending_curve.py",
             "x + self.c * x**2 - self.c * x", "x - self.c * x**2 + self.c * x"),
    Mutation("risks: strike half the time, whatever is said", "sampling/draw_risks.py",
             "occurs[s] = share[s] < probability[s]", "occurs[s] = share[s] <= 0.5"),
    Mutation("network: a delivered predecessor counts twice", "engine/compiled/starts.py",
             "site.predecessors_missing -= 1", "site.predecessors_missing -= 2",
             engine="compiled"),
    Mutation("queue: one place too many", "engine/compiled/approvals.py",
             "while state.places[window] > 0 and", "while state.places[window] >= 0 and",
             engine="compiled", cases="15"),
    Mutation("stops: a day too short", "engine/compiled/construction.py",
             "resumes = min(day + 1 + length, days)", "resumes = min(day + max(length, 1), days)",
             engine="compiled"),
    Mutation("payment: shares rounded down", "engine/compiled/arithmetic.py",
             "return quotient(amount * ppm + PPM - 1, PPM)", "return quotient(amount * ppm, PPM)",
             engine="compiled"),
    Mutation("payment: tiers forgotten", "engine/compiled/payments.py",
             "groups = _TIERS if rule == AccountRule.TIER else 1", "groups = 1",
             engine="compiled"),
    Mutation("money: what lapses is not written down", "engine/compiled/treasury.py",
             "account.lapsed += amount", "account.lapsed += 0", engine="compiled"),
    Mutation("starts: none waits for its first instalment", "engine/compiled/starts.py",
             "if world.projects[p].cash_gated:", "if False:", engine="compiled"),
)  # fmt: skip


def noticed(sources: Path, engine: str, cases: str) -> list[str]:
    """Run cases on some sources and return those that fail.

    Raises
    ------
    RuntimeError
        If not every case was run: that says nothing of the mutation.
    """
    env = os.environ | {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    # Compiling quickly counts for more than running quickly; draws need no compiler at all.
    env |= {"NUMBA_OPT": "0"} if engine == "compiled" else {"NUMBA_DISABLE_JIT": "1"}
    script = sources / "judge.py"
    script.write_text(RUN, encoding="utf-8")
    command = [sys.executable, str(script), engine, QUICK, cases]
    done = subprocess.run(
        command, cwd=sources, env=env, capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("CASE")]
    if len(lines) != len(set(f"{QUICK},{cases}".strip(",").split(","))):
        if not lines:  # the broken sources do not even load
            raise RuntimeError(done.stderr.strip().splitlines()[-1:])
        lines += [["CASE", "breakdown", done.stderr.strip().splitlines()[-1][:60]]]
    return [case for _, case, *how in lines if how != ["False"]]


def apply(mutation: Mutation, sources: Path) -> None:
    """Replace the text of a mutation in a copy of the sources."""
    path = sources / "sim" / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise RuntimeError(f"'{mutation.old}' stands {text.count(mutation.old)} times in {path}")
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")


def copied(place: Path) -> Path:
    """Copy the sources, without what was compiled of them."""
    skipped = shutil.ignore_patterns("__pycache__", "fonts")
    shutil.copytree(ROOT / "sim", place / "sim", ignore=skipped)
    return place


def run(mutation: Mutation) -> list[str]:
    """Break a copy of the sources and return the cases that notice."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        sources = copied(Path(place))
        apply(mutation, sources)
        return noticed(sources, mutation.engine, mutation.cases)


def chosen(words: argparse.Namespace) -> list[Mutation]:
    """Return the mutations that were asked for."""
    return [
        one for one in MUTATIONS if words.engine in (None, one.engine) and words.only in one.name
    ][:: words.every]


def main() -> int:
    """Run the mutations asked for; 1 if one survives or the unbroken sources fail."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["reference", "compiled"])
    parser.add_argument("--only", default="", help="those whose name holds this text")
    parser.add_argument("--every", type=int, default=1, help="every so many of them")
    parser.add_argument("--markdown", action="store_true", help="print rows of a table")
    words = parser.parse_args()
    mutations, survived = chosen(words), 0
    for engine in sorted({one.engine for one in mutations}):
        cases = ",".join(sorted({one.cases for one in mutations if one.engine == engine} - {""}))
        with tempfile.TemporaryDirectory(prefix="mutation-") as place:
            failed = noticed(copied(Path(place)), engine, cases)
        print(f"unbroken, {engine}: {failed or 'holds'}", flush=True)
        if failed:
            return 1
    for one in mutations:
        began = time.monotonic()
        noticing = run(one)
        survived += not noticing
        told = ", ".join(noticing) or "SURVIVES"
        if words.markdown:
            print(f"| {one.name} | {one.engine} | `sim/{one.file}` | {told} |", flush=True)
        else:
            seconds = time.monotonic() - began
            print(f"{one.engine:10} {one.name:55} {told} ({seconds:.0f} s)", flush=True)
    print(f"{len(mutations) - survived} of {len(mutations)} mutations are noticed")
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main())
